"""Requests that other people's clients signed, signed again; and our own requests against the documented form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.exchanges.requests import OrderType, PlaceOrder, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.binance.wire.orders import place_text
from app.infrastructure.exchanges.binance.wire.signing import encoded, signature, signed
from app.infrastructure.exchanges.reading import Unreadable

DATA = Path(__file__).resolve().parents[5] / "shared/data/exchange_vectors"
BTC = Instrument(
    venue=Venue.BINANCE_USDM, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(100),
)  # fmt: skip


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))


def test_requests_signed_by_other_clients_get_the_same_signature() -> None:
    vectors = load("signed_requests/binanceusdm.json")
    secret = vectors["credentials"]["secret"].encode()
    checked = 0
    for case in vectors["cases"]:
        text = case.get("body") or case["url"].partition("?")[2]
        unsigned, mark, expected = text.partition("&signature=")
        if not mark:
            continue
        assert signature(secret, unsigned) == expected, case["id"]
        assert signed(secret, unsigned) == text, case["id"]
        checked += 1
    assert checked >= 20


def test_the_documented_example_is_reproduced() -> None:
    case = next(
        row for row in load("documented_signatures/hmac.json") if row["id"] == "binance/docs_hmac_ascii"
    )
    assert signature(case["secret"].encode(), case["string_to_sign"]) == case["expected_signature"]


def test_a_market_order_says_exactly_what_other_clients_say() -> None:
    vectors = load("signed_requests/binanceusdm.json")
    wanted = next(
        c["body"] for c in vectors["cases"] if c["id"].endswith("ccxt/create_market_sell_reduce_only")
    )
    order = PlaceOrder(
        BTC, Side.SELL, quantity("0.010"), True, ClientOrderId("cp1-f-00000001"), 1763800000123, 10000
    )
    theirs = dict(pair.split("=") for pair in wanted.split("&") if not pair.startswith("signature="))
    assert dict(pair.split("=") for pair in place_text(order).split("&")) == theirs


def test_a_limit_order_carries_price_and_time_in_force() -> None:
    order = PlaceOrder(
        BTC, Side.BUY, quantity("1.50"), False, ClientOrderId("c1"), 1, 2, OrderType.LIMIT, price("87000.0"), TimeInForce.IOC
    )  # fmt: skip
    assert place_text(order) == (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1.5&newClientOrderId=c1&newOrderRespType=RESULT"
        "&price=87000&timeInForce=IOC&recvWindow=2&timestamp=1"
    )


def test_a_limit_order_without_a_price_cannot_be_written() -> None:
    with pytest.raises(Unreadable):
        place_text(PlaceOrder(BTC, Side.BUY, quantity(1), False, ClientOrderId("c"), 1, 2, OrderType.LIMIT))


@pytest.mark.parametrize(
    ("value", "sent"), [("abc09", "abc09"), ("a:b/c", "a%3Ab%2Fc"), ("ü&=", "%C3%BC%26%3D")]
)
def test_values_are_encoded_before_they_are_signed(value: str, sent: str) -> None:
    assert encoded(value) == sent
