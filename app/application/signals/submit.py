"""Signals that people ask for: an operator's signal for a leader, and a follower's exits from what a follow holds.

A signal's id is made of who asked and their idempotency key, so a request that is repeated finds the signal it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.application.queries import HeldMarket
from app.application.readers import HeldMarkets
from app.application.shared.uow import UnitOfWork, UnitOfWorkFactory
from app.application.signals.market_check import MarketCheck
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError, InvalidValue, NotFound
from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId, SignalId, UserId, WhaleId, requested_signal_id
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Priority, priority_of
from app.domain.signals.signal import Signal, SignalSource
from app.domain.users.follow import Follow
from app.domain.whales.whale import TIER_RANK, Whale, WhaleState


class IdempotencyKeyReused(DomainError):
    """The idempotency key already names a request with other content."""

    code = "idempotency_key_reused"


class NothingToClose(DomainError):
    """The follow holds nothing on this market."""

    code = "nothing_to_close"


class WhaleNotActive(DomainError):
    """The leader's entries are not copied at present."""

    code = "whale_not_active"


@dataclass(frozen=True, slots=True)
class RequestedSignal:
    """What an operator asks for; the fields are those of `Signal`."""

    whale_id: WhaleId
    symbol: Symbol
    action: Action
    side: Side
    quantity: Quantity
    reference_price: Price
    fraction: Decimal = Decimal(1)
    leader_equity: Money | None = None
    leader_leverage: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The signal, and whether this request made it (False: a repetition)."""

    signal: Signal
    is_new: bool


@dataclass(frozen=True, slots=True)
class SubmitSignal:
    """Ask for a signal of a leader by hand.

    - The same Idempotency-Key with the same content is the same signal, however often it is sent; with other content
      it is refused.
    - An entry needs an active leader, a market of the leader's venue, and a reference price near the mark; it expires
      if its turn does not come in time.
    - An exit is never blocked and never expires; `fraction` is the share of each follower's position that it closes.
    - Followers whose size is proportional to equity are copied only if `leader_equity` is given.
    """

    uow: UnitOfWorkFactory
    clock: Clock
    bell: SignalBell
    market: MarketCheck
    entry_lifetime: timedelta

    async def __call__(self, operator: UserId, key: str, asked: RequestedSignal, trace_id: str) -> Submitted:
        """Return the stored signal.

        Raises NotFound, WhaleNotActive, UnknownSymbol, PriceOffMarket, IdempotencyKeyReused or VenueUnavailable.
        """
        signal_id = requested_signal_id(f"operator:{operator}", key)
        async with self.uow() as work:
            whale = await work.whales.get(asked.whale_id)
            known = await _existing(work, signal_id)
        signal = self._signal(signal_id, whale, asked, trace_id)
        if known is not None:
            return _replayed(known, signal)
        if not signal.is_exit:
            if whale.state is not WhaleState.ACTIVE:
                raise WhaleNotActive(f"The leader is {whale.state.value}; entries are not copied.")
            await self.market(whale.venue, signal.symbol, signal.reference_price)
        return await _stored(self.uow, self.bell, signal)

    def _signal(self, signal_id: SignalId, whale: Whale, asked: RequestedSignal, trace_id: str) -> Signal:
        now = self.clock.now()
        share = None
        if asked.leader_equity is not None and asked.leader_equity > 0:
            share = asked.quantity * asked.reference_price / asked.leader_equity
        return Signal(
            id=signal_id,
            source=SignalSource.OPERATOR,
            whale_id=whale.id,
            venue=whale.venue,
            symbol=asked.symbol,
            action=asked.action,
            side=asked.side,
            quantity=asked.quantity,
            fraction=asked.fraction,
            reference_price=asked.reference_price,
            priority=priority_of(asked.action, TIER_RANK[whale.tier], share),
            leader_at=now,
            created_at=now,
            trace_id=trace_id,
            leader_equity=asked.leader_equity,
            leader_leverage=asked.leader_leverage,
            expires_at=None if asked.action.is_exit else now + self.entry_lifetime,
        )


@dataclass(frozen=True, slots=True)
class ClosePosition:
    """Close what one of the caller's follows holds on one market, in whole or by a fraction.

    - Only the named follow is touched; the leader and other followers are not.
    - An exit is never blocked and never expires, whatever the state of the follow, the user or the leader.
    - If an entry is still on its way, the exit follows as soon as its outcome is known.
    - The same Idempotency-Key with the same content is the same request.
    """

    uow: UnitOfWorkFactory
    clock: Clock
    bell: SignalBell
    held: HeldMarkets

    async def __call__(
        self, user_id: UserId, key: str, follow_id: FollowId, symbol: Symbol, fraction: Decimal, trace_id: str
    ) -> Submitted:
        """Return the stored signal; NotFound, NothingToClose, InvalidValue or IdempotencyKeyReused otherwise."""
        if not 0 < fraction <= 1:
            raise InvalidValue("The fraction must lie above 0 and at most at 1.")
        signal_id = requested_signal_id(f"user:{user_id}", key)
        async with self.uow() as work:
            follow = await work.follows.get(follow_id)
            if follow.user_id != user_id:
                raise NotFound("There is no such follow.")
            venue = (await work.accounts.get(follow.account_id)).venue
            known = await _existing(work, signal_id)
        if known is not None:
            same = (known.scope, known.symbol, known.fraction) == (follow_id, symbol, fraction)
            return Submitted(_same(known, is_same=same), is_new=False)
        markets = [market for market in await self.held.of_follow(follow_id) if market.symbol == symbol]
        if not markets:
            raise NothingToClose("The follow holds nothing on this market.")
        asked = ExitRequest(signal_id, fraction, trace_id)
        return await _stored(self.uow, self.bell, _exit_signal(self.clock, follow, venue, markets[0], asked))


@dataclass(frozen=True, slots=True)
class CloseFollowMarkets:
    """Add one exit for each side of each market that a follow holds, within the caller's unit of work.

    - `purpose`, the market and the side name the exit: asking again for the same purpose adds nothing.
    - A leader's turn may be on its way: an exit of the side that is left closes nothing of the side that comes.
    """

    clock: Clock

    async def __call__(
        self, work: UnitOfWork, follow: Follow, held: Sequence[HeldMarket], purpose: str, trace_id: str
    ) -> Sequence[Signal]:
        """Return the signals that are new; ring for them after the commit."""
        venue = (await work.accounts.get(follow.account_id)).venue
        added: list[Signal] = []
        for market in held:
            side = Side.of(market.quantity).opposite
            signal_id = requested_signal_id(f"follow:{follow.id}", f"{purpose}:{market.symbol}:{side.value}")
            asked = ExitRequest(signal_id, Decimal(1), trace_id)
            signal = _exit_signal(self.clock, follow, venue, market, asked)
            signal.accepted()
            if await work.signals.add(signal):
                added.append(signal)
        return added


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """How an exit is named, how much of the position it closes (0 < fraction <= 1), and whose trace it is."""

    signal_id: SignalId
    fraction: Decimal
    trace_id: str


def _exit_signal(
    clock: Clock, follow: Follow, venue: Venue, market: HeldMarket, asked: ExitRequest
) -> Signal:
    now = clock.now()
    return Signal(
        id=asked.signal_id,
        source=SignalSource.FOLLOWER,
        whale_id=follow.whale_id,
        venue=venue,
        symbol=market.symbol,
        action=Action.CLOSE if asked.fraction == 1 else Action.REDUCE,
        side=Side.of(market.quantity).opposite,
        quantity=Quantity(abs(market.quantity)),
        fraction=asked.fraction,
        reference_price=market.reference_price,
        priority=Priority.HIGH,
        leader_at=now,
        created_at=now,
        trace_id=asked.trace_id,
        scope=follow.id,
    )


async def _existing(work: UnitOfWork, signal_id: SignalId) -> Signal | None:
    try:
        return await work.signals.get(signal_id)
    except NotFound:
        return None


async def _stored(uow: UnitOfWorkFactory, bell: SignalBell, signal: Signal) -> Submitted:
    async with uow() as work:
        signal.accepted()
        if await work.signals.add(signal):
            await work.commit()
            known = None
        else:  # the same request came at the same time, and was first
            known = await work.signals.get(signal.id)
    if known is not None:
        return _replayed(known, signal)
    await bell.ring(signal.id, signal.lane)
    return Submitted(signal, is_new=True)


def _replayed(known: Signal, asked: Signal) -> Submitted:
    return Submitted(_same(known, is_same=_content(known) == _content(asked)), is_new=False)


def _content(signal: Signal) -> tuple[object, ...]:
    if signal.scope is not None:  # a position's size may have changed between two equal requests
        return (signal.scope, signal.symbol, signal.fraction)
    return (
        signal.whale_id,
        signal.symbol,
        signal.action,
        signal.side,
        signal.quantity,
        signal.fraction,
        signal.reference_price,
        signal.leader_equity,
        signal.leader_leverage,
    )


def _same(known: Signal, *, is_same: bool) -> Signal:
    if not is_same:
        raise IdempotencyKeyReused("This Idempotency-Key was used for another request; send a new key.")
    return known
