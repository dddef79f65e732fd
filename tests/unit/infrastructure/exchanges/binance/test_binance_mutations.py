"""A hundred thousand payloads as no venue should send them: no crash, and no execution that nobody made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, RefusalKind, Unknown
from app.domain.exchanges.ports import OrderUpdate, ProtectionUpdate
from app.domain.exchanges.protection import Protected, ProtectionReport
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.market import Symbol, Venue
from app.infrastructure.exchanges.binance.wire import (
    accounts,
    algo,
    market,
    orders,
    settings,
    spot_accounts,
    spot_market,
    spot_orders,
    trades,
)
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES, SPOT_CODES
from app.infrastructure.exchanges.binance.wire.events import read_events
from app.infrastructure.exchanges.binance.wire.spot_events import read_answer, read_spot_events
from app.infrastructure.exchanges.reading import Unreadable
from tests.support.mutations import mutations
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    ALGO,
    BTC,
    COIN,
    COIN_ALGO,
    COIN_NAMES,
    COIN_ORDER,
    COIN_TRADE,
    ID,
    NAMES,
    ORDER,
    REPORT,
    SPOT,
    SPOT_ORDER,
    SPOT_TRADE,
    SPOT_WAITING,
    TRADE,
    buy,
    order_event,
    stop,
)

USDM, COINM = Venue.BINANCE_USDM, Venue.BINANCE_COINM
COUNT = 3500
FILTERS = [
    {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
    {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "9", "stepSize": "1"},
    {"filterType": "MIN_NOTIONAL", "notional": "100"},
]
LISTED = {
    "symbols": [
        {
            "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
            "filters": FILTERS, "isSpotTradingAllowed": True, "contractSize": 1, "marginAsset": "USDT",
        }
    ]
}  # fmt: skip
COMMISSION = {
    "symbol": "BTCUSDT",
    "standardCommission": {"maker": "0.1", "taker": "0.1", "buyer": "0", "seller": "0"},
    "taxCommission": {"maker": "0", "taker": "0", "buyer": "0", "seller": "0"},
}
POSITION = {
    "symbol": "BTCUSDT",
    "positionAmt": "1",
    "entryPrice": "2",
    "unRealizedProfit": "-3",
    "leverage": "20",
}
INCOME = {
    "symbol": "BTCUSDT",
    "incomeType": "FUNDING_FEE",
    "income": "-1",
    "asset": "USDT",
    "time": 1,
    "tranId": 2,
}
WALLET = {"asset": "USDT", "balance": "1", "availableBalance": "1"}
CHANGED = {
    "e": "ACCOUNT_UPDATE", "T": 1, "a": {
        "m": "ORDER", "B": [{"a": "USDT", "wb": "1", "bc": "0"}], "P": [{"s": "BTCUSDT", "pa": "1", "ep": "2", "up": "3"}],
    },
}  # fmt: skip
ALGO_EVENT = {
    "e": "ALGO_UPDATE", "T": 5, "o": {
        "caid": ID, "aid": 7, "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL", "q": "1", "X": "NEW", "tp": "6", "R": True,
    },
}  # fmt: skip
SPOT_WALLETS = {"event": {"e": "outboundAccountPosition", "u": 5, "B": [{"a": "BTC", "f": "1", "l": "1"}]}}
ERROR = {"code": -2019, "msg": "Margin is insufficient."}
COIN_ROW = {"s": "BTCUSD_PERP", "N": "BTC", "o": "MARKET", "ps": "LONG"}


def usdm_stream(body: bytes) -> Any:
    return read_events(body, NAMES, {}, USDM, "USDT")


def coinm_stream(body: bytes) -> Any:
    return read_events(body, COIN_NAMES, {}, COINM, None)


def spot_stream(body: bytes) -> Any:
    return read_spot_events(body, NAMES, {})


CASES: dict[str, tuple[Any, Callable[[bytes], Any]]] = {
    "order": (ORDER, lambda body: orders.outcome(buy(BTC, "0.01"), 200, body, None)),
    "coin order": (COIN_ORDER, lambda body: orders.outcome(buy(COIN, "700"), 200, body, None)),
    "spot order": (SPOT_ORDER, lambda body: spot_orders.outcome(buy(SPOT, "0.01"), 200, body, None)),
    "refusal": (ERROR, lambda body: orders.outcome(buy(BTC, "1"), 400, body, None)),
    "spot refusal": (
        {"code": -2010, "msg": "Account has insufficient balance for requested action."},
        lambda body: spot_orders.outcome(buy(SPOT, "1"), 400, body, None),
    ),
    "open orders": ([ORDER], lambda body: orders.read_orders(body, NAMES, USDM)),
    "spot open orders": ([SPOT_ORDER], lambda body: spot_orders.read_orders(body, NAMES)),
    "trades": ([TRADE], lambda body: trades.read_fills(BTC, body, {})),
    "coin trades": ([COIN_TRADE], lambda body: trades.read_fills(COIN, body, {})),
    "spot trades": ([SPOT_TRADE], lambda body: spot_accounts.read_fills(SPOT, body, {})),
    "algo": (ALGO, lambda body: algo.protect_outcome(stop(BTC, "0.01"), 200, body, None)),
    "algos": ([ALGO], lambda body: algo.read_open(body, NAMES, USDM)),
    "coin algo": (COIN_ALGO, lambda body: algo.protect_outcome(stop(COIN, "700"), 200, body, None)),
    "spot stop": (
        {**SPOT_WAITING, "transactTime": 1},
        lambda body: spot_orders.protect_outcome(stop(SPOT, "0.01"), 200, body, None),
    ),
    "spot stops": ([SPOT_WAITING], lambda body: spot_orders.read_open(body, NAMES)),
    "positions": ([POSITION], lambda body: accounts.read_positions(body, NAMES)),
    "balance": ([WALLET], lambda body: accounts.read_balance(body, "USDT", told=True)),
    "funding": ([INCOME], lambda body: accounts.read_funding(body, NAMES, "USDT")),
    "spot account": (
        {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]},
        lambda body: spot_accounts.read_holdings(body, NAMES),
    ),
    "spot fees": (COMMISSION, lambda body: spot_accounts.read_fees(SPOT, body)),
    "key": (
        {"enableReading": True, "enableWithdrawals": False, "ipRestrict": False, "enableFutures": True},
        lambda body: settings.read_key_facts(body, spot=False),
    ),
    "listing": (LISTED, lambda body: market.read_listing(body, USDM)),
    "spot listing": (LISTED, spot_market.read_listing),
    "marks": ([{"symbol": "BTCUSDT", "markPrice": "1"}], lambda body: market.read_marks(body, NAMES)),
    "usdm event": (json.loads(order_event()), usdm_stream),
    "coinm event": (json.loads(order_event(**COIN_ROW)), coinm_stream),
    "account event": (CHANGED, usdm_stream),
    "algo event": (ALGO_EVENT, usdm_stream),
    "spot event": ({"subscriptionId": 0, "event": REPORT}, spot_stream),
    "spot wallets": (SPOT_WALLETS, spot_stream),
    "answer": ({"id": "1", "status": 401, "error": {"code": -2015, "msg": "x"}}, read_answer),
}


def parts(got: Any) -> Iterable[Any]:
    """Every report and fill in what a reader returned."""
    if isinstance(got, Accepted | Protected | ProtectionUpdate):
        yield got.report
    elif isinstance(got, OrderUpdate):
        yield got.report
        if got.fill is not None:
            assert got.fill.quantity <= got.report.executed
            yield got.fill
    elif isinstance(got, list | tuple):
        for row in got:
            yield from parts(row)
    else:
        yield got


def check(part: Any) -> None:
    """A report or fill must be of a market that it was asked about, and whole."""
    if not isinstance(part, OrderReport | Fill | ProtectionReport):
        return
    assert part.symbol in (Symbol("BTC-USDT"), Symbol("BTC-USD"))
    assert part.quantity >= 0
    assert part.quantity.is_finite()
    if isinstance(part, OrderReport):
        assert part.order_id.isdecimal()
        assert 0 <= part.executed <= part.quantity
    elif isinstance(part, Fill):
        assert part.quantity > 0
        assert part.price > 0
        assert int(part.trade_id) > 0
        assert int(part.order_id) > 0
        assert part.fee.is_finite()
    else:
        assert part.trigger > 0


def test_the_cases_are_a_hundred_thousand() -> None:
    assert len(CASES) * COUNT > 100_000


@pytest.mark.parametrize("name", list(CASES))
def test_mutated_payloads_neither_crash_a_reader_nor_invent_anything(name: str) -> None:
    payload, read = CASES[name]
    good = read(json.dumps(payload).encode())
    assert not isinstance(good, Unknown), "the payload itself is read"
    for body in mutations(payload, COUNT, seed=len(name)):
        try:
            got = read(body)
        except Unreadable:
            continue
        if isinstance(got, DefiniteNo) and got.kind is not RefusalKind.THROTTLED:
            assert int(got.code) in {*CONTRACT_CODES, *SPOT_CODES, -2010}
        if "order" in name and isinstance(got, Accepted):
            assert got.report.client_order_id == ID
        for part in parts(got):
            check(part)
