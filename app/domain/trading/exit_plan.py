"""From a leader's exit to each follower's order: never refused, at most put off until it can be sized. Pure."""

from __future__ import annotations

from decimal import Decimal

from app.domain.shared.market import MarketKind
from app.domain.shared.money import NO_MONEY, ZERO, Money, Quantity, plain
from app.domain.trading.copying import CopyOrder, Follower, LeaderTrade, facts_of, is_flat, is_tradable
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome, decision
from app.domain.trading.leaders_order import opened_earlier


def plan_exit(trade: LeaderTrade, follower: Follower) -> CopyOrder | Decision:
    """Return the reduce-only order that closes the leader's fraction of what the follow holds.

    It waits while an entry's outcome is unknown, for then nobody can say how much there is to close, and while a protection
    may still sell beside it what is not the follow's. What is left would be too small to trade later is closed with it, so
    that no dust remains. What is more than the venue takes in one order (`cut_by` says so) goes out in several attempts, one
    after the other.
    """
    facts = facts_of(trade, follower)
    if follower.entry_open:
        return decision(follower.follow_id, DecisionOutcome.DEFERRED, DecisionCode.ENTRY_STILL_OPEN, facts)
    earlier = opened_earlier(follower.held, follower.opened_later)
    closable = abs(earlier) - follower.exit_pending
    if follower.entry_absent and not is_tradable(trade, earlier):
        # An entry that was given up may still appear; then this exit must be there to close it.
        return decision(follower.follow_id, DecisionOutcome.DEFERRED, DecisionCode.ENTRY_STILL_OPEN, facts)
    if is_flat(trade, follower) or follower.held * trade.side.sign > 0:
        return decision(follower.follow_id, DecisionOutcome.SKIPPED, DecisionCode.NOTHING_TO_CLOSE, facts)
    if not is_tradable(trade, earlier):
        return decision(follower.follow_id, DecisionOutcome.SKIPPED, DecisionCode.OPENED_LATER, facts)
    instrument = trade.instrument
    quantity, smallest = _exit_quantity(trade, closable)
    if closable > 0 and quantity < smallest:
        return decision(
            follower.follow_id,
            DecisionOutcome.SKIPPED,
            DecisionCode.BELOW_MINIMUM,
            facts,
            minimum=plain(smallest),
        )
    if follower.protection_may_sell:
        # Both would sell, and the second of them coins of the account's owner, or the lot of another follow.
        return decision(
            follower.follow_id, DecisionOutcome.DEFERRED, DecisionCode.PROTECTION_STILL_RESTS, facts
        )
    if closable <= 0 and follower.entry_absent:
        return decision(follower.follow_id, DecisionOutcome.DEFERRED, DecisionCode.ENTRY_STILL_OPEN, facts)
    if closable <= 0:
        return decision(follower.follow_id, DecisionOutcome.SKIPPED, DecisionCode.NOTHING_TO_CLOSE, facts)
    return CopyOrder(
        follow_id=follower.follow_id,
        account_id=follower.account_id,
        side=trade.side,
        quantity=quantity,
        notional=Money(quantity * trade.mark_price),
        leverage=follower.leverage_set or 1,
        reference_price=trade.price,
        mark_price=trade.mark_price,
        drift_max=follower.terms.drift_max,
        opens_position=False,
        reduce_only=True,
        hold=NO_MONEY,
        leverage_changes=False,
        cut_by=DecisionCode.VENUE_MAXIMUM if quantity > instrument.quantity_max else None,
    )


def _exit_quantity(trade: LeaderTrade, closable: Decimal) -> tuple[Quantity, Quantity]:
    """Return how much of what is closable an exit closes, and the smallest exit that the venue takes."""
    instrument = trade.instrument
    smallest = max(instrument.step, instrument.quantity_min)
    if instrument.kind is MarketKind.SPOT:  # only a reducing order is free of the least notional
        smallest = instrument.smallest_order(trade.mark_price)
    closable = max(closable, ZERO)
    if trade.by_quantity:
        return instrument.round_quantity(min(closable, trade.quantity)), Quantity(smallest)
    quantity = instrument.round_quantity(closable * trade.fraction)
    if trade.fraction == 1 or closable - quantity < instrument.smallest_order(trade.mark_price):
        quantity = instrument.round_quantity(closable)
    return quantity, Quantity(smallest)
