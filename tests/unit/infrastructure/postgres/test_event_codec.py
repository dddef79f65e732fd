"""Every event survives its payload, and what cannot be read is told by a code."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import ClassVar, get_type_hints
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.domain
from app.domain.shared.events import Event
from app.domain.shared.ids import FollowId, SignalId
from app.domain.shared.money import Quantity
from app.domain.trading.events import OrdersRefused
from app.domain.users.events import FollowPaused
from app.infrastructure.postgres.event_codec import EVENTS, UndecodableEvent, decode, encode
from tests.unit.infrastructure.postgres.aggregates import TIMES

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)  # as every amount of the domain


def subclasses(kind: type[Event]) -> Iterator[type[Event]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_event_of_the_domain_is_known() -> None:
    for module in pkgutil.walk_packages(app.domain.__path__, "app.domain."):
        import_module(module.name)
    assert {kind.name for kind in subclasses(Event) if kind.__module__.startswith("app.")} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
def test_an_event_survives_its_payload(name: str, data: st.DataObject) -> None:
    kinds = get_type_hints(EVENTS[name])
    amounts = {field: AMOUNTS for field, kind in kinds.items() if kind in (Decimal, Quantity)}
    event = data.draw(st.builds(EVENTS[name], at=TIMES, **amounts))
    payload = json.loads(json.dumps(encode(event)))
    assert decode(name, payload) == event


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("follow.vanished", {}),
        ("follow.paused", {"at": NOW.isoformat()}),
        ("follow.paused", {"at": NOW.isoformat(), "follow_id": 1, "more": 2}),
        ("follow.paused", {"at": NOW.isoformat(), "follow_id": "1"}),
        ("follow.paused", {"at": NOW.isoformat(), "follow_id": True}),
        ("follow.paused", {"at": "yesterday", "follow_id": 1}),
        ("follow.paused", {"at": 5, "follow_id": 1}),
        ("orders.refused", {"at": NOW.isoformat(), "signal_id": "x", "follow_ids": [1]}),
        ("orders.refused", {"at": NOW.isoformat(), "signal_id": str(uuid4()), "follow_ids": 1}),
        ("orders.refused", {"at": NOW.isoformat(), "signal_id": str(uuid4()), "follow_ids": ["1"]}),
    ],
)
def test_what_this_version_cannot_read_is_undecodable(name: str, payload: dict[str, object]) -> None:
    with pytest.raises(UndecodableEvent):
        decode(name, payload)


def test_the_payload_is_plain_json() -> None:
    signal = SignalId(uuid4())
    event = OrdersRefused(at=NOW, signal_id=signal, follow_ids=(FollowId(1), FollowId(2)))
    assert encode(event) == {
        "at": "2026-01-05T12:00:00+00:00",
        "signal_id": str(signal),
        "follow_ids": [1, 2],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray(Event):
    name: ClassVar[str] = "follow.paused"
    follow_id: Decimal


def test_an_event_that_is_not_registered_is_refused_before_it_is_stored() -> None:
    with pytest.raises(TypeError):
        encode(Stray(at=NOW, follow_id=Decimal(1)))
    with pytest.raises(TypeError):
        encode(FollowPaused(at=NOW, follow_id=1.5))  # type: ignore[arg-type]  # the wrong type is the point
