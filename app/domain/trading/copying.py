"""From a leader's trade to each follower's order: pure, in batch, no I/O.

An entry is planned in two halves, since risk stands between them: `want_entry` says what the terms ask for,
risk says how much of it may go, `finish_entry` makes the order that fits the venue's filters. An exit is planned in
one (`exit_plan`): nothing stands between a follower and the way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.margin import funds_needed
from app.domain.shared.market import Instrument, MarketKind, Side
from app.domain.shared.money import NO_MONEY, ZERO, Money, Price, Quantity, Ratio, plain
from app.domain.shared.terms import CopyTerms, TinyPolicy
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome, decision
from app.domain.trading.modes import MODES, Sizing


@dataclass(frozen=True, slots=True)
class LeaderTrade:
    """What is to be copied, and the market it meets. `expired` and `superseded` concern entries only.

    `by_quantity` says that an exit closes `quantity` and not `fraction` of what is held: that of an entry which appeared late.
    """

    action: Action
    side: Side
    quantity: Quantity
    fraction: Decimal
    price: Price
    mark_price: Price
    instrument: Instrument
    equity: Money | None
    leverage: int | None
    expired: bool = False
    superseded: bool = False
    whale_paused: bool = False
    by_quantity: bool = False


@dataclass(frozen=True, slots=True)
class Follower:
    """One follow as the snapshot found it.

    `held` is the follow's signed position on the market, with executions that the venue reported but whose fills
    are not booked yet. `entry_open` / `exit_open` say whether an order of that leg has no known outcome yet;
    `exit_pending` is the quantity that open exits may still close; `entry_absent` says that an entry was given up whose
    late appearance is not ruled out yet, `market_frozen` that the books of this market do not agree with the venue's
    and nobody knows why. `leverage_set` is what the venue was last told. `protection_may_sell` says that a protection of the
    follow is not proven over and that an exit beside it could sell more than the lot: no order is limited to reducing (spot),
    or reduces also what another follow of the account holds. `other_may_oversell` says that the orders of another follow of the
    account could together close more than it holds. `opened_later` is what signals later than
    the one to be copied have left of `held`, signed.
    """

    follow_id: FollowId
    account_id: AccountId
    terms: CopyTerms
    active: bool
    paused: bool
    user_active: bool
    key_usable: bool
    wallet: Money
    held: Decimal
    entry_open: bool
    exit_open: bool
    exit_pending: Quantity
    leverage_set: int | None
    leverage_limit: int | None
    entry_absent: bool = False
    market_frozen: bool = False
    protection_may_sell: bool = False
    other_may_oversell: bool = False
    opened_later: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """An order for one follower; it fits risk's `Proposal`. `hold` is what must be reserved (zero for exits)."""

    follow_id: FollowId
    account_id: AccountId
    side: Side
    quantity: Quantity
    notional: Money
    leverage: int
    reference_price: Price
    mark_price: Price
    drift_max: Ratio
    opens_position: bool
    reduce_only: bool
    hold: Money
    leverage_changes: bool
    cut_by: DecisionCode | None = None


def want_entry(trade: LeaderTrade, follower: Follower) -> CopyOrder | Decision:
    """Return the entry that the terms ask for (not yet rounded, nothing held), or why there is none."""
    refusal = _entry_refusal(trade, follower)
    if refusal is not None:
        outcome = DecisionOutcome.SKIPPED
        if refusal is DecisionCode.EXIT_STILL_OPEN:
            outcome = DecisionOutcome.DEFERRED
        return decision(follower.follow_id, outcome, refusal, facts_of(trade, follower))
    terms = follower.terms
    wanted = MODES[terms.mode](
        Sizing(trade.quantity, trade.price, trade.mark_price, trade.equity, follower.wallet, terms.value)
    )
    if wanted is None:
        return decision(
            follower.follow_id,
            DecisionOutcome.SKIPPED,
            DecisionCode.LEADER_EQUITY_UNKNOWN,
            facts_of(trade, follower),
        )
    wanted, cut_by = _within_terms(trade, terms, wanted)
    caps = (trade.leverage or terms.leverage_max, terms.leverage_max, trade.instrument.leverage_max)
    leverage = max(1, min(*caps, *(() if follower.leverage_limit is None else (follower.leverage_limit,))))
    is_spot = trade.instrument.kind is MarketKind.SPOT
    if is_spot:
        leverage = 1
    return CopyOrder(
        follow_id=follower.follow_id,
        account_id=follower.account_id,
        side=trade.side,
        quantity=Quantity(wanted / trade.mark_price),
        notional=wanted,
        leverage=leverage,
        reference_price=trade.price,
        mark_price=trade.mark_price,
        drift_max=terms.drift_max,
        opens_position=is_flat(trade, follower),
        reduce_only=False,
        hold=NO_MONEY,
        leverage_changes=not is_spot and follower.leverage_set != leverage,
        cut_by=cut_by,
    )


def _within_terms(trade: LeaderTrade, terms: CopyTerms, wanted: Money) -> tuple[Money, DecisionCode | None]:
    """Cut a notional to the terms' largest order, or raise a tiny one to the venue's smallest where the terms say so.

    It happens before risk looks, so that what is raised is judged like anything else.
    """
    largest = terms.order_notional_max
    if largest is not None and wanted > largest:
        return largest, DecisionCode.TERMS_MAXIMUM
    smallest = Money(trade.instrument.smallest_order(trade.mark_price) * trade.mark_price)
    fits = smallest <= wanted * terms.tiny_factor_max and (largest is None or smallest <= largest)
    if terms.tiny is TinyPolicy.RAISE and wanted < smallest and fits:
        return smallest, DecisionCode.RAISED_TO_MINIMUM
    return wanted, None


def finish_entry(
    trade: LeaderTrade, follower: Follower, order: CopyOrder, allowed: Money
) -> CopyOrder | Decision:
    """Round an entry of at most `allowed` notional to what the venue takes, or say that it is too small."""
    instrument = trade.instrument
    quantity = instrument.round_quantity(min(order.notional, allowed) / trade.mark_price)
    cut_by = order.cut_by
    if quantity > instrument.quantity_max:
        quantity, cut_by = instrument.round_quantity(instrument.quantity_max), DecisionCode.VENUE_MAXIMUM
    smallest = instrument.smallest_order(trade.mark_price)
    if quantity < smallest:
        facts = facts_of(trade, follower) | {
            "wanted_quantity": plain(quantity),
            "minimum_quantity": plain(smallest),
        }
        return decision(
            follower.follow_id,
            DecisionOutcome.SKIPPED,
            DecisionCode.BELOW_MINIMUM,
            facts,
            minimum=plain(smallest),
        )
    notional = Money(quantity * trade.mark_price)
    return CopyOrder(
        follow_id=order.follow_id,
        account_id=order.account_id,
        side=order.side,
        quantity=quantity,
        notional=notional,
        leverage=order.leverage,
        reference_price=order.reference_price,
        mark_price=order.mark_price,
        drift_max=order.drift_max,
        opens_position=order.opens_position,
        reduce_only=False,
        hold=funds_needed(notional, order.leverage),
        leverage_changes=order.leverage_changes,
        cut_by=cut_by,
    )


def is_flat(trade: LeaderTrade, follower: Follower) -> bool:
    """Return whether nothing is held that could be sold: fees taken in coins leave less than a step at spot venues."""
    return not is_tradable(trade, follower.held)


def is_tradable(trade: LeaderTrade, held: Decimal) -> bool:
    """Return whether so much could be sold."""
    return held != 0 if trade.instrument.kind is not MarketKind.SPOT else abs(held) >= trade.instrument.step


def _entry_refusal(trade: LeaderTrade, follower: Follower) -> DecisionCode | None:
    """Return the first reason, cheapest first, why this follow takes no new risk on this trade."""
    opposite = follower.held * trade.side.sign < 0 and not is_flat(trade, follower)
    checks = (
        (not follower.user_active, DecisionCode.USER_SUSPENDED),
        (not follower.active and not follower.paused, DecisionCode.FOLLOW_STOPPED),
        (follower.paused, DecisionCode.FOLLOW_PAUSED),
        (trade.whale_paused, DecisionCode.WHALE_PAUSED),
        (not follower.key_usable, DecisionCode.KEY_NOT_USABLE),
        (follower.market_frozen, DecisionCode.MARKET_FROZEN),
        (trade.superseded, DecisionCode.LEADER_ALREADY_OUT),
        (trade.expired, DecisionCode.SIGNAL_EXPIRED),
        (not follower.terms.allows_symbol(trade.instrument.symbol), DecisionCode.SYMBOL_NOT_WANTED),
        (trade.side not in follower.terms.sides, DecisionCode.SIDE_NOT_WANTED),
        (
            trade.side is Side.SELL and trade.instrument.kind is MarketKind.SPOT,
            DecisionCode.SPOT_HAS_NO_SHORTS,
        ),
        (follower.exit_open or opposite, DecisionCode.EXIT_STILL_OPEN),
        (
            trade.action is Action.ADD and is_flat(trade, follower) and not follower.entry_open,
            DecisionCode.ADD_WITHOUT_POSITION,
        ),
    )
    return next((code for fails, code in checks if fails), None)


def facts_of(trade: LeaderTrade, follower: Follower) -> dict[str, str]:
    return {
        "mode": follower.terms.mode.value,
        "value": plain(follower.terms.value),
        "leader_price": plain(trade.price),
        "mark_price": plain(trade.mark_price),
        "wallet": plain(follower.wallet),
        "held": plain(follower.held),
    }
