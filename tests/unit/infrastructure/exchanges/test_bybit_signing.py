"""Requests that other people's clients signed for Bybit, signed again; and our own requests against theirs."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.domain.exchanges.requests import OrderType, PlaceOrder, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.accounts import balance_text, leverage_text, positions_text
from app.infrastructure.exchanges.bybit.wire.fills import fills_text
from app.infrastructure.exchanges.bybit.wire.market import ticker_subscriptions
from app.infrastructure.exchanges.bybit.wire.orders import cancel_text, order_text, place_text
from app.infrastructure.exchanges.bybit.wire.signing import signature, signed_headers
from app.infrastructure.exchanges.bybit.wire.socket import login
from app.infrastructure.exchanges.reading import Unreadable

DATA = Path(__file__).resolve().parents[5] / "shared/data/exchange_vectors"
BTC = Instrument(
    venue=Venue.BYBIT_LINEAR, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(5),
)  # fmt: skip
ID = ClientOrderId("cp1-f-00000001")
MARKET = PlaceOrder(BTC, Side.BUY, quantity("0.010"), False, ID, 1763800000123, 5000)
LIMIT = PlaceOrder(
    BTC, Side.BUY, quantity("0.01"), False, ID, 1763800000123, 5000, OrderType.LIMIT, price("87000.0")
)
EXIT = PlaceOrder(
    BTC, Side.SELL, quantity("0.01"), True, ID, 1763800000123, 5000, OrderType.LIMIT, price("86500"), TimeInForce.IOC
)  # fmt: skip


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))


def case(name: str) -> Any:
    return next(row for row in load("signed_requests/bybit.json")["cases"] if row["id"] == f"bybit/{name}")


def test_requests_signed_by_other_clients_get_the_same_headers() -> None:
    vectors = load("signed_requests/bybit.json")
    keys, checked = vectors["credentials"], 0
    for row in vectors["cases"]:
        if row["signature_rechecked"] != "ok":
            continue
        payload = row["body"] if row["method"] == "POST" else urlsplit(row["url"]).query
        ours = signed_headers(
            keys["apiKey"], keys["secret"].encode(), payload, timestamp_ms=row["timestamp_ms"], window_ms=5000
        )
        theirs = {name: value for name, value in row["headers"].items() if name.startswith("X-BAPI-")}
        assert {name: theirs[name] for name in ours} == ours, row["id"]
        checked += 1
    assert checked == 18


def test_the_documented_signatures_are_reproduced() -> None:
    rows = [row for row in load("documented_signatures/hmac.json") if row["id"].startswith("bybit")]
    assert rows
    for row in rows:
        assert signature(row["secret"].encode(), row["string_to_sign"]) == row["expected_signature"]


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (MARKET, "ccxt/create_market_buy"), (EXIT, "ccxt/create_limit_ioc_reduce_only"),
        (LIMIT, "pybit/create_limit_buy"),
    ],
)  # fmt: skip
def test_an_order_says_exactly_what_other_clients_say(order: PlaceOrder, name: str) -> None:
    theirs = case(name)
    assert (theirs["method"], urlsplit(theirs["url"]).path) == ("POST", "/v5/order/create")
    assert json.loads(place_text(order)) == json.loads(theirs["body"])


def test_other_requests_say_what_other_clients_say() -> None:
    assert json.loads(cancel_text(BTC, ID)) == json.loads(case("pybit/cancel_order_by_client_id")["body"])
    assert json.loads(leverage_text(BTC, 7)) == json.loads(case("ccxt/set_leverage")["body"])
    theirs = urlsplit(case("pybit/fetch_order_history_by_client_id")["url"]).query
    assert set(theirs.split("&")) <= set(order_text(BTC, ID).split("&"))
    assert urlsplit(case("pybit/fetch_balance")["url"]).query == "accountType=UNIFIED"
    assert balance_text().startswith("accountType=UNIFIED")
    assert "settleCoin=USDT" in positions_text("")
    mine = set(fills_text(BTC, order_id=None, window=None, cursor="").split("&"))
    assert {"category=linear", "symbol=BTCUSDT"} <= mine & set(
        urlsplit(case("pybit/fetch_my_trades")["url"]).query.split("&")
    )


def test_a_client_that_names_the_order_by_another_field_is_not_followed() -> None:
    # PROVENANCE: some clients cancel by `clientOrderId`, which the venue ignores; its field is `orderLinkId`.
    assert "clientOrderId" not in json.loads(cancel_text(BTC, ID))


def test_a_limit_order_without_a_price_cannot_be_written() -> None:
    with pytest.raises(Unreadable):
        place_text(PlaceOrder(BTC, Side.BUY, quantity(1), False, ID, 1, 2, OrderType.LIMIT))


def test_the_login_proves_its_expiry() -> None:
    message = json.loads(login("key", b"secret", 1662350400000))
    proof = hmac.new(b"secret", b"GET/realtime1662350400000", hashlib.sha256).hexdigest()
    assert message == {"op": "auth", "args": ["key", 1662350400000, proof]}


def test_ticker_subscriptions_stay_within_what_one_connection_takes() -> None:
    names = [f"COIN{number}USDT" for number in range(3000)]
    messages = ticker_subscriptions(names)
    topics = [topic for message in messages for topic in json.loads(message)["args"]]
    assert topics == [f"tickers.{name}" for name in names][: len(topics)]
    assert 900 < len(topics) < 3000
    assert sum(map(len, topics)) <= 21_000
