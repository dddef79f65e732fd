"""One account at Bybit: the gateway port over HTTP, for every category. It tries once, and tells exactly what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    Outcome,
    RefusalKind,
    VenueRefused,
    VenueUnsupported,
)
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import MarginMode, PlaceOrder, PositionMode
from app.domain.shared.execution import (
    FeeRates,
    Fill,
    FundingPayment,
    OrderReport,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, MarketKind
from app.infrastructure.exchanges.bybit import holdings, lookups
from app.infrastructure.exchanges.bybit.executions import Executions
from app.infrastructure.exchanges.bybit.rest import JSON, BybitAccount
from app.infrastructure.exchanges.bybit.wire import modes, orders, protections, terms
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.bybit.wire.codes import (
    LEVERAGE_UNCHANGED,
    MARGIN_MODE_UNCHANGED,
    POSITION_MODE_UNCHANGED,
)
from app.infrastructure.exchanges.bybit.wire.signing import KEY_HEADER, signed_headers
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.shared import VenueShared

_CREATE: Final = "/v5/order/create"
_WOULD_TRIGGER: Final = "would_trigger"


class BybitGateway:
    """Implements ExchangeGateway. Slotted and without a connection of its own: ten thousand of them are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = BybitAccount(shared, account, sealed)

    @property
    def _category(self) -> Category:
        return CATEGORIES[self._account.shared.venue]

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, signed with its own timestamp, if its window is still open; never raises."""
        reply = await post_once(
            self._account.shared, _CREATE, order, lambda: self._sign(order, orders.place_text(order))
        )
        if not isinstance(reply, Reply):
            return reply
        self._account.note_orders(reply)
        outcome = orders.outcome(order, reply.status, reply.body, reply.headers)
        self._note_clock(outcome)
        return outcome

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the protection once, as an order is; never raises."""
        shared = self._account.shared
        if self._category.is_spot and self._would_trigger(protection):
            # Told no direction, a spot market would take it for the other kind and wait.
            return DefiniteNo(
                RefusalKind.WOULD_TRIGGER, _WOULD_TRIGGER, "The trigger is on the wrong side of the price."
            )
        reply = await post_once(
            shared, _CREATE, protection, lambda: self._sign(protection, protections.protect_text(protection))
        )
        if not isinstance(reply, Reply):
            return reply
        self._account.note_orders(reply)
        outcome = protections.protection_outcome(protection, reply.status, reply.body, reply.headers)
        self._note_clock(outcome)
        return outcome

    def _would_trigger(self, protection: PlaceProtection) -> bool:
        mark = self._account.shared.marks.marks.get(protection.instrument.symbol)
        if mark is None:
            return False
        rises = protection.kind.rises(protection.side)
        return mark >= protection.trigger if rises else mark <= protection.trigger

    def _sign(self, request: PlaceOrder | PlaceProtection, text: str) -> SignedOrder:
        key = self._account.key()
        headers = signed_headers(
            key.headers[KEY_HEADER],
            key.secret,
            text,
            timestamp_ms=request.signed_ms,
            window_ms=request.valid_ms,
        )
        return SignedOrder({**headers, **JSON}, text.encode())

    def _note_clock(self, outcome: Outcome | ProtectionOutcome) -> None:
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            self._account.shared.clock.suspect()

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel the order and ask what became of it; None when the venue does not know it, which does not prove that
        it never was. It cancels after its acknowledgement, so the report may still say OPEN.
        """
        text = orders.cancel_text(instrument, client_order_id)
        if not await lookups.cancelled(self._account, text, client_order_id):
            return None
        return await self.order(instrument, client_order_id)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id; None when the venue answered that there is none."""
        return await lookups.find(
            self._account,
            orders.order_text(instrument, client_order_id),
            lambda body: orders.read_order(instrument, body, client_order_id=client_order_id),
        )

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Look the order up by the venue's id; None when the venue answered that there is none."""
        return await lookups.find(
            self._account,
            orders.order_text(instrument, order_id=order_id),
            lambda body: orders.read_order(instrument, body, order_id=order_id),
        )

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the markets that we trade."""
        return await lookups.open_orders(self._account, instrument)

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel the protection and ask what became of it, as with an order."""
        text = protections.cancel_protection_text(instrument, client_order_id)
        if not await lookups.cancelled(self._account, text, client_order_id):
            return None
        return await self.protection(instrument, client_order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Look the protection up by our id; None when the venue answered that there is none."""
        return await lookups.find(
            self._account,
            orders.order_text(instrument, client_order_id),
            lambda body: protections.read_protection(instrument, client_order_id, body),
        )

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections on the markets that we trade."""
        return await lookups.open_protections(self._account, instrument)

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return all executions of an order, since a time, or of the last seven days; oldest first."""
        return await Executions(self._account, instrument).fetch(since, order_id)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat; at spot the coins held that can be traded."""
        return await holdings.held(self._account)

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, of USDT without a name; an inverse market's asset must be named."""
        return await holdings.balance(self._account, asset)

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first; coins pay none."""
        return [] if self._category.is_spot else await holdings.funding(self._account, since)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage; the venue confirms with a bare yes, or with 110043 when it was so already."""
        self._needs_positions("leverage")
        await self._set(
            "/v5/position/set-leverage", modes.leverage_text(instrument, leverage), LEVERAGE_UNCHANGED
        )
        return leverage

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode, which is one for the whole account."""
        self._needs_positions("margin mode")
        try:
            await self._account.post(
                "/v5/account/set-margin-mode", modes.margin_mode_text(mode), modes.read_margin_mode
            )
        except VenueRefused as refusal:
            if refusal.venue_code != MARGIN_MODE_UNCHANGED:
                raise

    async def position_mode(self) -> PositionMode:
        """Return whether positions net; where there is no hedge mode they do."""
        if self._category.kind is not MarketKind.LINEAR:
            return PositionMode.ONE_WAY
        return await holdings.position_mode(self._account)

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set the mode of every contract, and look: the venue leaves out those with positions or orders."""
        self._needs_positions("position mode")
        if self._category.kind is MarketKind.INVERSE:
            if mode is PositionMode.HEDGE:
                raise VenueUnsupported("Inverse perpetuals have no hedge mode.")
            return
        await self._set(
            "/v5/position/switch-mode",
            modes.position_mode_text(self._category, mode),
            POSITION_MODE_UNCHANGED,
        )
        if await self.position_mode() is not mode:
            raise VenueRefused(
                "The position mode stayed as it was on contracts with positions or orders.",
                RefusalKind.MODE,
                "unchanged",
            )

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        return await self._account.get(
            "/v5/account/fee-rate",
            terms.fee_rates_text(instrument),
            lambda body: terms.read_fee_rates(body, instrument),
        )

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        category = self._category
        return await self._account.get(
            "/v5/user/query-api", "", lambda body: terms.read_key_facts(body, category)
        )

    def _needs_positions(self, what: str) -> None:
        if self._category.is_spot:
            raise VenueUnsupported(f"A spot market has no {what}.")

    async def _set(self, path: str, text: str, unchanged: str) -> None:
        try:
            await self._account.post(path, text, lambda _: None)
        except VenueRefused as refusal:
            if refusal.venue_code != unchanged:
                raise
