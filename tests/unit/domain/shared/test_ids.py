from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Leg
from app.domain.shared.ids import (
    ATTEMPTS_MAX,
    FollowId,
    SignalId,
    WhaleId,
    client_order_id,
    derived_uuid,
    leader_signal_id,
    requested_signal_id,
    stream_key,
)
from app.domain.shared.market import Venue
from tests.unit.domain.builders import BTC, ETH, PROPERTY

SECRET = b"an example key"
SIGNAL = SignalId(UUID("6f1c2f6e-9d0b-8a51-b7d2-0c4b8a2f9e10"))
SHAPE = re.compile(r"c[0-9a-z]{24}[ex][0-9a-z]")


@PROPERTY
@given(st.uuids(), st.integers(0, 2**63 - 1), st.sampled_from(Leg), st.integers(0, ATTEMPTS_MAX - 1))
def test_a_client_order_id_is_a_function_of_what_it_names_and_fits_every_venue(
    signal: UUID, follow: int, leg: Leg, attempt: int
) -> None:
    name = client_order_id(SECRET, SignalId(signal), FollowId(follow), leg, attempt)
    assert SHAPE.fullmatch(name)
    assert len(name) == 27
    assert name == client_order_id(SECRET, SignalId(signal), FollowId(follow), leg, attempt)


def test_no_two_attempts_share_a_client_order_id() -> None:
    signals = [SignalId(UUID(int=number)) for number in range(10)]
    names = {
        client_order_id(SECRET, signal, FollowId(follow), leg, attempt)
        for signal in signals
        for follow in range(300)
        for leg in Leg
        for attempt in (0, 1, ATTEMPTS_MAX - 1)
    }
    assert len(names) == len(signals) * 300 * len(Leg) * 3
    digests = {name[1:25] for name in names}
    assert len(digests) == len(names), "leg and attempt are part of the digest, not only of the suffix"


def test_a_person_can_read_leg_and_attempt_off_a_client_order_id() -> None:
    entry = client_order_id(SECRET, SIGNAL, FollowId(1), Leg.ENTRY, 0)
    leave = client_order_id(SECRET, SIGNAL, FollowId(1), Leg.EXIT, 35)
    assert entry.endswith("e0")
    assert leave.endswith("xz")


def test_two_deployments_on_one_exchange_account_use_different_ids() -> None:
    ours = client_order_id(b"one", SIGNAL, FollowId(1), Leg.ENTRY, 0)
    theirs = client_order_id(b"two", SIGNAL, FollowId(1), Leg.ENTRY, 0)
    assert ours != theirs


@pytest.mark.parametrize("attempt", [-1, ATTEMPTS_MAX, 100_000])
def test_an_attempt_out_of_range_is_refused(attempt: int) -> None:
    with pytest.raises(InvalidValue):
        client_order_id(SECRET, SIGNAL, FollowId(1), Leg.ENTRY, attempt)


def test_the_same_leader_fill_is_the_same_signal_and_every_part_tells_signals_apart() -> None:
    named = leader_signal_id(WhaleId(1), BTC, "555", 0)
    assert named == leader_signal_id(WhaleId(1), BTC, "555", 0)
    others = {
        leader_signal_id(WhaleId(2), BTC, "555", 0),
        leader_signal_id(WhaleId(1), ETH, "555", 0),
        leader_signal_id(WhaleId(1), BTC, "556", 0),
        leader_signal_id(WhaleId(1), BTC, "555", 1),
        requested_signal_id("1", "555"),
    }
    assert len(others | {named}) == 6


def test_an_idempotency_key_belongs_to_its_requester() -> None:
    assert requested_signal_id("alice", "k") == requested_signal_id("alice", "k")
    assert requested_signal_id("alice", "k") != requested_signal_id("bob", "k")
    assert requested_signal_id("ab", "c") != requested_signal_id("a", "bc")


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_a_derived_id_is_a_well_formed_uuid_and_its_purpose_matters(left: str, right: str) -> None:
    made = derived_uuid("one", left, right)
    assert made.version == 8
    assert made == derived_uuid("one", left, right)
    assert made != derived_uuid("two", left, right)


def test_a_line_is_one_whale_on_one_market() -> None:
    assert stream_key(WhaleId(3), Venue.BINANCE_USDM, BTC) == "3:binance-usdm:BTC-USDT"
