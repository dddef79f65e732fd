"""The library, steered: loaded late, kept small, and without a say in what is sent or how we round."""

from __future__ import annotations

import decimal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.ids import AccountId
from app.domain.shared.market import MarketKind, Symbol, Venue
from app.infrastructure.exchanges.generic import library
from app.infrastructure.exchanges.generic.calls import Call, Unheard, during, signing_ms
from app.infrastructure.exchanges.generic.library import Library, steered_class
from app.infrastructure.exchanges.generic.recipe import Recipe, enveloped
from app.infrastructure.exchanges.generic.recipes import RECIPES, htx_number
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.registry import VENUES
from app.infrastructure.exchanges.settings import VenueSettings
from tests.unit.infrastructure.exchanges.generic.canned import CID, LISTINGS, NOW_MS, Canned, world
from tests.unit.infrastructure.exchanges.generic.test_generic_orders import CREATE, GATE_ORDER

GATE = Venue.CCXT_GATE
every_venue = pytest.mark.parametrize("venue", list(RECIPES), ids=lambda venue: venue.value)


def test_the_registry_does_not_import_the_library() -> None:
    code = "import sys, app.infrastructure.exchanges.registry; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_each_recipe_has_its_row_and_its_promises() -> None:
    for venue, recipe in RECIPES.items():
        can = CAPABILITIES[venue]
        assert venue in VENUES
        assert venue.value == f"ccxt-{recipe.library_id}"
        assert (can.kind, can.collateral, can.hedges) == (MarketKind.LINEAR, recipe.quote, recipe.hedges)
        assert not can.protects
        assert recipe.look_up is not None or not can.finds_by_client_id
        assert not recipe.unknown & recipe.kinds.keys()


def test_hyperliquid_is_refused_for_its_fee_approvals() -> None:
    with pytest.raises(ValueError, match="hyperliquid"):
        steered_class(Recipe("hyperliquid"))


@every_venue
async def test_a_listing_is_read_without_a_key(venue: Venue) -> None:
    made = await world(venue)
    order = await made.order()
    assert order.instrument.symbol == f"BTC-{CAPABILITIES[venue].collateral}"
    assert order.instrument.settle == CAPABILITIES[venue].collateral
    assert len(made.transport.sent) == 1
    assert "the-key" not in made.transport.sent[0].said
    kinds = {type(part) for part in (order.instrument.step, order.instrument.tick)}
    assert kinds == {Decimal}


async def test_the_library_does_not_change_how_we_round() -> None:
    made = await world(GATE)
    before = decimal.getcontext().copy()
    made.transport.answers[CREATE[GATE]] = (200, GATE_ORDER)
    await made.gateway.place(await made.order(limit="63000.1"))
    after = decimal.getcontext()
    assert (after.rounding, after.traps, after.prec) == (before.rounding, before.traps, before.prec)


def test_the_library_would_change_it() -> None:
    with decimal.localcontext() as context:
        library.library().Exchange().decimal_to_precision("1.23", 0, 1, 2)
        changed = context.rounding
    assert changed == decimal.ROUND_HALF_UP


async def test_a_call_is_signed_with_its_own_timestamp_and_none_outlives_it() -> None:
    call = Call(Canned(), "", 5, 1.0)
    with during(call):
        assert signing_ms() == 5
    assert signing_ms() > NOW_MS - 10**12


async def test_objects_of_accounts_are_bounded_and_made_anew_for_a_new_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "_KEPT", 2)
    kept = Library(RECIPES[GATE], Canned(dict(LISTINGS[GATE])), VenueSettings("", ""))
    key = OpenKey({}, b"secret", b"sealed", "name", "")
    clients = [await kept.client(AccountId(number), key) for number in (1, 2, 3)]
    assert kept.kept == 2
    assert await kept.client(AccountId(3), key) is clients[2]
    assert await kept.client(AccountId(1), key) is not clients[0]
    assert await kept.client(AccountId(1), replace(key, sealed=b"new", secret=b"new")) is not clients[0]
    assert clients[0].markets is clients[2].markets
    assert all(client.session is None for client in clients)


async def test_a_new_listing_reaches_objects_that_are_kept() -> None:
    made = await world(GATE)
    await made.order()
    key = OpenKey({}, b"secret", b"", "name", "")
    client = await made.library.client(AccountId(1), key)
    old = client.markets
    await made.shared.instruments.refresh()
    again = await made.library.client(AccountId(1), key)
    assert again is client
    assert again.markets is not old


async def test_one_order_may_change_something_once() -> None:
    canned = Canned({"POST /a": (200, {})})
    call = Call(canned, "", 1, 1.0, once=True)
    await call.send("GET", "https://x/a", {}, None)
    await call.send("POST", "https://x/a", {}, "{}")
    with pytest.raises(Unheard):
        await call.send("POST", "https://x/a", {}, "{}")
    assert len(canned.changes) == 1


async def test_another_address_is_asked_but_the_library_sees_the_exchanges_own() -> None:
    canned = Canned()
    call = Call(canned, "http://127.0.0.1:9", 1, 1.0)
    await call.send("GET", "https://fapi.binance.com/fapi/v1/x?a=%2F", {}, None)
    assert canned.sent[0].url == "http://127.0.0.1:9/fapi/v1/x?a=%2F"
    made = steered_class(Recipe("binanceusdm"))({})
    refused = {"code": -2019, "msg": "Margin is insufficient."}
    call = Call(Canned({"POST /fapi/v1/order": (400, refused)}), "http://127.0.0.1:9", 1, 1.0)
    with during(call), pytest.raises(library.library().InsufficientFunds):
        await made.fetch("https://fapi.binance.com/fapi/v1/order", "POST", {}, "")


def test_our_id_as_a_number_survives_a_float() -> None:
    number = htx_number(CID)
    assert int(float(number)) == int(number)
    assert htx_number("c1") != number


@pytest.mark.parametrize(
    ("payload", "speaks"), [({"a": 1, "b": 2}, True), ({"a": 1}, False), ([], False), ({}, False)]
)
def test_an_envelope_must_be_whole(payload: object, speaks: bool) -> None:
    assert enveloped("a", "b")(payload) is speaks


def test_symbols_are_ours() -> None:
    assert Recipe("x").unified("BTC") == "BTC/USDT:USDT"
    assert Symbol("BTC-USDT") == "BTC-USDT"
