"""Protections on the wire of each market: what is sent, what the venue's words mean, and what is none of ours."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchanges.outcomes import DefiniteNo, Duplicate, RefusalKind, Unknown
from app.domain.exchanges.ports import OrderUpdate, ProtectionUpdate
from app.domain.exchanges.protection import Protected
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.market import Instrument, Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.binance.dialects import DIALECTS, Protections
from app.infrastructure.exchanges.binance.wire import algo, spot_orders
from app.infrastructure.exchanges.binance.wire.events import read_events
from app.infrastructure.exchanges.binance.wire.spot_events import read_spot_events
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    ALGO,
    BTC,
    COIN,
    COIN_ALGO,
    COIN_NAMES,
    COIN_ORDER,
    ID,
    NAMES,
    ORDER,
    SPOT,
    SPOT_ORDER,
    SPOT_WAITING,
    changed,
    order_event,
    raw,
    spot_event,
    stop,
)

STATUS = ProtectionStatus
ROWS: dict[Venue, tuple[Instrument, str, dict[str, Any]]] = {
    Venue.BINANCE_USDM: (BTC, "0.01", ALGO),
    Venue.BINANCE_COINM: (COIN, "700", COIN_ALGO),
    Venue.BINANCE_SPOT: (SPOT, "0.01", SPOT_WAITING),
}


def words(venue: Venue) -> Protections:
    return DIALECTS[venue].protections


def said(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split("&"))


def test_a_stop_at_usdm_goes_to_the_algo_service_by_mark_price() -> None:
    assert said(algo.protect_text(stop(BTC, "0.010"))) == {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01",
        "triggerPrice": "60000", "workingType": "MARK_PRICE", "clientAlgoId": ID, "reduceOnly": "true",
        "recvWindow": "5000", "timestamp": "1700000000000",
    }  # fmt: skip


def test_a_stop_at_coinm_counts_contracts() -> None:
    text = said(algo.protect_text(stop(COIN, "700")))
    assert (text["symbol"], text["quantity"], text["workingType"]) == ("BTCUSD_PERP", "7", "MARK_PRICE")


def test_a_stop_at_spot_is_a_stop_loss_without_flags() -> None:
    text = said(spot_orders.protect_text(stop(SPOT, "0.01")))
    assert (text["type"], text["stopPrice"], text["newOrderRespType"]) == ("STOP_LOSS", "60000", "ACK")
    assert text.keys() & {"reduceOnly", "positionSide", "workingType"} == set()


@pytest.mark.parametrize(("side", "leg"), [(Side.SELL, "LONG"), (Side.BUY, "SHORT")])
def test_in_hedge_mode_a_protection_names_the_position_that_it_guards(side: Side, leg: str) -> None:
    text = said(algo.protect_text(stop(BTC, "1", PositionMode.HEDGE, side)))
    assert (text["positionSide"], "reduceOnly" in text) == (leg, False)


@pytest.mark.parametrize("venue", list(ROWS))
def test_a_waiting_protection_is_read_in_our_units(venue: Venue) -> None:
    instrument, size, row = ROWS[venue]
    found = words(venue).read(instrument, ID, raw(row))
    assert (found.venue, found.symbol, found.client_order_id) == (venue, instrument.symbol, ID)
    assert (found.kind, found.side, found.status) == (TriggerKind.STOP_LOSS, Side.SELL, STATUS.RESTING)
    assert (found.trigger, found.quantity, found.order_id) == (price(60000), quantity(size), None)
    with pytest.raises(Unreadable):
        words(venue).read(instrument, type(ID)("another"), raw(row))


@pytest.mark.parametrize("venue", list(ROWS))
def test_a_reply_that_proves_the_protection_is_protected_and_another_is_unknown(venue: Venue) -> None:
    instrument, size, row = ROWS[venue]
    row = {**row, "transactTime": 1} if venue is Venue.BINANCE_SPOT else row
    asked = stop(instrument, size)
    got = words(venue).outcome(asked, 200, raw(row), None)
    assert isinstance(got, Protected)
    assert got.report.status is STATUS.RESTING
    name = "clientOrderId" if venue is Venue.BINANCE_SPOT else "clientAlgoId"
    for body in (changed(row, **{name: "other"}), changed(row, symbol="ETHUSDT"), b"", b"{}", b"[]"):
        assert isinstance(words(venue).outcome(asked, 200, body, None), Unknown)


@pytest.mark.parametrize("venue", list(ROWS))
def test_a_trigger_that_the_price_has_passed_is_told_apart(venue: Venue) -> None:
    instrument, size, _ = ROWS[venue]
    code, text = (
        (-2010, "Order would trigger immediately.") if venue is Venue.BINANCE_SPOT else (-2021, "words")
    )
    got = words(venue).outcome(stop(instrument, size), 400, raw({"code": code, "msg": text}), None)
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.WOULD_TRIGGER
    twice = (
        {"code": -2010, "msg": "Duplicate order sent."} if venue is Venue.BINANCE_SPOT else {"code": -4116}
    )
    assert isinstance(words(venue).outcome(stop(instrument, size), 400, raw(twice), None), Duplicate)
    assert isinstance(words(venue).outcome(stop(instrument, size), 503, raw({"code": code}), None), Unknown)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", STATUS.RESTING), ("TRIGGERING", STATUS.TRIGGERED), ("TRIGGERED", STATUS.TRIGGERED),
        ("FINISHED", STATUS.TRIGGERED), ("CANCELED", STATUS.CANCELED), ("EXPIRED", STATUS.EXPIRED),
        ("REJECTED", STATUS.REJECTED),
    ],
)  # fmt: skip
def test_the_algo_service_has_seven_words(word: str, status: ProtectionStatus) -> None:
    found = algo.read_protection(BTC, ID, changed(ALGO, algoStatus=word, actualOrderId="77"))
    assert (found.status, found.order_id) == (status, "77")


@pytest.mark.parametrize(
    ("change", "status", "order_id"),
    [
        ({}, STATUS.RESTING, None),
        ({"status": "FILLED", "executedQty": "0.01"}, STATUS.TRIGGERED, "31"),
        ({"status": "EXPIRED", "executedQty": "0.005"}, STATUS.TRIGGERED, "31"),
        ({"status": "CANCELED"}, STATUS.CANCELED, None),
        ({"status": "EXPIRED"}, STATUS.EXPIRED, None),
        ({"status": "REJECTED"}, STATUS.REJECTED, None),
    ],
)
def test_a_spot_stop_keeps_its_number(
    change: dict[str, object], status: ProtectionStatus, order_id: str | None
) -> None:
    found = spot_orders.read_protection(SPOT, ID, changed(SPOT_WAITING, **change))
    assert (found.status, found.order_id, found.protection_id) == (status, order_id, "31")


@pytest.mark.parametrize(
    "change",
    [
        {"algoStatus": "?"}, {"side": "HOLD"}, {"orderType": "TRAILING_STOP_MARKET"}, {"triggerPrice": "0"},
        {"triggerPrice": "NaN"}, {"quantity": "-1"}, {"algoId": 0}, {"actualOrderId": "x"}, {"updateTime": -1},
    ],
)  # fmt: skip
def test_a_contradictory_protection_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        algo.read_protection(BTC, ID, changed(ALGO, **change))


def test_only_protections_are_listed_as_such() -> None:
    rows = [
        ALGO, {**ALGO, "symbol": "NEWUSDT"}, {**ALGO, "reduceOnly": False}, {**ALGO, "orderType": "TRAILING_STOP_MARKET"},
        {**ALGO, "reduceOnly": False, "closePosition": True, "quantity": "0"},
        {**ALGO, "reduceOnly": False, "positionSide": "LONG"}, {**ALGO, "orderType": "STOP"},
    ]  # fmt: skip
    assert len(algo.read_open(raw(rows), NAMES, Venue.BINANCE_USDM)) == 3
    (coin,) = algo.read_open(raw([COIN_ALGO, {**COIN_ALGO, "symbol": "X"}]), COIN_NAMES, Venue.BINANCE_COINM)
    assert (coin.venue, coin.quantity) == (Venue.BINANCE_COINM, quantity(700))
    spot = [SPOT_WAITING, {**SPOT_WAITING, "type": "LIMIT"}, {**SPOT_WAITING, "type": "STOP_LOSS_LIMIT"}]
    assert len(spot_orders.read_open(raw(spot), NAMES)) == 1


@pytest.mark.parametrize("venue", list(ROWS))
def test_what_waits_for_a_price_is_no_resting_order(venue: Venue) -> None:
    base = {Venue.BINANCE_USDM: ORDER, Venue.BINANCE_COINM: COIN_ORDER, Venue.BINANCE_SPOT: SPOT_ORDER}[venue]
    names = COIN_NAMES if venue is Venue.BINANCE_COINM else NAMES
    assert DIALECTS[venue].read_orders(raw([{**base, "type": "STOP_MARKET"}]), names) == []
    assert DIALECTS[venue].read_orders(raw([{**base, "type": "STOP_LOSS"}]), names) == []
    assert len(DIALECTS[venue].read_orders(raw([{**base, "type": "LIMIT"}]), names)) == 1


def algo_event(**change: object) -> bytes:
    row = {
        "caid": ID, "aid": 7, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL", "ps": "BOTH",
        "q": "0.01", "X": "NEW", "ai": "", "tp": "60000", "R": True, "cp": False,
    }  # fmt: skip
    return raw({"e": "ALGO_UPDATE", "T": 5, "E": 5, "o": {**row, **change}})


def test_the_algo_services_events_tell_protections() -> None:
    (event,) = read_events(algo_event(X="FINISHED", ai="77"), NAMES, {}, Venue.BINANCE_USDM, "USDT")
    assert isinstance(event, ProtectionUpdate)
    assert (event.report.status, event.report.order_id, event.report.protection_id) == (
        STATUS.TRIGGERED,
        "77",
        "7",
    )
    for other in ({"s": "NEWUSDT"}, {"o": "TRAILING_STOP_MARKET"}, {"R": False}):
        assert read_events(algo_event(**other), NAMES, {}, Venue.BINANCE_USDM, "USDT") == []


def test_a_coin_m_algo_event_is_told_in_face_value() -> None:
    (event,) = read_events(algo_event(s="BTCUSD_PERP", q="7"), COIN_NAMES, {}, Venue.BINANCE_COINM, None)
    assert isinstance(event, ProtectionUpdate)
    assert (event.report.venue, event.report.quantity) == (Venue.BINANCE_COINM, quantity(700))


def test_an_order_event_of_what_waits_is_left_to_the_algo_service_and_its_execution_is_a_fill() -> None:
    waiting = order_event(o="STOP_MARKET", x="NEW", X="NEW", z="0", l="0", t=0)
    assert read_events(waiting, NAMES, {}, Venue.BINANCE_USDM, "USDT") == []
    (told,) = read_events(order_event(o="STOP_MARKET"), NAMES, {}, Venue.BINANCE_USDM, "USDT")
    assert isinstance(told, OrderUpdate)
    assert told.fill is not None


def test_a_spot_stop_is_told_when_it_rests_and_when_it_sells() -> None:
    row = {"o": "STOP_LOSS", "S": "SELL", "P": "60000", "q": "1"}
    (resting,) = read_spot_events(spot_event(**row, x="NEW", X="NEW", z="0", l="0", Z="0", t=-1), NAMES, {})
    assert isinstance(resting, ProtectionUpdate)
    assert resting.report.status is STATUS.RESTING
    told = read_spot_events(spot_event(**row, X="FILLED", N="USDT"), NAMES, {})
    assert [type(event) for event in told] == [ProtectionUpdate, OrderUpdate]
    assert isinstance(told[0], ProtectionUpdate)
    assert told[0].report.status is STATUS.TRIGGERED
