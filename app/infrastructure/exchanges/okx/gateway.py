"""One account at OKX, spot or swap: the gateway port over HTTP. It tries once, and tells exactly what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

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
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.okx import history
from app.infrastructure.exchanges.okx.rest import OkxAccount
from app.infrastructure.exchanges.okx.wire import accounts, orders, protections
from app.infrastructure.exchanges.okx.wire.refusals import CANCEL_TOO_LATE, MODE_IN_USE, ORDER_UNKNOWN
from app.infrastructure.exchanges.okx.wire.terms import QUOTE, listed_one
from app.infrastructure.exchanges.shared import VenueShared


class OkxGateway:
    """Implements ExchangeGateway. Slotted and without a connection of its own: ten thousand of them are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = OkxAccount(shared, account, sealed)

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, if its window is still open; never raises."""
        account, terms = self._account, self._account.terms
        reply = await account.post_signed(
            "/api/v5/trade/order", order, lambda: orders.place_text(order, terms)
        )
        if not isinstance(reply, Reply):
            return reply
        outcome = orders.outcome(order, terms, reply.status, reply.body, reply.headers)
        self._suspect_clock(outcome)
        return outcome

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the protection once, if its window is still open; never raises. The venue documents its expiry for orders
        alone: should it not heed it here, a delayed copy may be taken until 30 s after the signature, once under its id.
        """
        account, terms = self._account, self._account.terms
        reply = await account.post_signed(
            "/api/v5/trade/order-algo", protection, lambda: protections.place_text(protection, terms)
        )
        if not isinstance(reply, Reply):
            return reply
        outcome = protections.outcome(protection, terms, reply.status, reply.body, reply.headers)
        self._suspect_clock(outcome)
        return outcome

    def _suspect_clock(self, outcome: Outcome | ProtectionOutcome) -> None:
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            self._account.shared.clock.suspect()

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel the order and ask what became of it; None when the venue does not know it. The venue carries a
        cancellation out after its acknowledgement, so the report may still say OPEN.
        """
        try:
            await self._account.post(
                "/api/v5/trade/cancel-order",
                orders.cancel_text(instrument, client_order_id),
                lambda body: orders.read_acknowledged(client_order_id, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code not in CANCEL_TOO_LATE | ORDER_UNKNOWN:
                raise
        return await self.order(instrument, client_order_id)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id, None when the venue answered that there is none. Of several orders under one id
        it tells the latest; one that was cancelled without executions it forgets after two hours.
        """
        listed = listed_one(self._account.terms, instrument)
        path = orders.order_path(instrument, client_order_id)
        try:
            return await self._account.get(
                path, lambda body: orders.read_order(listed, body, client_order_id=client_order_id)
            )
        except VenueRefused as refusal:
            _raise_unless_unknown(refusal)
            return None

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Look the order up by the venue's id, None when the venue answered that there is none."""
        listed = listed_one(self._account.terms, instrument)
        path = orders.order_path_by_venue_id(instrument, order_id)
        try:
            return await self._account.get(
                path, lambda body: orders.read_order(listed, body, order_id=order_id)
            )
        except VenueRefused as refusal:
            _raise_unless_unknown(refusal)
            return None

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the markets that we trade, every page."""
        account, listed = self._account, await self._account.listed()

        async def ask(after: str) -> tuple[list[OrderReport], str]:
            path = orders.open_orders_path(listed.terms, instrument, after)
            return await account.get(path, lambda body: orders.read_open_orders(listed, body))

        return await account.pages(ask)

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, every page; with neither `since` nor `order_id` of the last three days."""
        return await history.fills(self._account, instrument, since, order_id)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat, at spot the coins held; a contract new to us makes the listing be read
        again.
        """
        account = self._account
        instruments, listed = account.shared.instruments, await account.listed()
        if account.terms.is_spot:
            path = accounts.balance_path("")
            return await account.get(path, lambda body: accounts.read_holdings(listed.names, body))
        found, strangers = await self._positions()
        if strangers and await instruments.learn(strangers):
            found, strangers = await self._positions()
        if strangers:
            account.log_strangers(strangers)
        return found

    async def _positions(self) -> tuple[list[VenuePosition], list[str]]:
        listed = await self._account.listed()
        path = f"{accounts.POSITIONS}?instType={listed.terms.inst_type}"
        return await self._account.get(path, lambda body: accounts.read_positions(listed, body))

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, USDT without a name."""
        terms, name = self._account.terms, asset or QUOTE
        return await self._account.get(
            accounts.balance_path(name), lambda body: accounts.read_balance(terms, name, body)
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page; the venue keeps three months. Nothing at spot."""
        return [] if self._account.terms.is_spot else await history.funding(self._account, since)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage of both margin modes, which the venue keeps apart, and return the least that it confirmed."""
        self._contracts_only("leverage")
        sides = ("",) if await self.position_mode() is PositionMode.ONE_WAY else ("long", "short")
        wanted = [(MarginMode.CROSS, ""), *((MarginMode.ISOLATED, side) for side in sides)]
        told: list[int] = []
        for mode, side in wanted:
            told.append(
                await self._account.post(
                    "/api/v5/account/set-leverage",
                    accounts.leverage_text(instrument, leverage, mode, side),
                    lambda body: accounts.read_leverage(instrument, body),
                )
            )
        return min(told)

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Nothing to send: here every order names its own margin mode."""
        self._contracts_only("margin mode")

    async def position_mode(self) -> PositionMode:
        """Return whether positions net; at spot there is nothing else."""
        if self._account.terms.is_spot:
            return PositionMode.ONE_WAY
        return await self._account.get(accounts.CONFIG, accounts.read_position_mode)

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set whether positions net; the venue refuses while anything is open, even where nothing would change."""
        self._contracts_only("position mode")
        try:
            await self._account.post(
                "/api/v5/account/set-position-mode", accounts.mode_text(mode), lambda _: None
            )
        except VenueRefused as refusal:
            if refusal.venue_code != MODE_IN_USE or await self.position_mode() is not mode:
                raise

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        terms = self._account.terms
        return await self._account.get(
            accounts.fees_path(terms, instrument), lambda body: accounts.read_fees(terms, body)
        )

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel the protection by the id that the venue gave it, and ask what became of it; None when the venue does
        not know it.
        """
        found = await self.protection(instrument, client_order_id)
        if found is None or found.status.is_final:
            return found
        waiting = found.protection_id
        try:
            await self._account.post(
                "/api/v5/trade/cancel-algos",
                protections.cancel_text(instrument, waiting),
                lambda body: protections.read_cancelled(waiting, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code not in CANCEL_TOO_LATE | ORDER_UNKNOWN:
                raise
        return await self.protection(instrument, client_order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Look the protection up by our id, None when the venue answered that there is none."""
        listed = listed_one(self._account.terms, instrument)
        path = protections.protection_path(client_order_id)
        try:
            return await self._account.get(
                path, lambda body: protections.read_protection(listed, client_order_id, body)
            )
        except VenueRefused as refusal:
            _raise_unless_unknown(refusal)
            return None

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections on the markets that we trade, every page."""
        account, listed = self._account, await self._account.listed()

        async def ask(after: str) -> tuple[list[ProtectionReport], str]:
            path = protections.open_protections_path(listed.terms, instrument, after)
            return await account.get(path, lambda body: protections.read_open_protections(listed, body))

        return await account.pages(ask)

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        return await self._account.get(accounts.CONFIG, accounts.read_key_facts)

    def _contracts_only(self, what: str) -> None:
        if self._account.terms.is_spot:
            raise VenueUnsupported(f"A spot market has no {what}.", venue=self._account.shared.venue.value)


def _raise_unless_unknown(refusal: VenueRefused) -> None:
    if refusal.venue_code not in ORDER_UNKNOWN:
        raise refusal
