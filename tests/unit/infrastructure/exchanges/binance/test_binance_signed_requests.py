"""Requests that other people's clients built and signed, built and signed again; and our own against the documented form."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import (
    MarginMode,
    OrderType,
    PlaceOrder,
    PositionMode,
    TimeInForce,
)
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.binance.dialects import DIALECTS
from app.infrastructure.exchanges.binance.wire import algo, orders, settings, spot_orders, trades
from app.infrastructure.exchanges.binance.wire.signing import encoded, signature, signed
from app.infrastructure.exchanges.binance.wire.spot_events import subscription
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import BTC, COIN, SPOT, load

FILES = ("binanceusdm", "binancecoinm", "binance_spot")
AT = 1763800000123
MINE = ClientOrderId("cp1-f-00000001")
HEDGE = PositionMode.HEDGE


def an_order(
    instrument: Any, side: Side, size: str, *, reduce_only: bool = False, limit: str = "", cid: str = MINE,
    tif: TimeInForce = TimeInForce.GTC, mode: PositionMode = PositionMode.ONE_WAY,
) -> PlaceOrder:  # fmt: skip
    return PlaceOrder(
        instrument, side, quantity(size), reduce_only, ClientOrderId(cid), AT, 10_000,
        OrderType.LIMIT if limit else OrderType.MARKET, price(limit) if limit else None, tif, mode,
    )  # fmt: skip


def pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split("&") if pair)


STOPPED = PlaceProtection(
    BTC, Side.SELL, TriggerKind.STOP_LOSS, price("84000"), quantity("0.010"), MINE, AT, 10_000
)
BUILT: dict[str, str] = {
    "binanceusdm/ccxt/create_limit_ioc_reduce_only": orders.place_text(
        an_order(BTC, Side.SELL, "0.010", reduce_only=True, limit="86500", tif=TimeInForce.IOC)
    ),
    "binanceusdm/ccxt/create_market_buy": orders.place_text(an_order(BTC, Side.BUY, "0.010")),
    "binanceusdm/ccxt/create_market_sell_reduce_only": orders.place_text(
        an_order(BTC, Side.SELL, "0.010", reduce_only=True)
    ),
    "binanceusdm/ccxt/create_stop_loss_market": algo.protect_text(STOPPED),
    "binanceusdm/ccxt/create_limit_with_attached_tp_sl": orders.place_text(
        an_order(BTC, Side.BUY, "0.010", limit="87000")
    ),
    "binanceusdm/ccxt/cancel_order_by_client_id": orders.order_text(BTC, MINE),
    "binanceusdm/ccxt/cancel_order_by_id": orders.venue_order_text(BTC, "1234567890123"),
    "binanceusdm/ccxt/fetch_open_orders": orders.open_orders_text(BTC),
    "binanceusdm/ccxt/fetch_my_trades": trades.fills_text(
        BTC, order_id=None, from_id=None, window=(1763700000000, 1763700000000), page=50
    ),
    "binanceusdm/ccxt/set_margin_mode_isolated": settings.margin_mode_text(BTC, MarginMode.ISOLATED),
    "binanceusdm/binance-futures-connector/create_limit_buy": orders.place_text(
        an_order(BTC, Side.BUY, "0.010", limit="87000")
    ),
    "binanceusdm/binance-futures-connector/create_market_buy": orders.place_text(
        an_order(BTC, Side.BUY, "0.010")
    ),
    "binanceusdm/binance-futures-connector/create_hedge_short_open": orders.place_text(
        an_order(BTC, Side.SELL, "0.010", mode=HEDGE)
    ),
    "binanceusdm/binance-futures-connector/fetch_order_by_client_id": orders.order_text(BTC, MINE),
    "binanceusdm/binance-futures-connector/set_leverage": settings.leverage_text(BTC, 7),
    "binanceusdm/binance-futures-connector/set_margin_mode_isolated": settings.margin_mode_text(
        BTC, MarginMode.ISOLATED
    ),
    "binancecoinm/binance-futures-connector/create_market_buy": orders.place_text(
        an_order(COIN, Side.BUY, "100")
    ),
    "binancecoinm/binance-futures-connector/create_hedge_short_open": orders.place_text(
        an_order(COIN, Side.SELL, "100", mode=HEDGE)
    ),
    "binance_spot/binance-connector/create_limit_buy": spot_orders.place_text(
        an_order(SPOT, Side.BUY, "0.010", limit="87000")
    ),
    "binance_spot/binance-connector/fetch_order_by_client_id": orders.order_text(SPOT, MINE),
    "binance_spot/binance-connector/fetch_my_trades": trades.fills_text(
        SPOT, order_id=None, from_id=None, window=None, page=50
    ),
}
"""What we say where another client's call is one of ours."""

OUR_OWN = {"recvWindow", "timestamp", "newOrderRespType", "newClientOrderId", "workingType", "endTime"}
"""What we say of our own accord: the fence, a full reply, an id in every order, mark price, both ends of a window."""

QUIRKS = {
    "binanceusdm/ccxt/create_limit_with_attached_tp_sl": {
        "stopLoss",
        "takeProfit",
    },  # no such fields at the venue
    "binanceusdm/ccxt/create_stop_loss_market": {"newOrderRespType"},  # an algo order has no such reply
    "binanceusdm/ccxt/fetch_my_trades": {"endTime"},
}
NOT_OURS = {
    "binanceusdm/ccxt/cancel_all_orders": "we cancel what we placed, one by one",
    "binanceusdm/ccxt/edit_order": "an order is replaced, never amended",
    "binanceusdm/ccxt/fetch_positions": "the client asks for brackets first; we need none",
    "binanceusdm/ccxt/fetch_balance": "we ask the wallet's own endpoint",
    "binanceusdm/ccxt/fetch_ticker": "marks come from premiumIndex",
    "binanceusdm/binance-futures-connector/fetch_positions": "version 3 no longer tells the leverage",
    "binance_spot/binance-connector/create_market_quote": "our orders name quantities",
}
BARE = {
    "binancecoinm/binance-futures-connector/fetch_positions": "positions",
    "binancecoinm/binance-futures-connector/fetch_balance": "balances",
}
"""Reads without parameters: their path is all that they say."""


def text_of(case: Any) -> str:
    text: str = case.get("body") or case["url"].partition("?")[2]
    return text


@pytest.mark.parametrize("name", FILES)
def test_requests_signed_by_other_clients_get_the_same_signature(name: str) -> None:
    vectors = load(f"signed_requests/{name}.json")
    secret, checked = vectors["credentials"]["secret"].encode(), 0
    for case in vectors["cases"]:
        unsigned, mark, expected = text_of(case).partition("&signature=")
        if mark:
            assert signature(secret, unsigned) == expected, case["id"]
            assert signed(secret, unsigned) == text_of(case), case["id"]
            checked += 1
    assert checked == sum(case["signature_rechecked"] == "ok" for case in vectors["cases"])


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_another_client_is_one_of_ours_or_named_as_none(name: str) -> None:
    ids = {case["id"] for case in load(f"signed_requests/{name}.json")["cases"]}
    keyed = {
        "binancecoinm/binance-futures-connector/listen_key",
        "binance_spot/binance-connector/fetch_balance",
    }
    assert ids <= BUILT.keys() | NOT_OURS.keys() | BARE.keys() | keyed


@pytest.mark.parametrize("name", FILES)
def test_what_another_client_says_we_say_too(name: str) -> None:
    for case in load(f"signed_requests/{name}.json")["cases"]:
        if case["id"] not in BUILT:
            continue
        quirks = QUIRKS.get(case["id"], set())
        theirs = {key: value for key, value in pairs(text_of(case)).items() if key != "signature"}
        ours = pairs(BUILT[case["id"]])
        for key, value in theirs.items():
            if key in quirks or (key in {"recvWindow", "timestamp"} and key not in ours):
                continue
            assert ours.get(key) == value, (case["id"], key)
        assert ours.keys() - theirs.keys() <= OUR_OWN, case["id"]


def test_the_paths_of_other_clients_are_ours() -> None:
    known = {
        Venue.BINANCE_USDM: "binanceusdm",
        Venue.BINANCE_COINM: "binancecoinm",
        Venue.BINANCE_SPOT: "binance_spot",
    }
    for venue, name in known.items():
        dialect = DIALECTS[venue]
        paths = {
            case["url"].partition(".com")[2].partition("?")[0]
            for case in load(f"signed_requests/{name}.json")["cases"]
        }
        assert dialect.order in paths
        assert {dialect.balances, dialect.positions, ""} >= paths & {
            "/dapi/v1/balance",
            "/dapi/v1/positionRisk",
        }


def test_a_market_order_says_exactly_what_ccxt_says() -> None:
    case = next(
        row for row in load("signed_requests/binanceusdm.json")["cases"]
        if row["id"].endswith("ccxt/create_market_sell_reduce_only")
    )  # fmt: skip
    theirs = {key: value for key, value in pairs(text_of(case)).items() if key != "signature"}
    assert pairs(BUILT[case["id"]]) == theirs


def test_the_documented_example_is_reproduced() -> None:
    case = next(
        row for row in load("documented_signatures/hmac.json") if row["id"] == "binance/docs_hmac_ascii"
    )
    assert signature(case["secret"].encode(), case["string_to_sign"]) == case["expected_signature"]


def test_a_limit_order_carries_price_and_time_in_force() -> None:
    order = PlaceOrder(
        BTC, Side.BUY, quantity("1.50"), False, ClientOrderId("c1"), 1, 2, OrderType.LIMIT, price("87000.0"), TimeInForce.IOC
    )  # fmt: skip
    assert orders.place_text(order) == (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1.5&newClientOrderId=c1&newOrderRespType=RESULT"
        "&price=87000&timeInForce=IOC&recvWindow=2&timestamp=1"
    )


@pytest.mark.parametrize("write", [orders.place_text, spot_orders.place_text])
def test_a_limit_order_without_a_price_cannot_be_written(write: Any) -> None:
    with pytest.raises(Unreadable):
        write(PlaceOrder(BTC, Side.BUY, quantity(1), False, ClientOrderId("c"), 1, 2, OrderType.LIMIT))


@pytest.mark.parametrize(
    ("side", "reduce_only", "leg"),
    [
        (Side.BUY, False, "LONG"),
        (Side.SELL, True, "LONG"),
        (Side.SELL, False, "SHORT"),
        (Side.BUY, True, "SHORT"),
    ],
)
def test_in_hedge_mode_an_order_names_its_position_and_no_flag(
    side: Side, reduce_only: bool, leg: str
) -> None:
    said = pairs(orders.place_text(an_order(BTC, side, "1", reduce_only=reduce_only, mode=HEDGE)))
    assert (said["positionSide"], "reduceOnly" in said) == (leg, False)


def test_a_spot_exit_is_a_sale_without_a_flag() -> None:
    said = pairs(spot_orders.place_text(an_order(SPOT, Side.SELL, "1", reduce_only=True)))
    assert said.keys() & {"reduceOnly", "positionSide"} == set()


def test_a_subscription_is_signed_over_its_parameters_in_the_order_of_their_names() -> None:
    import json

    asked = json.loads(subscription("key", b"secret", 7, 5000))
    assert asked["method"] == "userDataStream.subscribe.signature"
    assert asked["params"] == {
        "apiKey": "key", "recvWindow": 5000, "timestamp": 7,
        "signature": signature(b"secret", "apiKey=key&recvWindow=5000&timestamp=7"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "sent"), [("abc09", "abc09"), ("a:b/c", "a%3Ab%2Fc"), ("ü&=", "%C3%BC%26%3D")]
)
def test_values_are_encoded_before_they_are_signed(value: str, sent: str) -> None:
    assert encoded(value) == sent
