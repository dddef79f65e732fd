"""Requests that other people's clients signed for Bitget, signed again; and our own requests against theirs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import MarginMode, OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.market import Side
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.bitget.wire import accounts, coins, listing
from app.infrastructure.exchanges.bitget.wire.orders import (
    MARKET_BUY_BOUND,
    cancel_text,
    look_up_text,
    page_text,
    place_text,
)
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT
from app.infrastructure.exchanges.bitget.wire.protections import (
    cancel_plan_text,
    pending_text,
    protect_text,
    would_trigger,
)
from app.infrastructure.exchanges.bitget.wire.signing import signature, signed_headers
from app.infrastructure.exchanges.bitget.wire.socket import (
    CHANNELS_MAX,
    login,
    private_channels,
    ticker_subscriptions,
)
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import AT_MS, COINS, ID, MARKET, PERPETUAL, load

LIMIT = replace(MARKET, type=OrderType.LIMIT, price=price("87000"))
EXIT = PlaceOrder(
    PERPETUAL, Side.SELL, quantity("0.01"), True, ID, AT_MS, 5000, OrderType.LIMIT, price("86500"), TimeInForce.IOC
)  # fmt: skip
STOP = PlaceProtection(
    PERPETUAL, Side.SELL, TriggerKind.STOP_LOSS, price("84000"), quantity("0.01"), ID, AT_MS, 5000
)


def case(name: str) -> Any:
    rows = load("signed_requests/bitget.json")["cases"]
    return next(row for row in rows if row["id"] == f"bitget/ccxt/{name}")


def pairs(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_requests_signed_by_other_clients_get_the_same_headers() -> None:
    vectors = load("signed_requests/bitget.json")
    keys, checked = vectors["credentials"], 0
    for row in vectors["cases"]:
        if row["signature_rechecked"] != "ok":
            continue
        parts = urlsplit(row["url"])
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        ours = signed_headers(
            keys["apiKey"], keys["secret"].encode(), keys["passphrase"], method=row["method"], target=target,
            body=row["body"] or "", timestamp_ms=row["timestamp_ms"],
        )  # fmt: skip
        theirs = {name: value for name, value in row["headers"].items() if name.startswith("ACCESS-")}
        assert {name: ours[name] for name in theirs} == theirs, row["id"]
        checked += 1
    assert checked == 15


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (MARKET, "create_market_buy"),
        (LIMIT, "create_limit_buy"),
        (EXIT, "create_limit_ioc_reduce_only"),
    ],
)
def test_an_order_says_what_another_client_says(order: PlaceOrder, name: str) -> None:
    theirs = case(name)
    assert (theirs["method"], urlsplit(theirs["url"]).path) == ("POST", FUTURES.place)
    body = json.loads(theirs["body"])
    # That client writes the words of `force` in capitals; the documentation has them in small letters.
    assert json.loads(place_text(FUTURES, order)) == {**body, "force": body["force"].lower()}


def test_an_order_that_may_not_take_and_one_at_a_trigger_are_not_written_here() -> None:
    # Post-only and trigger entries are not in our vocabulary; their signatures are checked above all the same.
    assert json.loads(case("create_limit_sell_post_only")["body"])["force"] == "post_only"
    assert urlsplit(case("create_trigger_limit")["url"]).path == "/api/v2/mix/order/place-plan-order"
    assert urlsplit(case("edit_order")["url"]).path == "/api/v2/mix/order/modify-order"


def test_a_stop_loss_names_its_size_where_another_client_covers_the_whole_position() -> None:
    theirs = case("create_stop_loss_market")
    assert urlsplit(theirs["url"]).path == FUTURES.plan_place
    body, ours = json.loads(theirs["body"]), json.loads(protect_text(FUTURES, STOP))
    # That client places `pos_loss`, which ignores its size and knows no order type; ours is the partial plan.
    assert (body.pop("planType"), ours.pop("planType")) == ("pos_loss", "loss_plan")
    assert {body.pop("orderType"), body.pop("force")} == {"market", "GTC"}
    assert ours.pop("executePrice") == "0"
    assert ours == body


def test_other_requests_say_what_another_client_says() -> None:
    cancelled = json.loads(case("cancel_order_by_client_id")["body"])
    assert json.loads(cancel_text(FUTURES, PERPETUAL, ID)) == {**cancelled, "marginCoin": "USDT"}
    by_id = json.loads(case("cancel_order_by_id")["body"])
    assert by_id.keys() - cancelled.keys() == {"orderId"}
    looked = look_up_text(FUTURES, PERPETUAL, "clientOid", ID)
    assert pairs(f"?{looked}") == pairs(case("fetch_order_by_client_id")["url"])
    waiting = pairs(f"?{page_text(FUTURES, PERPETUAL, '')}")
    assert waiting == {**pairs(case("fetch_open_orders")["url"]), "limit": "100"}
    assert pairs(f"?{accounts.positions_text()}") == pairs(case("fetch_positions")["url"])
    assert urlsplit(case("fetch_balance")["url"]).path == coins.ASSETS
    assert json.loads(accounts.leverage_text(PERPETUAL, 7)) == json.loads(case("set_leverage")["body"])
    isolated = json.loads(accounts.margin_mode_text(PERPETUAL, MarginMode.ISOLATED))
    assert isolated == json.loads(case("set_margin_mode_isolated")["body"])
    # Those ask for one market, we for all: the endpoints are the plural and its singular.
    assert urlsplit(listing.tickers_path(FUTURES)).path == urlsplit(case("fetch_ticker")["url"]).path + "s"
    assert pairs(case("fetch_funding_rate")["url"])["productType"] == FUTURES.name


@pytest.mark.parametrize(
    ("side", "reduce_only", "said"),
    [
        (Side.BUY, False, ("buy", "open", None)), (Side.SELL, False, ("sell", "open", None)),
        (Side.SELL, True, ("buy", "close", "YES")), (Side.BUY, True, ("sell", "close", "YES")),
    ],
)  # fmt: skip
def test_in_hedge_mode_the_side_names_the_position(
    side: Side, reduce_only: bool, said: tuple[str, str, str | None]
) -> None:
    # A closing order says `reduceOnly` besides: an account that nets would take its side for more of the same.
    order = replace(MARKET, side=side, reduce_only=reduce_only, position_mode=PositionMode.HEDGE)
    body = json.loads(place_text(FUTURES, order))
    assert (body["side"], body["tradeSide"], body.get("reduceOnly")) == said


def test_a_margin_mode_goes_with_each_order() -> None:
    body = json.loads(place_text(FUTURES, replace(MARKET, margin_mode=MarginMode.ISOLATED)))
    assert body["marginMode"] == "isolated"


def test_a_spot_purchase_at_market_is_bounded_and_exact() -> None:
    order = replace(MARKET, instrument=COINS)
    body = json.loads(place_text(SPOT, order, price("64000.01")))
    assert (body["orderType"], body["force"], body["size"]) == ("limit", "ioc", "0.01")
    assert body["price"] == "65280.02"
    assert (body["requestTime"], body["receiveWindow"]) == (str(AT_MS), "5000")
    assert "reduceOnly" not in json.loads(place_text(SPOT, replace(order, side=Side.SELL, reduce_only=True)))
    with pytest.raises(Unreadable):
        place_text(SPOT, order)


@given(
    mark=st.decimals("0.01", 10**7, places=2), size=st.decimals("0.000001", 10**4, places=6),
    window=st.integers(1, 10**6),
)  # fmt: skip
def test_the_bound_of_a_purchase_stands_on_its_tick_just_above_the_mark(
    mark: Decimal, size: Decimal, window: int
) -> None:
    order = replace(MARKET, instrument=COINS, quantity=quantity(size), valid_ms=window)
    body = json.loads(place_text(SPOT, order, price(mark)))
    bound = Decimal(body["price"])
    assert mark * MARKET_BUY_BOUND <= bound < mark * MARKET_BUY_BOUND + COINS.tick
    assert bound % COINS.tick == 0
    assert Decimal(body["size"]) == size
    assert int(body["receiveWindow"]) == min(window, 60_000)


def test_a_spot_sale_at_market_is_one() -> None:
    body = json.loads(place_text(SPOT, replace(MARKET, instrument=COINS, side=Side.SELL)))
    assert (body["orderType"], body["size"], "price" in body) == ("market", "0.01", False)


def test_a_limit_order_without_a_price_cannot_be_written() -> None:
    with pytest.raises(Unreadable):
        place_text(FUTURES, replace(MARKET, type=OrderType.LIMIT))


@pytest.mark.parametrize(
    ("side", "mode", "held"),
    [
        (Side.SELL, PositionMode.ONE_WAY, "buy"), (Side.BUY, PositionMode.ONE_WAY, "sell"),
        (Side.SELL, PositionMode.HEDGE, "long"), (Side.BUY, PositionMode.HEDGE, "short"),
    ],
)  # fmt: skip
def test_a_protection_names_the_position_that_it_guards(side: Side, mode: PositionMode, held: str) -> None:
    body = json.loads(protect_text(FUTURES, replace(STOP, side=side, position_mode=mode)))
    assert (body["holdSide"], body["triggerType"]) == (held, "mark_price")


def test_a_spot_plan_sells_coins_at_the_mark() -> None:
    body = json.loads(protect_text(SPOT, replace(STOP, instrument=COINS)))
    assert body == {
        "symbol": "BTCUSDT", "triggerPrice": "84000", "triggerType": "mark_price", "size": "0.01", "clientOid": ID,
        "side": "sell", "orderType": "market", "planType": "amount",
    }  # fmt: skip
    assert json.loads(cancel_plan_text(SPOT, COINS, ID)) == {"clientOid": ID}
    assert "planType" not in pending_text(SPOT, COINS, "")


@pytest.mark.parametrize(
    ("side", "kind", "mark", "at_once"),
    [
        (Side.SELL, TriggerKind.STOP_LOSS, "84000.1", False), (Side.SELL, TriggerKind.STOP_LOSS, "84000", True),
        (Side.SELL, TriggerKind.TAKE_PROFIT, "83999", False), (Side.SELL, TriggerKind.TAKE_PROFIT, "84000", True),
        (Side.BUY, TriggerKind.STOP_LOSS, "83999", False), (Side.BUY, TriggerKind.STOP_LOSS, "84001", True),
        (Side.BUY, TriggerKind.TAKE_PROFIT, "84001", False), (Side.BUY, TriggerKind.TAKE_PROFIT, "83999", True),
    ],
)  # fmt: skip
def test_what_would_trigger_at_once_is_seen(side: Side, kind: TriggerKind, mark: str, at_once: bool) -> None:
    assert would_trigger(replace(STOP, side=side, kind=kind), price(mark)) is at_once


def test_the_login_proves_its_second() -> None:
    message = json.loads(login("key", b"secret", "phrase", 1538054050975))
    digest = hmac.new(b"secret", b"1538054050GET/user/verify", hashlib.sha256).digest()
    proof = base64.b64encode(digest).decode()
    row = {"apiKey": "key", "passphrase": "phrase", "timestamp": "1538054050", "sign": proof}
    assert message == {"op": "login", "args": [row]}
    assert signature(b"secret", "1538054050GET/user/verify") == proof


def test_spot_has_no_channel_of_positions() -> None:
    assert "positions" in {row["channel"] for row in private_channels(FUTURES)}
    assert "positions" not in {row["channel"] for row in private_channels(SPOT)}


def test_ticker_subscriptions_stay_within_what_a_socket_takes_in_a_second() -> None:
    messages = ticker_subscriptions(FUTURES, [f"COIN{number}USDT" for number in range(3000)])
    assert len(messages) <= 9
    assert max(len(text) for text in messages) < 4096
    assert sum(len(json.loads(text)["args"]) for text in messages) == CHANNELS_MAX
