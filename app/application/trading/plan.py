"""One follower's plan for one signal: the terms, then risk, then the venue's filters; and the decision in words. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from app.application.trading.ports import Candidate
from app.domain.risk.assess import assess
from app.domain.risk.denials import Denial
from app.domain.shared.ids import FollowId
from app.domain.shared.money import plain
from app.domain.trading.copying import CopyOrder, LeaderTrade, finish_entry, want_entry
from app.domain.trading.decision import (
    DECISION_SENTENCES,
    Decision,
    DecisionCode,
    DecisionOutcome,
    decision,
)
from app.domain.trading.exit_plan import plan_exit

_SIX_PLACES: Final = Decimal("0.000001")


def plan_one(trade: LeaderTrade, candidate: Candidate) -> tuple[CopyOrder | None, Decision]:
    """Return one follower's order (None when there is none) and its decision. Pure."""
    follower = candidate.follower
    if trade.action.is_exit:
        way_out = plan_exit(trade, follower)
        if isinstance(way_out, Decision):
            return None, way_out
        return way_out, _copied(way_out, None, candidate)
    wanted = want_entry(trade, follower)
    if isinstance(wanted, Decision):
        return None, wanted
    verdict = assess(wanted, candidate.exposure, candidate.limits)
    if verdict.because is not None and verdict.notional <= 0:
        return None, _denied(follower.follow_id, wanted, verdict.because, candidate)
    finished = finish_entry(trade, follower, wanted, verdict.notional)
    if isinstance(finished, Decision):
        if verdict.because is not None:
            return None, _denied(follower.follow_id, wanted, verdict.because, candidate)
        return None, finished
    if (
        follower.other_may_oversell
    ):  # the last question: the other follow's ladder gives way to what waits here
        facts = _facts(finished, candidate)
        code = DecisionCode.OTHER_MAY_OVERSELL
        return None, decision(follower.follow_id, DecisionOutcome.DEFERRED, code, facts)
    return finished, _copied(finished, verdict.because, candidate)


def _denied(follow_id: FollowId, wanted: CopyOrder, denial: Denial, candidate: Candidate) -> Decision:
    facts = _facts(wanted, candidate) | {"actual": plain(denial.actual), "limit": plain(denial.limit)}
    if denial.room is not None:
        facts["would_pass_notional"] = plain(denial.room.quantize(_SIX_PLACES))
    return Decision(follow_id, DecisionOutcome.SKIPPED, denial.code.value, denial.sentence(), facts)


def _copied(order: CopyOrder, denial: Denial | None, candidate: Candidate) -> Decision:
    facts = _facts(order, candidate)
    if denial is not None:
        facts |= {"actual": plain(denial.actual), "limit": plain(denial.limit)}
        return Decision(order.follow_id, DecisionOutcome.REDUCED, denial.code.value, denial.sentence(), facts)
    if order.cut_by in (None, DecisionCode.RAISED_TO_MINIMUM):
        code = order.cut_by or DecisionCode.AS_ASKED
        return decision(order.follow_id, DecisionOutcome.COPIED, code, facts)
    return Decision(
        order.follow_id, DecisionOutcome.REDUCED, order.cut_by.value, DECISION_SENTENCES[order.cut_by], facts
    )


def _facts(order: CopyOrder, candidate: Candidate) -> dict[str, str]:
    return {
        "mode": candidate.follower.terms.mode.value,
        "value": plain(candidate.follower.terms.value),
        "notional": plain(order.notional.quantize(_SIX_PLACES)),
        "leverage": str(order.leverage),
        "leader_price": plain(order.reference_price),
        "mark_price": plain(order.mark_price),
        "wallet": plain(candidate.exposure.wallet),
        "free": plain(candidate.exposure.free),
        "held": plain(candidate.follower.held),
        "hold": plain(order.hold),
    }
