"""A hundred thousand damaged answers and messages: a reader gives a value that holds, or says Unreadable; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    Unknown,
    VenueError,
    VenueRefused,
)
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionReport
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill, OrderReport, VenueBalance, VenuePosition
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES
from app.infrastructure.exchanges.bybit.wire.codes import DEFINITE
from app.infrastructure.exchanges.bybit.wire.events import read_facts
from app.infrastructure.exchanges.bybit.wire.fills import read_fills
from app.infrastructure.exchanges.bybit.wire.ledger import read_funding, read_profits, read_transfers
from app.infrastructure.exchanges.bybit.wire.market import (
    read_contracts,
    read_server_time,
    read_ticker_message,
    read_tickers,
)
from app.infrastructure.exchanges.bybit.wire.modes import read_margin_mode
from app.infrastructure.exchanges.bybit.wire.orders import (
    outcome,
    read_acknowledged,
    read_open_orders,
    read_order,
)
from app.infrastructure.exchanges.bybit.wire.positions import read_indexes, read_positions
from app.infrastructure.exchanges.bybit.wire.protections import (
    protection_outcome,
    read_open_protections,
    read_protection,
)
from app.infrastructure.exchanges.bybit.wire.refusals import refused_read
from app.infrastructure.exchanges.bybit.wire.socket import read_reply
from app.infrastructure.exchanges.bybit.wire.terms import read_fee_rates, read_key_facts
from app.infrastructure.exchanges.bybit.wire.wallets import read_balance, read_holdings
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.bybit_rows import (
    INVERSE_NAMES,
    NAMES,
    answer,
    execution,
    instrument,
    listed,
    message,
    order,
    stop,
    wallet,
)

TOTAL = 100_000
MINE = ClientOrderId("mine")
Reader = Callable[[bytes], object]


def of_category(text: bytes, venue: Venue) -> bytes:
    """A payload as it is in another category."""
    word = CATEGORIES[venue].word.encode()
    changed = text.replace(b'"linear"', b'"' + word + b'"')
    return changed.replace(b'"BTCUSDT"', b'"BTCUSD"') if venue is Venue.BYBIT_INVERSE else changed


def readers(venue: Venue) -> list[tuple[bytes, Reader]]:
    """Each payload with the reader that it is for."""
    market, category = instrument(venue), CATEGORIES[venue]
    names = INVERSE_NAMES if venue is Venue.BYBIT_INVERSE else NAMES
    log = {
        "id": "f-1", "symbol": "BTCUSDT", "type": "SETTLEMENT", "currency": "USDT", "funding": "-0.004", "cashFlow": "1",
        "transactionTime": "1700000000000", "tradeId": "e-1", "cashBalance": "9",
    }  # fmt: skip
    position = {
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "size": "1", "avgPrice": "100", "entryPrice": "100",
        "unrealisedPnl": "0", "leverage": "5", "positionIdx": 0,
    }  # fmt: skip
    contract = {
        "symbol": "BTCUSDT", "contractType": category.contract, "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT",
        "settleCoin": "USDT", "leverageFilter": {"maxLeverage": "100.00"}, "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {"qtyStep": "0.001", "basePrecision": "0.001", "minOrderQty": "0.001", "maxOrderQty": "9",
                          "maxMktOrderQty": "5", "minNotionalValue": "5", "minOrderAmt": "5"},
    }  # fmt: skip
    ticker = {"symbol": "BTCUSDT", "markPrice": "1", "lastPrice": "1"}
    ids = answer({"orderId": "v-1", "orderLinkId": "mine"})
    table: Sequence[tuple[bytes, Reader]] = (
        (listed(order()), lambda b: read_order(market, b, client_order_id=MINE)),
        (listed(order(), stop(orderId="v-2")), lambda b: read_open_orders(b, venue, names)),
        (listed(stop()), lambda b: read_protection(market, MINE, b)),
        (listed(stop(), order()), lambda b: read_open_protections(b, category, names)),
        (listed(execution(), execution(execId="e-2", feeCurrency="BTC")), lambda b: read_fills(market, b, {})),
        (message("execution", execution()), lambda b: read_facts(b, category, names, {})),
        (message("execution", execution(execType="Funding")), lambda b: read_facts(b, category, names, {})),
        (message("order", order(), stop()), lambda b: read_facts(b, category, names, {})),
        (message("position", position), lambda b: read_facts(b, category, names, {})),
        (message("wallet", wallet()), lambda b: read_facts(b, category, names, {})),
        (listed(wallet()), lambda b: read_balance(b, "USDT", category)),
        (listed(wallet(coin="BTC")), lambda b: read_holdings(b, names)),
        (listed(position), lambda b: (read_positions(b, names), read_indexes(b))),
        (listed(log), lambda b: read_funding(b, category, names)),
        (listed({**log, "type": "TRADE"}), read_profits),
        (listed({**log, "type": "TRANSFER_IN"}), lambda b: read_transfers(b, "USDT")),
        (listed(contract), lambda b: read_contracts(b, category)),
        (listed(ticker), lambda b: read_tickers(b, category, names)),
        (json.dumps({"topic": "tickers.BTCUSDT", "data": ticker}).encode(), lambda b: read_ticker_message(b, category, names)),
        (answer({"timeSecond": "1"}), read_server_time),
        (listed({"symbol": "BTCUSDT", "takerFeeRate": "0.1", "makerFeeRate": "0"}), lambda b: read_fee_rates(b, market)),
        (answer({"readOnly": 0, "permissions": {"Spot": ["SpotTrade"]}, "ips": ["*"]}), lambda b: read_key_facts(b, category)),
        (answer({"reasons": []}), read_margin_mode),
        (ids, lambda b: read_acknowledged(MINE, b)),
        (b'{"op":"auth","success":true}', read_reply),
        (answer({}, 110007, "no"), lambda b: refused_read(200, b, {})),
    )  # fmt: skip
    return [(of_category(body, venue), reader) for body, reader in table]


def every(found: object) -> list[object]:
    """Whatever a reader returned, laid flat."""
    if isinstance(found, list | tuple | frozenset):
        return [leaf for part in found for leaf in every(part)]
    if isinstance(found, dict):
        return [leaf for part in found.values() for leaf in every(part)]
    return [found]


def holds(found: object, venue: Venue) -> bool:
    """Whether a value may be believed."""
    if isinstance(found, Fill):
        ids = all(0 < len(text) <= 64 for text in (found.trade_id, found.order_id))
        amounts = found.quantity > 0 and found.price > 0 and 0 <= found.base_fee <= found.quantity
        return ids and amounts and found.venue is venue and found.symbol == instrument(venue).symbol
    if isinstance(found, OrderReport):
        return 0 <= found.executed <= found.quantity and bool(found.order_id) and found.venue is venue
    if isinstance(found, ProtectionReport):
        return found.trigger > 0 and found.quantity >= 0 and bool(found.protection_id)
    if isinstance(found, VenuePosition):
        return found.quantity.is_finite() and 0 <= found.leverage < 10_000
    if isinstance(found, VenueBalance):
        return found.wallet.is_finite() and found.available.is_finite()
    return True


@pytest.mark.parametrize("venue", list(CATEGORIES))
def test_a_damaged_payload_is_a_value_that_holds_or_unreadable(venue: Venue) -> None:
    table = readers(venue)
    each = -(-TOTAL * 9 // 10 // (len(CATEGORIES) * len(table)))
    for number, (body, reader) in enumerate(table):
        payload: Any = json.loads(body)
        for raw in mutations(payload, each, seed=number):
            try:
                found = reader(raw)
            except (Unreadable, VenueRefused):
                continue
            assert all(holds(part, venue) for part in every(found)), raw[:2000]


@pytest.mark.parametrize("venue", list(CATEGORIES))
def test_a_damaged_answer_to_an_order_is_never_another_order(venue: Venue) -> None:
    market = instrument(venue)
    wanted = PlaceOrder(market, Side.BUY, quantity(1), False, MINE, 1_700_000_000_000, 5000)
    stopping = PlaceProtection(
        market, Side.SELL, TriggerKind.STOP_LOSS, price(9), quantity(1), MINE, 1_700_000_000_000, 5000
    )
    each = -(-TOTAL // 10 // (len(CATEGORIES) * 2))
    statuses = cycle((200, 200, 400, 403, 429, 500, 503, 408))
    for body in ({"orderId": "v-1", "orderLinkId": "mine"}, None):
        payload = json.loads(answer(body or {}, 0 if body else 110007))
        for raw, status in zip(mutations(payload, each, seed=7), islice(statuses, each), strict=True):
            for got in (
                outcome(wanted, status, raw, {}),
                protection_outcome(stopping, status, raw, {}),
            ):
                if isinstance(got, Accepted | Protected):
                    assert (got.report.client_order_id, status) == (MINE, 200)
                elif isinstance(got, DefiniteNo):
                    assert status < 500
                    assert int(got.code) in DEFINITE or status in {403, 429}
                else:
                    assert isinstance(got, Unknown | Duplicate)
            refusal = refused_read(status, raw, {})
            assert refusal is None or isinstance(refusal, VenueError)
