"""One account at Bybit: the gateway port over HTTP. It tries once, and tells exactly what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.domain.exchanges.outcomes import DefiniteNo, Outcome, RefusalKind, VenueRefused
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill, FundingPayment, OrderReport, VenueBalance, VenuePosition
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bybit.executions import Executions, windows
from app.infrastructure.exchanges.bybit.rest import JSON, BybitAccount
from app.infrastructure.exchanges.bybit.wire import accounts, orders
from app.infrastructure.exchanges.bybit.wire.refusals import LEVERAGE_UNCHANGED, ORDER_ENDED, ORDER_UNKNOWN
from app.infrastructure.exchanges.bybit.wire.signing import KEY_HEADER, signed_headers
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.shared import VenueShared

_CREATE: Final = "/v5/order/create"
_REALTIME: Final = "/v5/order/realtime"
_HISTORY: Final = "/v5/order/history"
_LOG: Final = "/v5/account/transaction-log"


class BybitLinearGateway:
    """Implements ExchangeGateway. Slotted and without a connection of its own: ten thousand of them are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = BybitAccount(shared, account, sealed)

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, signed with its own timestamp, if its window is still open; never raises."""
        account = self._account

        def sign() -> SignedOrder:
            key, text = account.key(), orders.place_text(order)
            headers = signed_headers(
                key.headers[KEY_HEADER],
                key.secret,
                text,
                timestamp_ms=order.signed_ms,
                window_ms=order.valid_ms,
            )
            return SignedOrder({**headers, **JSON}, text.encode())

        reply = await post_once(account.shared, _CREATE, order, sign)
        if not isinstance(reply, Reply):
            return reply
        account.note_orders(reply)
        outcome = orders.outcome(order, reply.status, reply.body, reply.headers)
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            account.shared.clock.suspect()
        return outcome

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel the order and ask what became of it; None on the venue's 110001, which does not prove that it never
        was. The venue carries a cancellation out after its acknowledgement, so the report may still say OPEN.
        """
        try:
            await self._account.post(
                "/v5/order/cancel",
                orders.cancel_text(instrument, client_order_id),
                lambda body: orders.read_acknowledged(client_order_id, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code in ORDER_UNKNOWN:
                return None
            if refusal.venue_code not in ORDER_ENDED:
                raise
        return await self.order(instrument, client_order_id)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id among the live and latest ones, then in the history; None when both answered
        that there is none.
        """
        found = await self._look(_REALTIME, instrument, client_order_id)
        return found if found is not None else await self._look(_HISTORY, instrument, client_order_id)

    async def _look(
        self, path: str, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        try:
            return await self._account.get(
                path,
                orders.order_text(instrument, client_order_id),
                lambda body: orders.read_order(instrument, client_order_id, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code in ORDER_UNKNOWN:
                return None
            raise

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the contracts that we trade, every page."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        found: list[OrderReport] = []
        cursor = ""
        while True:
            page, following = await self._account.get(
                _REALTIME,
                orders.open_orders_text(instrument, cursor),
                lambda body: orders.read_open_orders(body, names),
            )
            found.extend(page)
            if not following or following == cursor:
                return found
            cursor = following

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, every page, with the profit that the venue's log tells of each.

        With neither `since` nor `order_id` the venue shows the last seven days.
        """
        return await Executions(self._account, instrument).fetch(since, order_id)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat; one on a contract new to us makes the listing be read again."""
        instruments = self._account.shared.instruments
        await instruments.ready()
        found, strangers = await self._positions()
        if strangers and await instruments.learn(strangers):
            found, strangers = await self._positions()
        if strangers:
            self._account.log_strangers(strangers)
        return found

    async def _positions(self) -> tuple[list[VenuePosition], list[str]]:
        names = self._account.shared.instruments.names
        found: list[VenuePosition] = []
        strangers: list[str] = []
        cursor = ""
        while True:
            page, unknown, following = await self._account.get(
                "/v5/position/list",
                accounts.positions_text(cursor),
                lambda body: accounts.read_positions(body, names),
            )
            found.extend(page)
            strangers.extend(unknown)
            if not following or following == cursor:
                return found, strangers
            cursor = following

    async def balance(self) -> VenueBalance:
        """Return the USDT wallet."""
        return await self._account.get(
            "/v5/account/wallet-balance", accounts.balance_text(), accounts.read_balance
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page of every seven days."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        collected: dict[str, FundingPayment] = {}
        for window in windows(epoch_ms(since), epoch_ms(self._account.shared.now())):
            cursor = ""
            while True:
                page, following = await self._account.get(
                    _LOG,
                    accounts.funding_text(window, cursor),
                    lambda body: accounts.read_funding(body, names),
                )
                collected.update((payment.payment_id, payment) for payment in page)
                if not following or following == cursor:
                    break
                cursor = following
        return sorted(collected.values(), key=lambda payment: payment.at)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage; the venue confirms with a bare yes, or with 110043 when it was so already."""
        try:
            await self._account.post(
                "/v5/position/set-leverage", accounts.leverage_text(instrument, leverage), lambda _: None
            )
        except VenueRefused as refusal:
            if refusal.venue_code != LEVERAGE_UNCHANGED:
                raise
        return leverage

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        return await self._account.get("/v5/user/query-api", "", accounts.read_key_facts)
