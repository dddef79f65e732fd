"""One account at Hyperliquid: the gateway port over HTTP. It tries once, and tells exactly what it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    NotSent,
    Outcome,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueUnsupported,
)
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import MarginMode, PlaceOrder, PositionMode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.errors import NotFound
from app.domain.shared.execution import (
    FeeRates,
    Fill,
    FundingPayment,
    OrderReport,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.hyperliquid.executions import Executions
from app.infrastructure.exchanges.hyperliquid.rest import HyperliquidAccount, T
from app.infrastructure.exchanges.hyperliquid.wire import accounts, actions, orders, protections
from app.infrastructure.exchanges.hyperliquid.wire.answer import Status, answered, question
from app.infrastructure.exchanges.hyperliquid.wire.fills import SETTLE
from app.infrastructure.exchanges.hyperliquid.wire.refusals import MISSING_ORDER
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.reading import Names, Unreadable
from app.infrastructure.exchanges.shared import VenueShared


def _yes(body: bytes) -> None:
    """Check that an action was done: what says no was raised before."""
    found = answered(body)
    if isinstance(found, Status) or found not in (None, "success"):
        raise Unreadable("an answer that does not say success")


class HyperliquidGateway:
    """Implements ExchangeGateway. Slotted and without a connection of its own: ten thousand of them are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = HyperliquidAccount(shared, account, sealed)

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, under its own timestamp, if its window is still open; never raises."""
        reply = await self._post(
            order, lambda: actions.place_action(order, self._mark(order.instrument.symbol))
        )
        if not isinstance(reply, Reply):
            return reply
        outcome = orders.outcome(order, reply.status, reply.body, reply.headers)
        self._suspect(outcome)
        return outcome

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the trigger once, under its own timestamp, if its window is still open; never raises."""
        reply = await self._post(protection, lambda: actions.protect_action(protection))
        if not isinstance(reply, Reply):
            return reply
        outcome = protections.outcome(protection, reply.status, reply.body, reply.headers)
        self._suspect(outcome)
        return outcome

    async def _post(
        self, order: PlaceOrder | PlaceProtection, action: Callable[[], actions.Action]
    ) -> Reply | NotSent | Unknown:
        account = self._account

        def sign() -> SignedOrder:
            # The fence: the venue refuses the action after its expiry, whenever it arrives.
            return account.signed(
                action(),
                at_ms=order.signed_ms,
                expires_ms=order.signed_ms + order.valid_ms,
                name=order.client_order_id,
            )

        return await post_once(account.shared, actions.EXCHANGE_PATH, order, sign)

    def _mark(self, symbol: Symbol) -> Price | None:
        try:
            return self._account.shared.marks.mark(symbol)[0]
        except NotFound:
            return None

    def _suspect(self, outcome: Outcome | ProtectionOutcome) -> None:
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            self._account.shared.clock.suspect()

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel the order and ask what became of it; None when the venue knows none, which does not prove that it never
        was.
        """
        await self._cancel(instrument, client_order_id)
        return await self.order(instrument, client_order_id)

    async def _cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> None:
        try:
            await self._account.act(actions.cancel_action(instrument, client_order_id), _yes)
        except VenueRefused as refusal:
            if refusal.venue_code != MISSING_ORDER:
                raise

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id; None when the venue answered that it knows none."""
        executions = Executions(self._account, instrument)
        found = await executions.order(client_order_id)
        return None if found is None else await executions.report(found, client_order_id)

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Look the order up by the venue's number; None when the venue answered that it knows none."""
        if not order_id.isascii() or not order_id.isdecimal():
            raise VenueRefused("The venue numbers its orders.", RefusalKind.OTHER, "oid")
        executions = Executions(self._account, instrument)
        found = await executions.order(int(order_id))
        return None if found is None else await executions.report(found)

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders; the triggers that wait are protections."""
        rows, names = await self._open()
        reports = [orders.resting_report(row, names[row.coin]) for row in rows if not row.is_trigger]
        return [report for report in reports if instrument is None or report.symbol == instrument.symbol]

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting triggers that reduce."""
        rows, names = await self._open()
        reports = [
            protections.resting_report(row, names[row.coin])
            for row in rows
            if row.is_trigger and protections.is_protection(row)
        ]
        return [report for report in reports if instrument is None or report.symbol == instrument.symbol]

    async def _open(self) -> tuple[list[orders.OrderRow], Names]:
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        body = question("frontendOpenOrders", user=self._account.user())
        return await self._account.ask(body, lambda answer: orders.read_open(answer, names)), names

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions of an order, since a time, or of the last seven days; oldest first."""
        return await Executions(self._account, instrument).fetch(since, order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Look the trigger up by our id; None when the venue answered that it knows none."""
        found = await Executions(self._account, instrument).order(client_order_id)
        if found is None:
            return None
        row = found.row
        return protections.report_of(row.order, instrument.symbol, row.status, found.at, client_order_id)

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel the trigger and ask what became of it."""
        await self._cancel(instrument, client_order_id)
        return await self.protection(instrument, client_order_id)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat; one on a market new to us makes the listing be read again."""
        instruments = self._account.shared.instruments
        await instruments.ready()
        found, strangers = await self._state(lambda state: accounts.positions_of(state, instruments.names))
        if strangers and await instruments.learn(strangers):
            found, strangers = await self._state(
                lambda state: accounts.positions_of(state, instruments.names)
            )
        if strangers:
            self._account.log_strangers(strangers)
        return found

    async def _state(self, told: Callable[[accounts.StateRow], T]) -> T:
        """Ask for the account and return what it tells; what cannot be read in it is no answer either."""
        body = question("clearinghouseState", user=self._account.user())
        return await self._account.ask(body, lambda raw: told(accounts.read_state(raw)))

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of USDC, which margins everything here; other assets margin nothing, and are not asked for."""
        if asset is not None and asset != SETTLE:
            return accounts.no_balance(asset)
        return await self._state(accounts.balance_of)

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page."""
        await self._account.shared.instruments.ready()
        names, user = self._account.shared.instruments.names, self._account.user()
        collected: dict[str, FundingPayment] = {}
        first_ms = epoch_ms(since)
        while True:
            page = await self._account.ask(
                accounts.funding_question(user, first_ms), lambda body: accounts.read_funding(body, names)
            )
            known = len(collected)
            collected.update((payment.payment_id, payment) for payment in page)
            if len(collected) == known:
                break
            first_ms = max(epoch_ms(payment.at) for payment in page)
        return sorted(
            (payment for payment in collected.values() if payment.at >= since), key=lambda payment: payment.at
        )

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage and keep the margin mode, which the venue sets together; it confirms with a bare yes."""
        _, mode = await self._active(instrument)
        is_cross = mode is MarginMode.CROSS
        await self._account.act(actions.leverage_action(instrument, leverage, is_cross=is_cross), _yes)
        return leverage

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode and keep the leverage; nothing is sent when it is so already."""
        leverage, now = await self._active(instrument)
        if now is not mode:
            is_cross = mode is MarginMode.CROSS
            await self._account.act(actions.leverage_action(instrument, leverage, is_cross=is_cross), _yes)

    async def _active(self, instrument: Instrument) -> tuple[int, MarginMode]:
        body = accounts.active_question(self._account.user(), instrument)
        return await self._account.ask(body, lambda answer: accounts.read_active(answer, instrument))

    async def position_mode(self) -> PositionMode:
        """Return ONE_WAY: positions net at this venue."""
        return PositionMode.ONE_WAY

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Accept ONE_WAY, which is all that there is; raises VenueUnsupported for another."""
        if mode is not PositionMode.ONE_WAY:
            raise VenueUnsupported("Positions net at this venue.")

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays, the same on every market."""
        return await self._account.ask(
            question("userFees", user=self._account.user()), accounts.read_fee_rates
        )

    async def key_facts(self) -> KeyFacts:
        """Return what the private key may do: whether its address is an agent that the account approved."""
        master, agent = self._account.master_and_agent()
        return await self._account.ask(
            question("userRole", user=agent),
            lambda body: accounts.read_key_facts(body, agent=agent, master=master),
        )
