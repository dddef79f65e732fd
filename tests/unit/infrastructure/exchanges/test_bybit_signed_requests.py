"""Requests that other people's clients signed for Bybit, signed again; and our own requests against theirs."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import MarginMode, OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.bybit.wire.fills import fills_text
from app.infrastructure.exchanges.bybit.wire.market import ticker_subscriptions, tickers_path
from app.infrastructure.exchanges.bybit.wire.modes import (
    leverage_text,
    margin_mode_text,
    position_mode_text,
)
from app.infrastructure.exchanges.bybit.wire.orders import (
    cancel_text,
    open_orders_text,
    order_text,
    place_text,
)
from app.infrastructure.exchanges.bybit.wire.positions import position_text, positions_text
from app.infrastructure.exchanges.bybit.wire.protections import cancel_protection_text, protect_text
from app.infrastructure.exchanges.bybit.wire.signing import signature, signed_headers
from app.infrastructure.exchanges.bybit.wire.socket import login
from app.infrastructure.exchanges.bybit.wire.wallets import balance_text
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import INVERSE, LINEAR, SPOT, instrument, load

LINEAR_BTC = instrument(Venue.BYBIT_LINEAR)
SPOT_BTC = instrument(Venue.BYBIT_SPOT)
INVERSE_BTC = instrument(Venue.BYBIT_INVERSE)
ID = ClientOrderId("cp1-f-00000001")
NOW = 1763800000123
MARKET = PlaceOrder(LINEAR_BTC, Side.BUY, quantity("0.010"), False, ID, NOW, 5000)
LIMIT = PlaceOrder(
    LINEAR_BTC, Side.BUY, quantity("0.01"), False, ID, NOW, 5000, OrderType.LIMIT, price("87000.0")
)
EXIT = PlaceOrder(
    LINEAR_BTC, Side.SELL, quantity("0.01"), True, ID, NOW, 5000, OrderType.LIMIT, price("86500"), TimeInForce.IOC
)  # fmt: skip
QUIRKS = {
    # PROVENANCE: this client attaches stop-loss and take-profit to the entry; ours rest by themselves, with own ids.
    "pybit/create_market_with_tp_sl",
    # It sets a leverage in the same call, which the venue's margin mode does not take.
    "ccxt/set_margin_mode_isolated",
    # We cancel one order at a time, by our own id.
    "ccxt/cancel_all_orders",
}


def case(name: str) -> Any:
    return next(row for row in load("signed_requests/bybit.json")["cases"] if row["id"] == f"bybit/{name}")


def query(name: str) -> set[str]:
    return set(urlsplit(case(name)["url"]).query.split("&"))


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
    ("order", "name", "implied"),
    [
        (MARKET, "ccxt/create_market_buy", {}),
        (EXIT, "ccxt/create_limit_ioc_reduce_only", {}),
        (LIMIT, "pybit/create_limit_buy", {}),
        (LIMIT, "ccxt/create_limit_buy", {"timeInForce": "GTC"}),  # the venue's default, which we say
    ],
)  # fmt: skip
def test_an_order_says_exactly_what_other_clients_say(
    order: PlaceOrder, name: str, implied: dict[str, str]
) -> None:
    theirs = case(name)
    assert (theirs["method"], urlsplit(theirs["url"]).path) == ("POST", "/v5/order/create")
    assert json.loads(place_text(order)) == json.loads(theirs["body"]) | implied


@pytest.mark.parametrize(
    ("kind", "trigger", "name"),
    [
        (TriggerKind.STOP_LOSS, "84000", "ccxt/create_stop_loss_market"),
        (TriggerKind.TAKE_PROFIT, "95000", "ccxt/create_take_profit_market"),
    ],
)
def test_a_protection_says_what_other_clients_say_and_that_it_watches_the_mark(
    kind: TriggerKind, trigger: str, name: str
) -> None:
    wanted = PlaceProtection(LINEAR_BTC, Side.SELL, kind, price(trigger), quantity("0.01"), ID, NOW, 5000)
    # Theirs leaves the venue's defaults: the last price, and no precedence over other orders' margin.
    ours = {"triggerBy": "MarkPrice", "closeOnTrigger": True}
    assert json.loads(protect_text(wanted)) == json.loads(case(name)["body"]) | ours


def test_reads_say_what_other_clients_say() -> None:
    assert query("pybit/fetch_order_history_by_client_id") <= set(order_text(LINEAR_BTC, ID).split("&"))
    assert query("ccxt/fetch_open_orders") <= set(open_orders_text(LINEAR, LINEAR_BTC, "").split("&"))
    assert urlsplit(case("pybit/fetch_balance")["url"]).query == balance_text(None)
    assert query("pybit/fetch_positions") == set(position_text(LINEAR, "BTCUSDT").split("&"))
    assert query("ccxt/fetch_positions") - {"symbol=BTCUSDT"} <= set(positions_text(LINEAR, "").split("&"))
    ours = set(fills_text(LINEAR_BTC, order_id=None, window=None, cursor="").split("&"))
    assert query("pybit/fetch_my_trades") - {"limit=50"} <= ours  # ours are pages of a hundred
    theirs = urlsplit(case("ccxt/fetch_ticker")["url"])
    assert tickers_path(LINEAR).startswith(theirs.path)


def test_changes_say_what_other_clients_say() -> None:
    assert json.loads(cancel_text(LINEAR_BTC, ID)) == json.loads(
        case("pybit/cancel_order_by_client_id")["body"]
    )
    assert json.loads(leverage_text(LINEAR_BTC, 7)) == json.loads(case("ccxt/set_leverage")["body"])
    mode = json.loads(case("ccxt/set_margin_mode_isolated")["body"])["setMarginMode"]
    assert json.loads(margin_mode_text(MarginMode.ISOLATED)) == {"setMarginMode": mode}
    theirs = json.loads(case("pybit/set_position_mode_hedged")["body"])
    ours = json.loads(position_mode_text(LINEAR, PositionMode.HEDGE))
    # Theirs names one contract; ours every contract that settles in the coin.
    assert ours == {**{name: theirs[name] for name in ("category", "mode")}, "coin": "USDT"}


def test_every_case_of_other_clients_is_compared_or_named_as_a_quirk() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    names = {row["id"].removeprefix("bybit/") for row in load("signed_requests/bybit.json")["cases"]}
    assert {name for name in names if f'"{name}"' not in text} == set()
    assert names >= QUIRKS


def test_a_client_that_names_the_order_by_another_field_is_not_followed() -> None:
    # PROVENANCE: some clients cancel by `clientOrderId`, which the venue ignores; its field is `orderLinkId`.
    assert "clientOrderId" not in json.loads(cancel_text(LINEAR_BTC, ID))


def test_a_limit_order_without_a_price_cannot_be_written() -> None:
    with pytest.raises(Unreadable):
        place_text(PlaceOrder(LINEAR_BTC, Side.BUY, quantity(1), False, ID, 1, 2, OrderType.LIMIT))


def test_at_spot_an_order_is_for_coins_and_knows_no_reduce_only() -> None:
    body = json.loads(place_text(PlaceOrder(SPOT_BTC, Side.BUY, quantity("0.01"), False, ID, NOW, 5000)))
    assert (body["category"], body["marketUnit"], body["qty"]) == ("spot", "baseCoin", "0.01")
    sale = PlaceOrder(
        SPOT_BTC, Side.SELL, quantity("0.01"), True, ID, NOW, 5000, OrderType.LIMIT, price(9), position_mode=PositionMode.HEDGE
    )  # fmt: skip
    assert not {"reduceOnly", "positionIdx", "marketUnit"} & set(json.loads(place_text(sale)))


def test_a_spot_protection_locks_its_coins_and_is_cancelled_where_it_is() -> None:
    wanted = PlaceProtection(
        SPOT_BTC, Side.SELL, TriggerKind.STOP_LOSS, price(9), quantity("0.01"), ID, NOW, 5000
    )
    body = json.loads(protect_text(wanted))
    assert (body["orderFilter"], body["marketUnit"], body["triggerPrice"]) == ("tpslOrder", "baseCoin", "9")
    assert not {"reduceOnly", "closeOnTrigger", "triggerDirection", "triggerBy"} & set(body)
    assert json.loads(cancel_protection_text(SPOT_BTC, ID))["orderFilter"] == "tpslOrder"
    assert "orderFilter" not in json.loads(cancel_protection_text(INVERSE_BTC, ID))


@pytest.mark.parametrize(
    ("side", "reduces", "index"),
    [(Side.BUY, False, 1), (Side.SELL, True, 1), (Side.SELL, False, 2), (Side.BUY, True, 2)],
)
def test_in_hedge_mode_the_side_says_which_position_is_meant(side: Side, reduces: bool, index: int) -> None:
    hedged = PlaceOrder(
        LINEAR_BTC, side, quantity(1), reduces, ID, NOW, 5000, position_mode=PositionMode.HEDGE
    )
    assert json.loads(place_text(hedged))["positionIdx"] == index
    if reduces:
        protection = PlaceProtection(
            LINEAR_BTC, side, TriggerKind.STOP_LOSS, price(9), quantity(1), ID, NOW, 5000, PositionMode.HEDGE
        )
        assert json.loads(protect_text(protection))["positionIdx"] == index


@pytest.mark.parametrize("kind", list(TriggerKind))
@pytest.mark.parametrize("side", list(Side))
def test_the_direction_of_a_trigger_follows_kind_and_side(kind: TriggerKind, side: Side) -> None:
    wanted = PlaceProtection(LINEAR_BTC, side, kind, price(9), quantity(1), ID, NOW, 5000)
    rises = json.loads(protect_text(wanted))["triggerDirection"] == 1
    assert rises == ((kind is TriggerKind.STOP_LOSS) == (side is Side.BUY))


def test_everything_of_ours_is_asked_for_as_each_category_wants_it() -> None:
    assert open_orders_text(LINEAR, None, "").startswith("category=linear&settleCoin=USDT&")
    assert open_orders_text(SPOT, None, "x").startswith("category=spot&openOnly=0&")
    assert positions_text(INVERSE, "") == "category=inverse&limit=200"
    assert json.loads(cancel_text(INVERSE_BTC, ID))["category"] == "inverse"


def test_the_login_proves_its_expiry() -> None:
    message = json.loads(login("key", b"secret", 1662350400000))
    proof = hmac.new(b"secret", b"GET/realtime1662350400000", hashlib.sha256).hexdigest()
    assert message == {"op": "auth", "args": ["key", 1662350400000, proof]}


@pytest.mark.parametrize("at_once", [10, 100])
def test_ticker_subscriptions_stay_within_what_one_connection_takes(at_once: int) -> None:
    names = [f"COIN{number}USDT" for number in range(3000)]
    messages = [json.loads(text)["args"] for text in ticker_subscriptions(names, at_once)]
    topics = [topic for message in messages for topic in message]
    assert topics == [f"tickers.{name}" for name in names][: len(topics)]
    assert 900 < len(topics) < 3000
    assert sum(map(len, topics)) <= 21_000
    assert max(map(len, messages)) == at_once
