"""A hundred thousand answers and messages as no venue should send them: nothing crashes, nothing is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from app.domain.exchanges.outcomes import DefiniteNo, Duplicate, Unknown
from app.domain.shared.execution import Fill, OrderReport
from app.infrastructure.exchanges.bitget.wire import accounts, coins, listing, rights
from app.infrastructure.exchanges.bitget.wire.events import read_facts
from app.infrastructure.exchanges.bitget.wire.fills import read_fills
from app.infrastructure.exchanges.bitget.wire.orders import Acknowledged, acknowledged
from app.infrastructure.exchanges.bitget.wire.plans import read_plans, read_sub_order
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT
from app.infrastructure.exchanges.bitget.wire.refusals import refused_order, refused_read
from app.infrastructure.exchanges.bitget.wire.reports import read_open_orders, read_order
from app.infrastructure.exchanges.bitget.wire.socket import read_reply
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import (
    AT_MS,
    COINS,
    ID,
    MARKS,
    NAMES,
    PERPETUAL,
    coin,
    futures_fill,
    futures_order,
    futures_plan,
    listed_order,
    position,
    spot_fill,
    spot_order,
    spot_plan,
    streamed_order,
    wallet,
)

EACH: Final = 4000
Read = Callable[[bytes], object]


def said(data: object) -> dict[str, object]:
    return {"code": "00000", "msg": "success", "requestTime": AT_MS, "data": data}


def told(line: str, channel: str, *rows: object) -> dict[str, object]:
    arg = {"instType": line, "channel": channel, "instId": "default"}
    return {"action": "snapshot", "arg": arg, "data": list(rows), "ts": AT_MS}


def futures_facts(body: bytes) -> object:
    return read_facts(FUTURES, body, NAMES, MARKS)


def spot_facts(body: bytes) -> object:
    return read_facts(SPOT, body, NAMES, MARKS)


CONTRACT: Final = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "minTradeNum": "0.001", "priceEndStep": "1",
    "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001", "symbolType": "perpetual", "minTradeUSDT": "5",
    "symbolStatus": "normal", "maxLever": "125", "maxOrderQty": "1200",
}  # fmt: skip
BILL: Final = {
    "billId": "1", "symbol": "BTCUSDT", "amount": "-0.004992", "fee": "0", "businessType": "contract_settle_fee",
    "coin": "USDT", "cTime": "1695715200654",
}  # fmt: skip
CASES: Final[dict[str, tuple[dict[str, object], Read]]] = {
    "futures order": (
        said(futures_order()),
        lambda body: read_order(FUTURES, PERPETUAL, body, client_order_id="mine"),
    ),
    "spot order": (said([spot_order()]), lambda body: read_order(SPOT, COINS, body, client_order_id="mine")),
    "futures pending": (
        said({"entrustedList": [listed_order(), listed_order(orderId="2")], "endId": "2"}),
        lambda body: read_open_orders(FUTURES, body, NAMES),
    ),
    "spot pending": (said([spot_order()]), lambda body: read_open_orders(SPOT, body, NAMES)),
    "futures fills": (
        said({"fillList": [futures_fill(), futures_fill(tradeId="2")], "endId": "2"}),
        lambda body: read_fills(FUTURES, PERPETUAL, body, MARKS)[0],
    ),
    "spot fills": (said([spot_fill()]), lambda body: read_fills(SPOT, COINS, body, MARKS)[0]),
    "futures plans": (
        said({"entrustedList": [futures_plan()], "endId": "1"}),
        lambda body: read_plans(FUTURES, body, NAMES, MARKS),
    ),
    "spot plans": (said({"orderList": [spot_plan()]}), lambda body: read_plans(SPOT, body, NAMES, MARKS)),
    "sub orders": (said([{"orderId": "5", "status": "success"}]), read_sub_order),
    "positions": (said([position()]), lambda body: accounts.read_positions(body, NAMES)),
    "wallets": (said([wallet()]), lambda body: accounts.read_balance(body, "USDT")),
    "bills": (said({"bills": [BILL], "endId": "1"}), lambda body: accounts.read_funding(body, NAMES)),
    "leverages": (
        said({"marginMode": "crossed", "crossMarginLeverage": "7"}),
        lambda body: accounts.confirmed(accounts.read_leverages(body)),
    ),
    "coins": (said([coin()]), lambda body: coins.read_holdings(body, NAMES)),
    "rights": (
        said({"authorities": ["coow", "cpow"], "ips": ""}),
        lambda body: rights.read_key_facts(FUTURES, body),
    ),
    "listing": (said([CONTRACT]), lambda body: listing.read_listing(FUTURES, body)),
    "tickers": (
        said([{"symbol": "BTCUSDT", "markPrice": "2"}]),
        lambda body: listing.read_tickers(FUTURES, body, NAMES),
    ),
    "ticker message": (
        told("USDT-FUTURES", "ticker", {"instId": "BTCUSDT", "markPrice": "2"}),
        lambda body: listing.read_ticker_message(FUTURES, body, NAMES),
    ),
    "order message": (told("USDT-FUTURES", "orders", streamed_order()), futures_facts),
    "fill message": (told("USDT-FUTURES", "fill", futures_fill()), futures_facts),
    "spot fill message": (told("SPOT", "fill", spot_fill()), spot_facts),
    "position message": (told("USDT-FUTURES", "positions", position()), futures_facts),
    "wallet message": (
        told("USDT-FUTURES", "account", {"marginCoin": "USDT", "equity": "1", "unrealizedPL": "0"}),
        futures_facts,
    ),
    "plan message": (told("SPOT", "orders-algo", {**spot_plan(), "instId": "BTCUSDT"}), spot_facts),
    "reply": ({"event": "login", "code": 0}, read_reply),
}


def every(found: object) -> Iterable[object]:
    """Yield what a reader returned, taken out of its lists."""
    if isinstance(found, list | tuple):
        for item in found:
            yield from every(item)
    else:
        yield found


def check(thing: Any) -> None:
    if isinstance(thing, Fill):
        assert thing.symbol in NAMES.values()
        assert thing.price > 0
        assert thing.quantity > 0
        assert thing.trade_id
        assert thing.order_id
    elif isinstance(thing, OrderReport):
        assert thing.symbol in NAMES.values()
        assert 0 <= thing.executed <= thing.quantity
        assert thing.order_id


@pytest.mark.parametrize("name", list(CASES))
def test_a_reader_meets_nonsense_with_a_refusal(name: str) -> None:
    payload, read = CASES[name]
    for body in mutations(payload, EACH, seed=sum(name.encode())):
        try:
            found = read(body)
        except Unreadable:
            continue
        for thing in every(found):
            check(thing)


def test_the_classes_of_an_outcome_are_never_left() -> None:
    yes = said({"orderId": "123", "clientOid": ID})
    no = {"code": "40762", "msg": "The order amount exceeds the balance", "requestTime": AT_MS, "data": None}
    for payload in (yes, no):
        for body in mutations(payload, EACH, seed=7):
            for status in (200, 400, 503):
                got = acknowledged(ID, status, body, {})
                assert isinstance(got, Acknowledged | DefiniteNo | Duplicate | Unknown)
                assert status != 503 or isinstance(got, Unknown)
                assert status != 400 or not isinstance(got, Acknowledged)
            refused_read(200, body, {})
            if isinstance(refused_order(200, body, {}), DefiniteNo):
                assert payload is no
