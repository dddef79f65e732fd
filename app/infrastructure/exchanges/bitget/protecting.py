"""Protections of one Bitget account: placed once, looked up among the waiting ones, then among the ended ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from app.domain.exchanges.outcomes import DefiniteNo, RefusalKind, VenueRefused
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.shared.clock import epoch_ms
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.bitget.pages import OLDEST_MS, every_page
from app.infrastructure.exchanges.bitget.rest import BitgetAccount
from app.infrastructure.exchanges.bitget.wire import plans, protections
from app.infrastructure.exchanges.bitget.wire.orders import Acknowledged, acknowledged
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.refusals import PLAN_UNKNOWN
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once


class Protecting:
    """What a gateway does about protections; made for one call."""

    __slots__ = ("_account", "_product")

    def __init__(self, account: BitgetAccount, product: Product) -> None:
        self._account = account
        self._product = product

    async def place(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the protection once.

        A spot plan waits from whichever side the price is on, so one that the mark has passed would wait for the
        opposite: it is refused here, as the venue itself refuses it for futures.
        """
        account, product = self._account, self._product
        mark = account.shared.marks.marks.get(protection.instrument.symbol)
        if product.is_spot and (mark is None or protections.would_trigger(protection, mark)):
            why = "the mark is at or past the trigger" if mark is not None else "no mark is known"
            return DefiniteNo(RefusalKind.WOULD_TRIGGER, "mark", f"Not sent: {why}.")

        def sign() -> SignedOrder:
            text = protections.protect_text(product, protection)
            return account.signed_order(product.plan_place, text, protection.signed_ms)

        reply = await post_once(account.shared, product.plan_place, protection, sign)
        if not isinstance(reply, Reply):
            return reply
        found = acknowledged(protection.client_order_id, reply.status, reply.body, reply.headers)
        if isinstance(found, Acknowledged):
            return protections.protected(product, protection, found)
        if isinstance(found, DefiniteNo) and found.kind is RefusalKind.CLOCK:
            account.shared.clock.suspect()
        return found

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> ProtectionReport | None:
        """Cancel it and ask what became of it. The venue answers a batch with what failed: only the look-up tells."""
        text = protections.cancel_plan_text(self._product, instrument, client_order_id)
        try:
            await self._account.post(self._product.plan_cancel, text, lambda _: None)
        except VenueRefused as refusal:
            if refusal.venue_code not in PLAN_UNKNOWN:
                raise
        return await self.find(instrument, client_order_id)

    async def find(self, instrument: Instrument, client_order_id: ClientOrderId) -> ProtectionReport | None:
        """Look it up by our id; None when both lists answered that they lack it."""
        account, product = self._account, self._product
        waiting = await self._listed(
            product.plan_pending,
            lambda before: protections.pending_text(product, instrument, before, client_order_id),
            instrument,
            client_order_id,
        )
        if waiting is not None:
            return waiting
        now = epoch_ms(account.shared.now())
        span = (now - OLDEST_MS, now + 60_000)
        return await self._listed(
            product.plan_history,
            lambda before: protections.history_text(product, instrument, span, before, client_order_id),
            instrument,
            client_order_id,
        )

    async def _listed(
        self,
        path: str,
        text: Callable[[str], str],
        instrument: Instrument,
        client_order_id: ClientOrderId,
    ) -> ProtectionReport | None:
        account, product = self._account, self._product
        names, marks = {instrument.venue_symbol: instrument.symbol}, account.shared.marks.marks
        try:
            found = await every_page(
                account, path, text, lambda body: plans.read_plans(product, body, names, marks)
            )
        except VenueRefused as refusal:
            if refusal.venue_code in PLAN_UNKNOWN:
                return None
            raise
        report = next((row for row in found if row.client_order_id == client_order_id), None)
        if report is None or report.status is not ProtectionStatus.TRIGGERED or not product.is_spot:
            return report
        became, failed = await account.get(
            protections.SUB_ORDERS, protections.sub_order_text(report.protection_id), plans.read_sub_order
        )
        return replace(report, order_id=became, status=ProtectionStatus.REJECTED if failed else report.status)

    async def waiting(self, instruments: Sequence[Instrument | None]) -> list[ProtectionReport]:
        """Return waiting protections, every page, of each market in turn (None: of all at once)."""
        account, product = self._account, self._product
        names, marks = account.shared.instruments.names, account.shared.marks.marks
        found: list[ProtectionReport] = []
        for instrument in instruments:
            rows = await every_page(
                account,
                product.plan_pending,
                partial(protections.pending_text, product, instrument),
                lambda body: plans.read_plans(product, body, names, marks),
            )
            found.extend(row for row in rows if not row.status.is_final)
        return found
