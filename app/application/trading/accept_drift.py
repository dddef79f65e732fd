"""Accepting: an operator ends a difference that nothing explains; a follow's books become what the venue holds. Rules.

- Only a frozen market, and only the figures that were seen on all the looks: the venue is read again, twice.
- Nothing of ours is open or in doubt on that account and market, at the venue or in the books.
- What the venue's executions do explain is booked as theirs, and nothing is accepted beside it.
- The lots shrink, the oldest first, at their own average price: no result is made up. What the wallet lost or won is the
  venue's to say, and follows as any other difference of the wallet.
- The exits, the event and the end of the mark are one transaction; a second call finds nothing to accept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from app.application.trading.drift import AccountToCompare
from app.application.trading.explain import ExplainShortfall, Shortfall
from app.application.trading.outside_exit import write_exits
from app.application.trading.reconcile import Patience
from app.application.trading.reconcile_ports import ACCEPTED, AccountState, OutsideExit, ReconcileBook
from app.domain.exchanges.ports import ExchangeGateway, GatewayFactory
from app.domain.shared.clock import Clock, epoch_ms
from app.domain.shared.errors import (
    ConcurrencyConflict,
    IllegalTransition,
    InvalidValue,
    InvariantBroken,
    NotFound,
)
from app.domain.shared.execution import Fill, Leg
from app.domain.shared.ids import AccountId, FollowId, client_order_id, requested_signal_id
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import NO_MONEY, Quantity, plain
from app.domain.trading.decision import DecisionCode
from app.domain.trading.divergence import PART_MARK, Lot, missing, on_our_side, sum_of, vanished
from app.domain.trading.events import DriftAccepted
from app.domain.trading.position import Position

_WORDS_MAX = 500


class MarketNotFrozen(IllegalTransition):
    """The difference was not seen often enough yet to be accepted."""

    code: ClassVar[str] = "market_not_frozen"


class DifferenceMoved(ConcurrencyConflict):
    """The venue holds something else than what was seen before."""

    code: ClassVar[str] = "difference_moved"


class OrderInDoubt(ConcurrencyConflict):
    """An order of ours is open, or its end is not known and booked."""

    code: ClassVar[str] = "order_in_doubt"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who accepts and why; both are kept with the decision and the event."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        """Raise InvalidValue for a blank or an endless text."""
        for word in (self.by, self.reason):
            if not word.strip() or len(word) > _WORDS_MAX:
                raise InvalidValue(f"Say who accepts and why, in 1 to {_WORDS_MAX} characters each.")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One market's difference, signed base units. `gone` is what each follow loses. `explained`: executions told of it
    after all and were booked in its place; `written`: the books are changed.
    """

    account_id: AccountId
    symbol: Symbol
    ours: Decimal
    theirs: Decimal
    gone: tuple[Lot, ...]
    explained: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class AcceptDrift:
    """Shows, or with an approval writes, what an account's books lose on one market; see the rules above."""

    book: ReconcileBook
    gateways: GatewayFactory
    explain: ExplainShortfall
    clock: Clock
    patience: Patience
    id_secret: bytes

    async def __call__(
        self, account_id: AccountId, symbol: Symbol, approval: Approval | None
    ) -> Accepted | None:
        """Return the difference; None where the venue holds all that the books say. Without an approval nothing is written.

        Raises NotFound, MarketNotFrozen, DifferenceMoved, OrderInDoubt, what the venue raises, and ConcurrencyConflict when
        the books changed meanwhile: nothing is written then.
        """
        account = await self._account(account_id)
        gateway = self.gateways.gateway(account_id, account.venue, account.sealed)
        at = self.clock.now()
        state = await self.book.state(account_id)
        short = await self._short(gateway, state, symbol)
        if short is None:
            return None
        self._check_mark(state, short)
        await self._check_orders(account, gateway, symbol)
        gone = tuple(vanished(short.lots, short.theirs))
        found = Accepted(account_id, symbol, sum_of(short.lots), short.theirs, gone)
        if approval is not None and await self.explain(account, gateway, short) is not None:
            return Accepted(account_id, symbol, found.ours, found.theirs, (), explained=True)
        if await self._short(gateway, await self.book.state(account_id), symbol) != short:
            raise DifferenceMoved("The position or the books changed while the venue was asked; look again.")
        if approval is None:
            return found
        await self._write(account, found, short.lots, approval, at)
        return Accepted(account_id, symbol, found.ours, found.theirs, gone, written=True)

    async def _account(self, account_id: AccountId) -> AccountToCompare:
        for account in await self.book.accounts():
            if account.account_id == account_id:
                return account
        raise NotFound("No follower's account with a verified key has this number.", account=account_id)

    async def _short(self, gateway: ExchangeGateway, state: AccountState, symbol: Symbol) -> Shortfall | None:
        held = [each for each in await gateway.positions() if each.symbol == symbol]
        lots = state.lots.get(symbol, ())
        theirs = on_our_side(sum_of(lots), held)
        if not missing(sum_of(lots), theirs):
            return None
        return Shortfall(symbol, lots, theirs, state.opened[symbol])

    def _check_mark(self, state: AccountState, short: Shortfall) -> None:
        mark = state.marks.get(short.symbol)
        if mark is None or not mark.frozen or not self.patience.is_over(mark):
            raise MarketNotFrozen(
                "This difference was not seen often enough to be accepted: run `copytrade reconcile` first."
            )
        if (mark.ours, mark.theirs) != (sum_of(short.lots), short.theirs):
            raise DifferenceMoved(
                f"The venue holds {plain(short.theirs)} now; {plain(mark.theirs)} was seen before: run `copytrade reconcile`."
            )

    async def _check_orders(
        self, account: AccountToCompare, gateway: ExchangeGateway, symbol: Symbol
    ) -> None:
        async with self.book.session() as session:
            doubtful = await session.in_doubt(account.account_id, symbol)
        instrument = await self.explain.quotes.instrument(account.venue, symbol)
        told = [
            each.client_order_id for each in await gateway.open_orders(instrument) if each.symbol == symbol
        ]
        resting = await self.book.ours(account.account_id, told)
        stops = {each.client_order_id for each in await self.book.protections(account.account_id, symbol)}
        _refuse([*doubtful, *sorted(resting - stops)])

    async def _write(
        self,
        account: AccountToCompare,
        found: Accepted,
        lots: tuple[Lot, ...],
        approval: Approval,
        at: datetime,
    ) -> None:
        async with self.book.session() as session:
            if await session.lots(found.account_id, found.symbol) != lots:
                raise ConcurrencyConflict("The books changed while the venue was asked; look again.")
            _refuse(await session.in_doubt(found.account_id, found.symbol))
            keys = [(found.account_id, found.symbol, lot.follow_id) for lot in found.gone]
            positions = await session.positions(keys)
            by_follow = {follow: position for (_, _, follow), position in positions.items()}
            event = DriftAccepted(
                at=self.clock.now(),
                account_id=found.account_id,
                symbol=found.symbol,
                ours=found.ours,
                theirs=found.theirs,
                follow_ids=tuple(lot.follow_id for lot in found.gone),
                by=approval.by,
                reason=approval.reason,
            )
            exits = [self._exit(account, found, lot, by_follow, approval, at) for lot in found.gone]
            await write_exits(session, exits, event.at, [event])
            await session.forget(found.account_id, found.symbol)

    def _exit(
        self,
        account: AccountToCompare,
        found: Accepted,
        lot: Lot,
        positions: Mapping[FollowId, Position],
        approval: Approval,
        at: datetime,
    ) -> OutsideExit:
        """Return one follow's part as an exit at its own average price, so that it realises nothing."""
        price = positions[lot.follow_id].average_entry
        if price is None:
            raise InvariantBroken("A lot that is held has no price.")
        act = f"{ACCEPTED}{epoch_ms(at)}"
        signal = requested_signal_id(f"external:{lot.follow_id}", f"{found.account_id}:{found.symbol}:{act}")
        side = Side.of(-lot.quantity)
        fill = Fill(
            venue=account.venue,
            symbol=found.symbol,
            trade_id=f"{act}{PART_MARK}{lot.follow_id}",
            order_id=act,
            client_order_id="",
            side=side,
            price=price,
            quantity=Quantity(abs(lot.quantity)),
            fee=NO_MONEY,
            realised_pnl=NO_MONEY,
            at=at,
        )
        return OutsideExit(
            signal_id=signal,
            follow_id=lot.follow_id,
            account_id=found.account_id,
            venue=account.venue,
            symbol=found.symbol,
            side=side,
            client_order_id=client_order_id(self.id_secret, signal, lot.follow_id, Leg.EXIT, 0),
            venue_order_id=act,
            code=DecisionCode.WRITTEN_OFF,
            fills=(fill,),
            notes=(
                ("by", approval.by),
                ("reason", approval.reason),
                ("books_held", plain(found.ours)),
                ("venue_held", plain(found.theirs)),
            ),
        )


def _refuse(client_order_ids: Sequence[str]) -> None:
    if client_order_ids:
        raise OrderInDoubt(
            f"An order of ours is open or in doubt on this market ({client_order_ids[0]}): run `copytrade reconcile` first.",
            client_order_ids=tuple(client_order_ids),
        )
