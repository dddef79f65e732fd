"""One account at Binance, on any of its markets: what the gateway port means over HTTP there. It tries once, and tells
exactly what it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import DefiniteNo, Outcome, RefusalKind, VenueRefused
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Venue
from app.infrastructure.exchanges.binance.dialects import DIALECTS, Dialect
from app.infrastructure.exchanges.binance.executions import Executions
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from app.infrastructure.exchanges.binance.wire import orders, settings
from app.infrastructure.exchanges.binance.wire.refusals import (
    ORDER_UNKNOWN_ON_CANCEL,
    ORDER_UNKNOWN_ON_QUERY,
)
from app.infrastructure.exchanges.binance.wire.signing import signed
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_FORM: Final = "application/x-www-form-urlencoded"


class BinanceGateway:
    """What is said alike on all markets. Slotted and without a connection of its own: ten thousand are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = BinanceAccount(shared, account, sealed)

    @property
    def _dialect(self) -> Dialect:
        return DIALECTS[self._account.shared.venue]

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, signed with its own timestamp, if its window is still open; never raises."""
        dialect = self._dialect
        reply = await post_once(
            self._account.shared, dialect.order, order, lambda: self._signed(dialect.place_text(order))
        )
        if not isinstance(reply, Reply):
            return reply
        outcome = dialect.outcome(order, reply.status, reply.body, reply.headers.get("Retry-After"))
        self._note(reply, outcome)
        return outcome

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """POST the protection once, signed with its own timestamp, if its window is still open; never raises."""
        words = self._dialect.protections
        reply = await post_once(
            self._account.shared, words.path, protection, lambda: self._signed(words.protect_text(protection))
        )
        if not isinstance(reply, Reply):
            return reply
        outcome = words.outcome(protection, reply.status, reply.body, reply.headers.get("Retry-After"))
        self._note(reply, outcome)
        return outcome

    def _signed(self, text: str) -> SignedOrder:
        key = self._account.key()
        return SignedOrder({**key.headers, "Content-Type": _FORM}, signed(key.secret, text).encode())

    def _note(self, reply: Reply, outcome: Outcome | ProtectionOutcome) -> None:
        self._account.note(reply)
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            self._account.shared.clock.suspect()

    async def _known(self, method: str, path: str, text: str, read: Callable[[bytes], T]) -> T | None:
        """Ask about one order or protection; None on the venue's own word that it knows none."""
        absent = ORDER_UNKNOWN_ON_CANCEL if method == "DELETE" else ORDER_UNKNOWN_ON_QUERY
        try:
            return await self._account.call(method, path, text, read)
        except VenueRefused as refusal:
            if refusal.venue_code == absent:
                return None
            raise

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """DELETE the order; None on the venue's -2011, which does not prove that it never was."""
        dialect, text = self._dialect, orders.order_text(instrument, client_order_id)
        return await self._known(
            "DELETE", dialect.order, text, lambda body: dialect.read_own(instrument, client_order_id, body)
        )

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id; None only on the venue's own -2013."""
        dialect, text = self._dialect, orders.order_text(instrument, client_order_id)
        return await self._known(
            "GET", dialect.order, text, lambda body: dialect.read_own(instrument, client_order_id, body)
        )

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Look the order up by the venue's id; None only on its own -2013."""
        dialect, text = self._dialect, orders.venue_order_text(instrument, order_id)
        return await self._known(
            "GET", dialect.order, text, lambda body: dialect.read_order(instrument, order_id, body)
        )

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the markets that we trade; what waits for a price is a protection, not one of them."""
        dialect = self._dialect
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        return await self._account.call(
            "GET",
            dialect.root + "/openOrders",
            orders.open_orders_text(instrument),
            lambda body: dialect.read_orders(body, names),
        )

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, every page; without client order ids, which the venue does not tell here.

        With neither `since` nor `order_id` the venue shows the newest page.
        """
        return await Executions(self._account, self._dialect, instrument).fetch(since, order_id)

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """DELETE the protection; None on the venue's -2011. Where the reply only says yes, the report is looked up."""
        words = self._dialect.protections
        text, confirm = words.name_text(instrument, client_order_id), words.read_cancelled
        if confirm is None:
            return await self._known(
                "DELETE", words.path, text, lambda body: words.read(instrument, client_order_id, body)
            )

        def confirmed(body: bytes) -> bool:
            confirm(instrument, client_order_id, body)
            return True

        if await self._known("DELETE", words.path, text, confirmed) is None:
            return None
        return await self.protection(instrument, client_order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Look the protection up by our id; None only on the venue's own -2013."""
        words = self._dialect.protections
        return await self._known(
            "GET",
            words.path,
            words.name_text(instrument, client_order_id),
            lambda body: words.read(instrument, client_order_id, body),
        )

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections on the markets that we trade."""
        words = self._dialect.protections
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        return await self._account.call(
            "GET",
            words.open_path,
            orders.open_orders_text(instrument),
            lambda body: words.read_open(body, names),
        )

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do, as the wallet's host tells it."""
        spot = self._account.shared.venue is Venue.BINANCE_SPOT
        return await self._account.call(
            "GET",
            "/sapi/v1/account/apiRestrictions",
            "",
            lambda body: settings.read_key_facts(body, spot=spot),
            wallet=True,
        )
