"""The exits of entries that appeared too late: stored in the transaction that books them, so neither comes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from app.application.trading.execution_ports import (
    BookedFill,
    Changes,
    ExecutionSession,
    LeftSince,
    StoredAttempt,
)
from app.domain.shared.execution import Action, Leg
from app.domain.shared.ids import FollowId, SignalId, requested_signal_id
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_QUANTITY, Quantity
from app.domain.signals.priority import Lane, Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.late_entry import LateEntry, WayOut, way_out

_REQUESTER: Final = "late-entry"

EntryKey = tuple[FollowId, SignalId]


async def close_late_entries(
    session: ExecutionSession, attempts: Mapping[str, StoredAttempt], changes: Changes, now: datetime
) -> Sequence[tuple[SignalId, Lane]]:
    """Store an exit for each entry of which fills were booked after its follow had left; return them, to ring for."""
    appeared = _looked_up_entries(attempts, changes.fills)
    if not appeared:
        return ()
    exits: list[Signal] = []
    asked: dict[tuple[FollowId, Symbol], Quantity] = {}
    for since in await session.left_since(list(appeared)):
        stored, quantity = appeared[since.follow_id, since.entry.id]
        where = (since.follow_id, stored.symbol)
        before = asked.get(where, NO_QUANTITY)
        position = (changes.positions or {})[stored.account_id, stored.symbol, stored.key.follow_id]
        pending = Quantity(since.exit_pending + before)
        out = way_out(LateEntry(stored.side, quantity, position.quantity, pending, since.fractions))
        if out is not None:
            asked[where] = Quantity(before + out.quantity)
            exits.append(_exit(since, stored.trade_booked + quantity, out, now))
    return await session.ask_exits(exits) if exits else ()


def _looked_up_entries(
    attempts: Mapping[str, StoredAttempt], fills: Sequence[BookedFill]
) -> dict[EntryKey, tuple[StoredAttempt, Quantity]]:
    """Return what was booked of entries that were ever looked up: no other was ever called absent."""
    of_key = {stored.key: stored for stored in attempts.values()}
    found: dict[EntryKey, tuple[StoredAttempt, Quantity]] = {}
    for booked in fills:
        stored = of_key[booked.key]
        if booked.key.leg is Leg.ENTRY and (stored.looks or booked.key.attempt):
            key = (booked.key.follow_id, booked.key.signal_id)
            before = found[key][1] if key in found else NO_QUANTITY
            found[key] = stored, Quantity(before + booked.fill.quantity - booked.fill.base_fee)
    return found


def _exit(since: LeftSince, booked: Decimal, out: WayOut, now: datetime) -> Signal:
    entry = since.entry
    return Signal(
        id=requested_signal_id(_REQUESTER, f"{entry.id}:{since.follow_id}:{booked.normalize()}"),
        source=SignalSource.LEADER,
        whale_id=entry.whale_id,
        venue=entry.venue,
        symbol=entry.symbol,
        action=Action.CLOSE if out.fraction == 1 else Action.REDUCE,
        side=entry.side.opposite,
        quantity=out.quantity,
        fraction=out.fraction,
        reference_price=entry.reference_price,
        priority=Priority.HIGH,
        leader_at=now,
        created_at=now,
        trace_id=entry.trace_id,
        scope=since.follow_id,
    )
