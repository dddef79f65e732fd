"""The faults of an exchange that are rehearsed, as a table: what the simulator is told, and what it stands for.

Each leaves the program with a different kind of not knowing: refused before the engine, executed or not without a word,
a reply that cannot be read, a stream that lies, a clock that is off, an order that cannot be seen yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ORDER: Final = "POST /fapi/v1/order"
WS: Final = "WS"
EVENT: Final = "ORDER_TRADE_UPDATE"
PROTECTIONS_INSTEAD: Final = {ORDER: "POST /fapi/v1/algoOrder", EVENT: "ALGO_UPDATE"}
"""Where a protection is sent instead of an order, and what the stream calls its news."""
VISIBILITY_BOUND_MS: Final = 200
"""What the operator promises in rehearsals; the lag of the first visibility fault keeps it, that of the second does not."""

_TOO_MANY: Final = '{"code":-1003,"msg":"Too many requests."}'
_BANNED: Final = '{"code":-1003,"msg":"Way too many requests; IP banned."}'
_UNAVAILABLE: Final = '{"code":-1,"msg":"Service Unavailable."}'


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `rules` strike requests or events of one account, `settings` hold for the whole exchange.

    `promise` is False where the exchange breaks the visibility bound, so that none may be stated; `wide` where one
    strike concerns every account of the address, so that it is rehearsed alone.
    """

    name: str
    what: str
    rules: tuple[Mapping[str, object], ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    promise: bool = True
    wide: bool = False


def _order(kind: str, **more: object) -> tuple[Mapping[str, object], ...]:
    return ({"endpoint": ORDER, "kind": kind, **more},)


def _stream(kind: str, **more: object) -> tuple[Mapping[str, object], ...]:
    return ({"endpoint": WS, "kind": kind, **more},)


_UNSEEN: Final = (*_order("reset_after"), *_stream("drop", times=4))
"""Neither the reply nor the stream tells of the order; only asking can."""

FAULTS: Final[tuple[Fault, ...]] = (
    Fault("none", "nothing goes wrong"),
    Fault(
        "429",
        "refused before the engine, to be left alone for a second",
        _order("http_status", status=429, retry_after=1, body=_TOO_MANY),
        wide=True,
    ),
    Fault(
        "418",
        "the address is banned for a second",
        _order("http_status", status=418, retry_after=1, body=_BANNED),
        wide=True,
    ),
    Fault("503 not executed", "status unknown, and nothing was done", _order("http_status", status=503)),
    Fault(
        "503 executed",
        "status unknown, and it was done",
        _order("http_status", status=503, executes=True),
    ),
    Fault(
        "503 refused",
        "the documented words for: not done",
        _order("http_status", status=503, body=_UNAVAILABLE),
    ),
    Fault(
        "500 executed",
        "a server's error behind an executed order",
        _order("http_status", status=500, executes=True),
    ),
    Fault("timeout before", "no answer, nothing executed", _order("timeout_before")),
    Fault("timeout after", "no answer, executed", _order("timeout_after")),
    Fault("reset before", "connection reset, nothing executed", _order("reset_before")),
    Fault("reset after", "connection reset, executed", _order("reset_after")),
    Fault("garbage", "an unreadable reply, executed", _order("garbage", executes=True)),
    Fault("garbage not executed", "an unreadable reply, nothing executed", _order("garbage", executes=False)),
    Fault("HTML", "a proxy's page, executed", _order("html", executes=True)),
    Fault("empty 200", "an empty reply, executed", _order("empty", executes=True)),
    Fault("empty 200 not executed", "an empty reply, nothing executed", _order("empty", executes=False)),
    Fault("duplicate reply", "the reply comes twice", _order("duplicate_reply")),
    Fault("slow reply", "executed at once, answered after 0.7 s", _order("slow_reply", ms=700)),
    Fault("latency", "matched after 0.5 s, within the window", _order("latency", ms=500)),
    Fault("late beyond the window", "arrives at the engine after its window", _order("latency", ms=2200)),
    Fault("stream drop", "the event of the execution is lost", _stream("drop", event=EVENT, times=2)),
    Fault("stream duplicate", "each event comes twice", _stream("duplicate", times=4)),
    Fault("stream reorder", "an event comes after the next one", _stream("reorder", times=2)),
    Fault("stream silent", "the stream stays open and says nothing", _stream("silence")),
    Fault("stream disconnect", "the stream ends behind the event", _stream("disconnect")),
    Fault(
        "clock skew",
        "the exchange's clock jumps by three seconds",
        settings={"clock_skew_ms": 3000},
        wide=True,
    ),
    Fault(
        "visibility lag",
        f"an order without a reply or an event is invisible for 150 ms, less than the stated {VISIBILITY_BOUND_MS} ms",
        _UNSEEN,
        settings={"visibility_lag_ms": 150},
        wide=True,
    ),
    Fault(
        "visibility lag, no bound stated",
        "an order without a reply or an event is invisible for 6 s, and the operator promised nothing",
        _UNSEEN,
        settings={"visibility_lag_ms": 6000},
        promise=False,
        wide=True,
    ),
)
"""`none` is the measure that the others are held against."""

CALM: Final[Mapping[str, object]] = {"clock_skew_ms": 0, "visibility_lag_ms": 0, "latency_ms": 0}
UNIQUENESS: Final = ("open", "always", "none")
"""Among which orders the exchange refuses a client order id: open ones, all, or none."""


def rules_for(fault: Fault, accounts: tuple[str, ...], times: int) -> list[dict[str, object]]:
    """Return the simulator's rules by which a fault strikes each of these accounts so often."""
    return [{"times": times, **rule, "account_id": account} for rule in fault.rules for account in accounts]


def replaced(rules: list[dict[str, object]], instead: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the rules with other endpoints and events in the place of those that `instead` names."""
    return [{field: instead.get(str(value), value) for field, value in rule.items()} for rule in rules]
