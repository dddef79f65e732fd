"""Requests that other people's clients signed for OKX, signed again; and our own requests against theirs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import MarginMode, OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.okx.wire import accounts, fills, orders, protections
from app.infrastructure.exchanges.okx.wire.signing import expiry, iso, signature, signed_headers
from app.infrastructure.exchanges.okx.wire.socket import login, subscriptions
from app.infrastructure.exchanges.okx.wire.terms import SPOT, SWAP
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.okx.okx_rows import SPOT_BTC, SWAP_BTC, load

ID = ClientOrderId("cp1f00000001")
AT, VALID = 1763800000123, 5000
ONE = quantity("0.01")  # one contract


def placed(side: Side = Side.BUY, *, reduce_only: bool = False, **more: Any) -> PlaceOrder:
    return PlaceOrder(SWAP_BTC, side, ONE, reduce_only, ID, AT, VALID, **more)


def stop(kind: TriggerKind, trigger: str, **more: Any) -> PlaceProtection:
    return PlaceProtection(SWAP_BTC, Side.SELL, kind, price(trigger), ONE, ID, AT, VALID, **more)


def limit(side: Side, at: str) -> PlaceOrder:
    return placed(side, type=OrderType.LIMIT, price=price(at))


OURS: dict[str, tuple[str, str, str]] = {
    "ccxt/create_limit_buy": ("POST", "/api/v5/trade/order", orders.place_text(limit(Side.BUY, "87000"), SWAP)),
    "ccxt/create_market_buy": ("POST", "/api/v5/trade/order", orders.place_text(placed(), SWAP)),
    "ccxt/create_market_sell_reduce_only": (
        "POST", "/api/v5/trade/order", orders.place_text(placed(Side.SELL, reduce_only=True), SWAP),
    ),
    "ccxt/create_stop_loss_market": (
        "POST", "/api/v5/trade/order-algo", protections.place_text(stop(TriggerKind.STOP_LOSS, "84000"), SWAP),
    ),
    "ccxt/create_take_profit_market": (
        "POST", "/api/v5/trade/order-algo", protections.place_text(stop(TriggerKind.TAKE_PROFIT, "95000"), SWAP),
    ),
    "ccxt/fetch_open_orders": ("GET", orders.open_orders_path(SWAP, SWAP_BTC, ""), ""),
    "ccxt/fetch_positions": ("GET", f"{accounts.POSITIONS}?instType=SWAP", ""),
    "ccxt/fetch_my_trades": (
        "GET",
        fills.fills_path(fills.HISTORY, SWAP, SWAP_BTC, order_id=None, since_ms=1763700000000, after=""),
        "",
    ),
    "python-okx/create_limit_buy": (
        "POST", "/api/v5/trade/order", orders.place_text(limit(Side.BUY, "87000"), SWAP),
    ),
    "python-okx/cancel_order_by_client_id": ("POST", "/api/v5/trade/cancel-order", orders.cancel_text(SWAP_BTC, ID)),
    "python-okx/fetch_balance": ("GET", accounts.balance_path("USDT"), ""),
    "python-okx/fetch_fills": (
        "GET", fills.fills_path(fills.RECENT, SWAP, SWAP_BTC, order_id=None, since_ms=None, after=""), "",
    ),
}  # fmt: skip
"""What we send where another client sent the case of that name."""

BATCHED = "ccxt places single orders on /trade/batch-orders: a list of one, and another path"
EXTRA: dict[str, tuple[str, frozenset[str]]] = {
    "ccxt/create_limit_buy": (BATCHED, frozenset()),
    "ccxt/create_market_buy": (BATCHED, frozenset()),
    "ccxt/create_market_sell_reduce_only": (BATCHED, frozenset()),
    "ccxt/create_stop_loss_market": (
        "ccxt names a protection clOrdId, the venue's field is algoClOrdId; it triggers by the last price, we by mark",
        frozenset({"algoClOrdId", "clOrdId", "slTriggerPxType"}),
    ),
    "ccxt/create_take_profit_market": (
        "as for the stop-loss",
        frozenset({"algoClOrdId", "clOrdId", "tpTriggerPxType"}),
    ),
    "ccxt/fetch_open_orders": ("we name the kind and the page as well", frozenset({"instType", "limit"})),
    "ccxt/fetch_positions": ("ccxt asks for one market, we for all swaps", frozenset({"instId", "instType"})),
    "ccxt/fetch_my_trades": ("we name the page as well", frozenset({"limit"})),
    "python-okx/fetch_fills": ("we ask for one market and full pages", frozenset({"instId", "limit"})),
}
"""Where a case and our own request may differ, and why."""

NOT_OURS = {
    "ccxt/create_limit_sell_post_only": "we send no post-only orders",
    "ccxt/create_limit_with_attached_tp_sl": "protections are orders of their own here",
    "ccxt/create_trigger_limit": "protections are conditional market orders",
    "ccxt/create_orders_batch": "every account has its own request",
    "python-okx/create_algo_oco": "each protection is one conditional order",
    "ccxt/fetch_ticker": "public, all at once",
    "ccxt/fetch_ohlcv_1m": "no candles are read",
    "ccxt/fetch_funding_rate": "no funding rates are read",
}


def cases() -> list[Any]:
    rows: list[Any] = load("signed_requests/okx.json")["cases"]
    return rows


def test_requests_signed_by_other_clients_get_the_same_headers() -> None:
    keys, checked = load("signed_requests/okx.json")["credentials"], 0
    for row in cases():
        if row["signature_rechecked"] != "ok":
            continue
        parts = urlsplit(row["url"])
        ours = signed_headers(
            keys["apiKey"], keys["secret"].encode(), keys["passphrase"], method=row["method"],
            target=parts.path + (f"?{parts.query}" if parts.query else ""), body=row["body"] or "",
            timestamp_ms=row["timestamp_ms"],
        )  # fmt: skip
        theirs = {name.upper(): value for name, value in row["headers"].items()}
        assert {name: theirs[name] for name in ours} == ours, row["id"]
        checked += 1
    assert checked == 17


def test_every_case_is_ours_or_has_its_reason() -> None:
    assert {row["id"].removeprefix("okx/") for row in cases()} == OURS.keys() | NOT_OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_our_request_says_what_theirs_says(name: str) -> None:
    row = next(case for case in cases() if case["id"] == f"okx/{name}")
    method, target, body = OURS[name]
    reason, differing = EXTRA.get(name, ("", frozenset[str]()))
    theirs = urlsplit(row["url"])
    assert method == row["method"]
    if reason != BATCHED:
        assert urlsplit(target).path == theirs.path
    ours_said = dict(parse_qsl(urlsplit(target).query)) | (json.loads(body) if body else {})
    given = json.loads(row["body"]) if row["body"] else {}
    theirs_said = dict(parse_qsl(theirs.query)) | (given[0] if isinstance(given, list) else given)
    theirs_said = {key: value for key, value in theirs_said.items() if value not in ("", None)}
    wrong = {
        key for key in ours_said.keys() | theirs_said.keys() if ours_said.get(key) != theirs_said.get(key)
    }
    assert wrong <= differing, reason


def test_the_documented_signature_is_reproduced() -> None:
    rows = [row for row in load("documented_signatures/hmac.json") if row["exchange"] == "okx"]
    assert rows
    for row in rows:
        assert signature(row["secret"].encode(), row["string_to_sign"]) == row["expected_signature"]


def test_the_fence_is_the_committed_time_and_its_window() -> None:
    assert iso(AT) == "2025-11-22T08:26:40.123Z"
    assert expiry(AT, VALID) == {"expTime": "1763800005123"}


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (placed(), {"tdMode": "cross", "sz": "1"}),
        (placed(margin_mode=MarginMode.ISOLATED), {"tdMode": "isolated"}),
        (placed(Side.SELL, reduce_only=True), {"reduceOnly": True, "posSide": None}),
        (placed(position_mode=PositionMode.HEDGE), {"posSide": "long", "reduceOnly": None}),
        (placed(Side.SELL, position_mode=PositionMode.HEDGE), {"posSide": "short"}),
        (placed(Side.SELL, reduce_only=True, position_mode=PositionMode.HEDGE), {"posSide": "long", "reduceOnly": None}),
        (placed(reduce_only=True, position_mode=PositionMode.HEDGE), {"posSide": "short"}),
        (
            placed(type=OrderType.LIMIT, price=price("87000.0"), time_in_force=TimeInForce.IOC),
            {"ordType": "ioc", "px": "87000"},
        ),
    ],
)  # fmt: skip
def test_a_swap_order_is_written_in_contracts_and_names_its_mode(
    order: PlaceOrder, fields: dict[str, object]
) -> None:
    said = json.loads(orders.place_text(order, SWAP))
    assert {name: said.get(name) for name in fields} == fields
    assert "tgtCcy" not in said


@pytest.mark.parametrize("reduce_only", [False, True])
def test_a_spot_order_counts_in_coins_and_knows_no_positions(reduce_only: bool) -> None:
    order = PlaceOrder(SPOT_BTC, Side.SELL, quantity("0.015"), reduce_only, ID, AT, VALID)
    said = json.loads(orders.place_text(order, SPOT))
    assert said == {
        "instId": "BTC-USDT", "tdMode": "cash", "side": "sell", "ordType": "market", "sz": "0.015", "clOrdId": ID,
        "tgtCcy": "base_ccy", "banAmend": True,
    }  # fmt: skip


def test_protections_rest_reduce_and_name_their_side() -> None:
    one_way = json.loads(protections.place_text(stop(TriggerKind.STOP_LOSS, "84000"), SWAP))
    assert (one_way["slTriggerPxType"], one_way["slOrdPx"], one_way["reduceOnly"]) == ("mark", "-1", True)
    hedged = stop(TriggerKind.TAKE_PROFIT, "95000", position_mode=PositionMode.HEDGE)
    assert json.loads(protections.place_text(hedged, SWAP))["posSide"] == "long"
    coins = PlaceProtection(SPOT_BTC, Side.SELL, TriggerKind.STOP_LOSS, price(1), ONE, ID, AT, VALID)
    said = json.loads(protections.place_text(coins, SPOT))
    assert (said["tdMode"], said["slTriggerPxType"], said.get("reduceOnly")) == ("cash", "last", None)


def test_what_cannot_be_written_is_not_sent() -> None:
    with pytest.raises(Unreadable):
        orders.place_text(placed(type=OrderType.LIMIT), SWAP)
    fifth = PlaceOrder(SWAP_BTC, Side.BUY, quantity("0.000000000000000001"), False, ID, AT, VALID)
    assert json.loads(orders.place_text(fifth, SWAP))["sz"] == "0.0000000000000001"


def test_a_login_proves_the_second_it_was_made_in() -> None:
    message = json.loads(login("key", b"secret", "words", AT))
    (argument,) = message["args"]
    assert argument["timestamp"] == "1763800000"
    assert argument["sign"] == signature(b"secret", "1763800000GET/users/self/verify")
    assert "secret" not in json.dumps(message)


def test_subscriptions_are_cut_into_messages() -> None:
    messages = subscriptions("mark-price", [f"A{number}-USDT-SWAP" for number in range(250)])
    assert [len(json.loads(message)["args"]) for message in messages] == [100, 100, 50]
