"""docs/reference/fault-matrix.md: every fault at every kind of order in every mode, and what the recorded runs came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tools.chaos.cells import LEGS, Cell, applies
from tools.chaos.faults import FAULTS, UNIQUENESS, Fault
from tools.chaos.figures import Figure, doubts
from tools.chaos.record import cells, recorded
from tools.docs.markdown import page, table

_OPENING: Final = """Faults of an exchange are rehearsed against the real programs, a real PostgreSQL and Valkey and the simulated exchange over
HTTP ([how to rehearse](../how-to/rehearse-faults.md)). The tables are what the recorded runs came to, written by
`python -m tools.chaos --matrix --record`, not what is hoped for."""

_READING: Final = """Each cell says how many orders the exchange executed for the one intent, after how many attempts, and how long it took
from the leader's trade to the settled one: `1 / 2 / 3.1 s` is one order, on the second attempt, after 3.1 seconds. One
order is right; **bold** is wrong. Books, positions, wallets and fills were equal to the exchange's own ledger behind each
cell. The window of an order was 1.5 s in these runs, so an absence that has to be proven takes at least 2 s; at an exchange
the window and the time that its engine may take are added. A lost answer is waited for as long as in production, 10 s.

In the column of cancellations the venue port is driven directly, for the program cancels an order of a trade only where an
entry rests though it should not. In that of protections the one order is the stop that rests at the exchange, the time is until it rests, and it was gone after
the leader's close. A dash: the fault does not concern such a request."""

_MODES: Final[Mapping[str, str]] = {
    "open": "Client order ids unique among open orders (Binance)",
    "always": "Client order ids always unique (Bybit)",
    "none": "Client order ids not unique",
}
_COUNTED: Final[Mapping[str, str]] = {
    "duplicates": "orders executed twice, or intents beyond their quantity",
    "lost_closes": "followers' positions on markets that the leader has left",
    "leaked_holds": "accounts whose held funds are not those of live trades",
    "orphans": "orders of ours at the exchange without a row",
    "books": "differences between our books and the exchange's ledger",
    "audit": "findings of `copytrade audit`",
}


def render() -> str:
    """Return the page."""
    kept = recorded()
    parts = [
        _OPENING,
        "## The faults",
        table(("fault", "what happens"), ((f.name, f.what) for f in FAULTS)),
        "## The matrix",
    ]
    parts.append(_READING)
    found = cells()
    for mode in UNIQUENESS:
        rows = ([fault.name, *(_cell(found, fault, mode, leg) for leg in LEGS)] for fault in FAULTS)
        parts += [f"### {_MODES[mode]}", table(("fault", *LEGS), rows)]
    parts += _kills(kept.get("rehearsal"))
    parts += _figures(
        [Figure(**row) for row in kept.get("figures", {}).get("figures", [])], list(found.values())
    )
    return page("Fault matrix", *parts)


def _cell(found: Mapping[tuple[str, str, str], Cell], fault: Fault, mode: str, leg: str) -> str:
    if not applies(fault, leg):
        return "-"
    cell = found.get((fault.name, mode, leg))
    if cell is None:
        return "**not measured**"
    text = f"{cell.orders} / {cell.attempts} / {cell.seconds:.1f} s"
    return text if cell.is_right else f"**{text}: {cell.end}**"


def _kills(kept: Mapping[str, Any] | None) -> list[str]:
    if kept is None:
        return ["## Kills at named points", "Not recorded yet."]
    total = sum(kept["kills"].values())
    celery = kept["besides"].get("of the kills, Celery workers", 0)
    opening = (
        f"Every commit and every send of the program has a named failpoint before and after it. The recorded rehearsal (seed "
        f"{kept['seed']}) killed {_killed(kept)} {total:,} times with SIGKILL at {_struck(kept)} in {kept['rounds']} rounds, while "
        f"a leader made {kept['leader_trades']:,} trades for {kept['followers']} followers, {_meanwhile(kept)}exchange faults "
        f"struck and the servers were disturbed; {celery} of the killed were Celery workers whose every task was delivered again, the others "
        f"forks that call the same tasks. The longest way from the last fault to rest took {kept['longest_convergence_s']} s. After "
        "each round it was counted, orders and positions at the exchange's ledger:"
    )
    rows = ((str(kept["counts"][name]), what) for name, what in _COUNTED.items())
    kills = ((name, f"{number:,}") for name, number in kept["kills"].items())
    besides = [(what, f"{number:,}") for what, number in kept["besides"].items()]
    servers = [(what, f"{number:,}") for what, number in kept["servers"].items()]
    return [
        "## Kills at named points",
        opening,
        table(("counted", "what"), rows),
        table(("point", "kills"), kills),
        table(("besides the kills", "times"), besides),
        table(("what was done to the servers", "rounds"), servers),
    ]


def _struck(kept: Mapping[str, Any]) -> str:
    """Return at how many points, of how many that a storm can pass; an older record does not say of how many."""
    reach = f" of the {kept['in_reach']} points that a storm can pass" if "in_reach" in kept else " points"
    return f"{len(kept['kills'])}{reach}"


def _killed(kept: Mapping[str, Any]) -> str:
    return (
        "workers, feeds and those who carry out what people ask" if "errands" in kept else "workers and feeds"
    )


def _meanwhile(kept: Mapping[str, Any]) -> str:
    """Return what else went on; an older record knows of nothing else."""
    if "errands" not in kept:
        return ""
    return (
        f"the market swung {kept['swings']:,} times, people asked for {kept['errands']:,} things, owners touched their accounts "
        f"{kept['touches']:,} times, "
    )


def _figures(measured: list[Figure], found: list[Cell]) -> list[str]:
    rows = [
        (one.name, str(one.number), f"{one.p50:.1f} s", f"{one.p99:.1f} s", f"{one.longest:.1f} s")
        for one in (*measured, *doubts(found))
    ]
    if not rows:
        return []
    note = (
        "On two shared cores. Recovery and start were measured with every wait as in production, the doubts in the matrix. A "
        "worker that is killed holds its signal for at most ten more seconds: that is most of the recovery."
    )
    return ["## Figures", note, table(("figure", "measured", "p50", "p99", "longest"), rows)]
