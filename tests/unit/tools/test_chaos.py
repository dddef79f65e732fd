"""The rehearsal's own parts: what it counts, that it repeats, and that its record is whole."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from app.infrastructure.failpoints import Trap
from tools.chaos.cells import WAVE, Cell, applies, waves
from tools.chaos.counts import Counts, duplicates, lost_closes, orphans, total
from tools.chaos.disturbances import ACTS
from tools.chaos.faults import FAULTS, UNIQUENESS, rules_for
from tools.chaos.figures import doubts, figure
from tools.chaos.loops import shorten_waits
from tools.chaos.nursery import ROOT
from tools.chaos.plan import BEYOND, DISTURBANCES, MARKETS, OF_ROLE, Round, in_reach, unplaced
from tools.chaos.points import point_names
from tools.chaos.proxy import cutting
from tools.chaos.record import cells, lacking

ID = "c" + "0" * 24 + "e0"
OTHER = "c" + "1" * 24 + "x1"
POINTS = point_names(ROOT)
PATIENCE_S = 10


def order(cid: str = ID, executed: str = "1", account: str = "f1") -> dict[str, Any]:
    return {"account_id": account, "client_order_id": cid, "executed_quantity": executed}


def ours(cid: str = ID, intent: str = "one", quantity: str = "1") -> dict[str, Any]:
    return {"client_order_id": cid, "intent": intent, "quantity": Decimal(quantity)}


@pytest.mark.parametrize(
    ("orders", "rows", "number"),
    [
        ([order()], [ours()], 0),
        ([order(), order(executed="0")], [ours()], 0),
        ([order(), order()], [ours(quantity="2")], 1),
        ([order(), order(OTHER)], [ours(), ours(OTHER)], 1),
        ([order(executed="0.4"), order(OTHER, "0.6")], [ours(), ours(OTHER)], 0),
        ([order(executed="0.4"), order(OTHER, "0.61")], [ours(), ours(OTHER)], 1),
        ([order(), order()], [ours()], 2),
    ],
)
def test_an_id_that_executed_twice_and_an_intent_beyond_its_quantity_are_duplicates(
    orders: list[dict[str, Any]], rows: list[dict[str, Any]], number: int
) -> None:
    assert len(duplicates(orders, rows)) == number


def test_an_order_of_our_form_without_a_row_is_an_orphan_and_a_strangers_is_not() -> None:
    assert orphans([order(), order(OTHER), order("web-1")], [ours()]) == (OTHER,)


def test_a_position_that_the_leader_has_left_or_turned_is_a_lost_close() -> None:
    rows = [
        {"account_id": "leader", "label": "leader", "symbol": "A", "quantity": "-2"},
        {"account_id": "f1", "label": "f1", "symbol": "A", "quantity": "-1"},
        {"account_id": "f1", "label": "f1", "symbol": "B", "quantity": "0"},
        {"account_id": "f2", "label": "f2", "symbol": "B", "quantity": "3"},
        {"account_id": "f3", "label": "f3", "symbol": "A", "quantity": "1"},
    ]
    assert lost_closes(rows, "leader") == ("f2 holds 3 B", "f3 holds 1 A")


@pytest.mark.parametrize("kind", [one.name for one in fields(Counts)])
def test_one_breach_of_any_kind_is_not_clean(kind: str) -> None:
    found = total([Counts(), Counts(**{kind: ("it",)})])
    assert Counts().is_clean
    assert not found.is_clean
    assert "(it)" in found.sentence()


def test_the_same_seed_and_round_choose_the_same_and_another_round_does_not() -> None:
    def choices(plan: Round) -> list[object]:
        traps = itertools.islice(plan.traps("worker", 1, POINTS), 20)
        return [plan.uniqueness, plan.disturbance, plan.faults, *traps, *itertools.islice(plan.moves(), 20)]

    assert choices(Round(7, 3)) == choices(Round(7, 3))
    assert choices(Round(7, 3)) != choices(Round(7, 4))


def test_every_mode_fault_disturbance_and_point_has_its_turn() -> None:
    rounds = [Round(1, number) for number in range(200)]
    assert {plan.uniqueness for plan in rounds} == set(UNIQUENESS)
    assert {plan.disturbance for plan in rounds} == set(DISTURBANCES) == set(ACTS)
    drawn = {fault.name for plan in rounds for fault in plan.faults}
    assert drawn == {fault.name for fault in FAULTS if fault.promise} - {"none", "stream silent"}
    for role, families in OF_ROLE.items():
        traps = [trap for plan in rounds for trap in itertools.islice(plan.traps(role, 0, POINTS), 20)]
        named = {Trap.read(one).point for trap in traps for one in trap.split("|")}
        assert named == {point for point in POINTS if point.startswith(families)}
        assert all(any(point.startswith(family) for point in POINTS) for family in families)


def test_every_point_is_in_reach_of_a_storm_or_has_a_reason_not_to_be() -> None:
    assert unplaced(POINTS) == []
    assert unplaced([*POINTS, "somebody.new.commit.before"]) == ["somebody.new.commit.before"]
    assert len(in_reach(POINTS)) > 100
    for family in BEYOND:
        assert [point for point in POINTS if point.startswith(family)], "a reason for points that are no more"
        assert not [point for point in in_reach(POINTS) if point.startswith(family)]


def test_the_leader_flips_adds_reduces_and_closes_on_every_market() -> None:
    held: dict[str, Decimal] = dict.fromkeys(MARKETS, Decimal(0))
    seen: set[tuple[str, str]] = set()
    for move in itertools.islice(Round(1, 1).moves(), 500):
        before = held[move.symbol]
        after = before + (move.quantity if move.side == "BUY" else -move.quantity)
        held[move.symbol] = after
        kind = "flip" if before * after < 0 else "close" if not after else "go on" if before else "open"
        seen.add((move.symbol, kind))
        assert move.quantity > 0
        assert move.quantity == move.quantity.quantize(Decimal("0.001"))
    assert seen == set(itertools.product(MARKETS, ("open", "go on", "close", "flip")))


def test_a_wave_stays_below_what_opens_a_circuit_and_what_concerns_all_is_alone() -> None:
    together = list(waves())
    assert [fault for wave in together for fault in wave if fault not in FAULTS] == []
    assert sum(len(wave) for wave in together) == len(FAULTS)
    assert all(len(wave) <= WAVE and (len(wave) == 1 or not any(f.wide for f in wave)) for wave in together)


def test_a_rule_strikes_each_account_as_often_as_it_says_itself_or_as_was_asked() -> None:
    twice = next(fault for fault in FAULTS if fault.name == "stream drop")
    once = next(fault for fault in FAULTS if fault.name == "reset after")
    assert [rule["times"] for rule in rules_for(twice, ("a", "b"), 1)] == [2, 2]
    assert [(rule["times"], rule["account_id"]) for rule in rules_for(once, ("a", "b"), 3)] == [
        (3, "a"),
        (3, "b"),
    ]
    assert applies(once, "cancel")
    assert not applies(twice, "cancel")
    assert applies(twice, "exit")


def test_every_cell_of_the_matrix_is_recorded_and_right() -> None:
    assert lacking() == []
    assert [cell for cell in cells().values() if not cell.is_right] == []


def test_the_99th_percentile_is_that_of_the_nearest_rank() -> None:
    hundred = figure("x", [float(number) for number in range(1, 101)])
    assert (hundred.p50, hundred.p99, hundred.longest) == (50.5, 99.0, 100.0)
    assert figure("x", [3.0]).p99 == 3.0


def test_doubts_are_told_apart_by_whether_it_was_sent_again() -> None:
    def cell(fault: str, attempts: int, seconds: float, leg: str = "entry") -> Cell:
        return Cell(fault, "open", leg, 1, attempts, seconds, equal=True, end="settled")

    made = doubts([cell("reset after", 1, 1.0), cell("reset before", 2, 3.0), cell("none", 1, 9.0)])
    assert [(one.number, one.longest) for one in made] == [(1, 1.0), (1, 3.0)]
    assert doubts([cell("reset after", 1, 1.0, leg="cancel")]) == []


def test_a_wait_that_the_program_no_longer_has_cannot_be_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.application.trading import recover

    monkeypatch.delattr(recover, "_HIDE")
    with pytest.raises(AttributeError, match="has no _HIDE any more"):
        shorten_waits()


@pytest.mark.parametrize("seed", range(4))
async def test_a_cut_commit_is_either_heard_or_not_and_never_answered(seed: int) -> None:
    heard: list[bytes] = []

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(1000):
            heard.append(part)
            writer.write(b"done")
        writer.close()

    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with cutting(f"postgresql://u@127.0.0.1:{port}/d", random.Random(seed)) as (address, cutter):
        cutter._share = 1.0
        assert address.startswith("postgresql://u@127.0.0.1:")
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(address.rsplit(":", 1)[1].split("/")[0])
        )
        async with asyncio.timeout(PATIENCE_S):
            writer.write(b"BEGIN;\x00")
            assert await reader.read(100) == b"done"
            writer.write(b"COMMIT;\x00")
            try:
                answer = await reader.read(100)
            except ConnectionError:
                answer = b""
        writer.transport.abort()
        assert answer == b""
        assert len(heard) == 1 + cutter.cut["after"]
        assert sum(cutter.cut.values()) == 1
    listening.close()
