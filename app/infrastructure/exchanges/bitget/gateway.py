"""One account at Bitget: what the spot and the futures gateway share. It tries once, and tells exactly what it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Outcome,
    RefusalKind,
    Unknown,
    VenueError,
    VenueRefused,
)
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import FeeRates, Fill, OrderReport
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bitget.pages import every_page, windows
from app.infrastructure.exchanges.bitget.protecting import Protecting
from app.infrastructure.exchanges.bitget.rest import BitgetAccount
from app.infrastructure.exchanges.bitget.wire import fills, orders, reports, rights
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.refusals import ORDER_UNKNOWN
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.shared import VenueShared


class BitgetGateway:
    """Implements what of ExchangeGateway is alike; `product` is the line. Slotted and without a connection of its own."""

    __slots__ = ("_account", "_product")

    def __init__(self, product: Product, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._product = product
        self._account = BitgetAccount(shared, account, sealed)

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, signed with its own timestamp, if its window is still open; never raises."""
        account, product = self._account, self._product

        def sign() -> SignedOrder:
            text = orders.place_text(product, order, self._fresh_mark(order))
            return account.signed_order(product.place, text, order.signed_ms)

        reply = await post_once(account.shared, product.place, order, sign)
        if not isinstance(reply, Reply):
            return reply
        account.note_orders(reply)
        found = orders.acknowledged(order.client_order_id, reply.status, reply.body, reply.headers)
        if isinstance(found, orders.Acknowledged):
            return await self._accepted(order, found)
        if isinstance(found, DefiniteNo) and found.kind is RefusalKind.CLOCK:
            account.shared.clock.suspect()
        return found

    def _fresh_mark(self, order: PlaceOrder) -> Price | None:
        """Return the mark if it is known and young enough to bound a purchase by."""
        shared = self._account.shared
        if order.instrument.symbol not in shared.marks.marks:
            return None
        mark, age_ms = shared.marks.mark(order.instrument.symbol)
        return mark if age_ms <= shared.settings.marks_age_max_s * 1000 else None

    async def _accepted(self, order: PlaceOrder, found: orders.Acknowledged) -> Outcome:
        if found.order_id is not None:
            return orders.accepted(self._product, order, found.order_id, found.at_ms)
        # A reduce-only order that displaced older ones is acknowledged without its id: the look-up tells it.
        try:
            report = await self.order(order.instrument, order.client_order_id)
        except VenueError as error:
            return Unknown(f"acknowledged without an order id, and not found: {error.code}")
        return (
            Unknown("acknowledged without an order id, and not found") if report is None else Accepted(report)
        )

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel the order and ask what became of it; None when the venue knows no such order, which does not prove
        that it never was. The venue carries a cancellation out after its answer, so the report may still say OPEN.
        """
        text = orders.cancel_text(self._product, instrument, client_order_id)
        try:
            await self._account.post(self._product.cancel, text, lambda _: None)
        except VenueRefused as refusal:
            if refusal.venue_code not in ORDER_UNKNOWN:
                raise
        return await self.order(instrument, client_order_id)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id; None when the venue answered that there is none."""
        return await self._look(
            orders.look_up_text(self._product, instrument, "clientOid", client_order_id),
            lambda body: reports.read_order(self._product, instrument, body, client_order_id=client_order_id),
        )

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Look the order up by the venue's id; None when the venue answered that there is none."""
        return await self._look(
            orders.look_up_text(self._product, instrument, "orderId", order_id),
            lambda body: reports.read_order(self._product, instrument, body, order_id=order_id),
        )

    async def _look(self, query: str, read: Callable[[bytes], OrderReport | None]) -> OrderReport | None:
        try:
            return await self._account.get(self._product.look_up, query, read)
        except VenueRefused as refusal:
            if refusal.venue_code in ORDER_UNKNOWN:
                return None
            raise

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the markets that we trade, every page."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        return await every_page(
            self._account,
            self._product.pending,
            lambda before: orders.page_text(self._product, instrument, before),
            lambda body: reports.read_open_orders(self._product, body, names),
        )

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, every page; with neither `since` nor `order_id` those of ninety days."""
        shared, rates = self._account.shared, self._account.shared.marks.marks
        spans: list[tuple[int, int] | None] = [None]
        if order_id is None:
            spans = list(windows(0 if since is None else epoch_ms(since), epoch_ms(shared.now())))
        found: dict[str, Fill] = {}
        for span in spans:
            page = await every_page(
                self._account,
                self._product.fills,
                partial(fills.fills_text, self._product, instrument, order_id, span),
                lambda body: fills.read_fills(self._product, instrument, body, rates),
            )
            # The venue lists the newest first; executions of one instant keep the order in which it counts them.
            for fill in reversed(page):
                if since is None or fill.at >= since:
                    found.setdefault(fill.trade_id, fill)
        return sorted(found.values(), key=lambda fill: fill.at)

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        return await self._account.get(
            rights.RATES, rights.rates_text(self._product, instrument), rights.read_fee_rates
        )

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do; the venue asks for the right to read spot here too."""
        return await self._account.get(
            rights.INFO, "", lambda body: rights.read_key_facts(self._product, body)
        )

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the protection once, signed with its own timestamp, if its window is still open; never raises."""
        return await Protecting(self._account, self._product).place(protection)

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel the protection and ask what became of it."""
        return await Protecting(self._account, self._product).cancel(instrument, client_order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Look the protection up by our id."""
        return await Protecting(self._account, self._product).find(instrument, client_order_id)
