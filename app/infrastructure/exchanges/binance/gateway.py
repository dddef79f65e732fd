"""One account at Binance USD-M: the gateway port over HTTP. It tries once, and tells exactly what it knows."""

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
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from app.infrastructure.exchanges.binance.wire import accounts, orders
from app.infrastructure.exchanges.binance.wire.refusals import (
    ORDER_UNKNOWN_ON_CANCEL,
    ORDER_UNKNOWN_ON_QUERY,
)
from app.infrastructure.exchanges.binance.wire.signing import signed
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.placing import SignedOrder, post_once
from app.infrastructure.exchanges.shared import VenueShared

_ORDER: Final = "/fapi/v1/order"
_FORM: Final = "application/x-www-form-urlencoded"
_TRADES_WINDOW_MS: Final = 7 * 86_400_000 - 1
"""The venue refuses to look at more than seven days of trades at once."""


class BinanceUsdmGateway:
    """Implements ExchangeGateway. Slotted and without a connection of its own: ten thousand of them are cheap."""

    __slots__ = ("_account",)

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._account = BinanceAccount(shared, account, sealed)

    async def place(self, order: PlaceOrder) -> Outcome:
        """POST the order once, signed with its own timestamp, if its window is still open; never raises."""
        account = self._account

        def sign() -> SignedOrder:
            key = account.key()
            text = orders.place_text(order)
            return SignedOrder({**key.headers, "Content-Type": _FORM}, signed(key.secret, text).encode())

        reply = await post_once(account.shared, _ORDER, order, sign)
        if not isinstance(reply, Reply):
            return reply
        account.note(reply)
        outcome = orders.outcome(order, reply.status, reply.body, reply.headers.get("Retry-After"))
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
            account.shared.clock.suspect()
        return outcome

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """DELETE the order; None on the venue's -2011, which does not prove that it never was."""
        try:
            return await self._account.call(
                "DELETE",
                _ORDER,
                orders.order_text(instrument, client_order_id),
                lambda body: orders.read_order(instrument, client_order_id, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code == str(ORDER_UNKNOWN_ON_CANCEL):
                return None
            raise

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look the order up by our id; None only on the venue's own -2013."""
        try:
            return await self._account.call(
                "GET",
                _ORDER,
                orders.order_text(instrument, client_order_id),
                lambda body: orders.read_order(instrument, client_order_id, body),
            )
        except VenueRefused as refusal:
            if refusal.venue_code == str(ORDER_UNKNOWN_ON_QUERY):
                return None
            raise

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the contracts that we trade."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        return await self._account.call(
            "GET", "/fapi/v1/openOrders", orders.open_orders_text(instrument),
            lambda body: orders.read_orders(body, names),
        )  # fmt: skip

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, every page; without client order ids, which the venue does not tell here.

        With neither `since` nor `order_id` the venue shows the last seven days.
        """
        if since is None or order_id is not None:
            found = await self._fill_pages(instrument, order_id, None)
            return [fill for fill in found if since is None or fill.at >= since]
        collected: dict[str, Fill] = {}
        start, now = epoch_ms(since), epoch_ms(self._account.shared.now()) + 60_000
        while start <= now:
            end = start + _TRADES_WINDOW_MS
            for fill in await self._fill_pages(instrument, None, (start, end)):
                collected.setdefault(fill.trade_id, fill)
            start = end + 1
        return list(collected.values())

    async def _fill_pages(
        self, instrument: Instrument, order_id: str | None, window: tuple[int, int] | None
    ) -> list[Fill]:
        found: list[Fill] = []
        from_id: int | None = None
        while True:
            page = await self._account.call(
                "GET", "/fapi/v1/userTrades",
                orders.fills_text(instrument, order_id=order_id, from_id=from_id, window=window),
                lambda body: orders.read_fills(instrument, body, self._account.shared.marks.marks),
            )  # fmt: skip
            found.extend(page)
            if len(page) < accounts.PAGE or (order_id is None and window is None):
                return found
            from_id = orders.last_trade_id(page) + 1

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
        return await self._account.call(
            "GET", "/fapi/v2/positionRisk", "", lambda body: accounts.read_positions(body, names)
        )

    async def balance(self) -> VenueBalance:
        """Return the USDT wallet."""
        return await self._account.call("GET", "/fapi/v3/balance", "", accounts.read_balance)

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        collected: dict[str, FundingPayment] = {}
        start = epoch_ms(since)
        while True:
            page, rows = await self._account.call(
                "GET", "/fapi/v1/income", accounts.funding_text(start),
                lambda body: accounts.read_funding(body, names),
            )  # fmt: skip
            fresh = [payment for payment in page if payment.payment_id not in collected]
            collected.update((payment.payment_id, payment) for payment in fresh)
            if rows < accounts.PAGE or not page:
                return list(collected.values())
            # Rows of one instant may straddle two pages, so the next begins at the last one's own time.
            start = epoch_ms(page[-1].at) + (0 if fresh else 1)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage and return what the venue confirmed."""
        return await self._account.call(
            "POST", "/fapi/v1/leverage", accounts.leverage_text(instrument, leverage),
            lambda body: accounts.read_leverage(instrument, body),
        )  # fmt: skip

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        return await self._account.call(
            "GET", "/sapi/v1/account/apiRestrictions", "", accounts.read_key_facts, wallet=True
        )
