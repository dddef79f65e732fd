"""One account at any exchange of the library: the gateway port. It tries once, and tells exactly what it knows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    NotSent,
    Outcome,
    RefusalKind,
    Unknown,
    VenueError,
    VenueRefused,
    VenueUnsupported,
)
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import (
    Fill,
    FundingPayment,
    OrderReport,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.generic.account import GenericAccount, listed, single
from app.infrastructure.exchanges.generic.account_settings import AccountSettings
from app.infrastructure.exchanges.generic.calls import during
from app.infrastructure.exchanges.generic.history import History, named
from app.infrastructure.exchanges.generic.holdings import balance_of, funding_of, position_of
from app.infrastructure.exchanges.generic.library import Library
from app.infrastructure.exchanges.generic.placing import accepted
from app.infrastructure.exchanges.generic.refusals import outcome_of_error
from app.infrastructure.exchanges.generic.rows import client_id, market_of, report_of
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared

_LOG: Final = logging.getLogger(__name__)


class GenericGateway(AccountSettings):
    """Implements ExchangeGateway, but for protections, which this folder does not place: the library's stop orders
    differ from exchange to exchange in what they can be found and cancelled by.
    """

    __slots__ = ()

    def __init__(self, shared: VenueShared, library: Library, account: AccountId, sealed: bytes) -> None:
        super().__init__(GenericAccount(shared, library, account, sealed))

    async def place(self, order: PlaceOrder) -> Outcome:
        """Send the order once, signed with its own timestamp, if its window is still open; never raises."""
        account, recipe = self._account, self._account.recipe
        if order.position_mode is PositionMode.HEDGE and not recipe.hedges:
            return NotSent(f"{reasons.UNSENDABLE}: positions net here")
        if order.type is OrderType.LIMIT and order.price is None:
            return NotSent(f"{reasons.UNSENDABLE}: a limit order without a price")
        try:
            client = await account.client()
            left_ms = order.signed_ms + order.valid_ms - account.shared.clock.latest_ms()
        except VenueRefused as refusal:
            return NotSent(f"{reasons.KEY_UNREADABLE}: {refusal.venue_code}")
        except (VenueError, DomainError) as error:
            return NotSent(f"{reasons.CLOCK_UNKNOWN}: {error.code}")
        if left_ms <= 0:
            return NotSent(f"{reasons.DEADLINE_PASSED}: the order's window closed before it was sent")
        call = account.library.call(order.signed_ms, account.shared.settings.order_timeout_s)
        call.once, call.leave_within_s = True, left_ms / 1000
        try:
            with during(call):
                row = await client.create_order(
                    account.unified(order.instrument),
                    order.type.value.lower(),
                    order.side.value.lower(),
                    order.quantity / order.instrument.contract_size,
                    order.price,
                    recipe.params(order),
                )
        except Exception as error:  # noqa: BLE001 - the library may raise anything
            outcome = outcome_of_error(error, call, recipe)
            if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.CLOCK:
                account.shared.clock.suspect()
            return outcome
        if not call.left or call.reply is None:
            return Unknown("the library answered without having asked")
        return await accepted(account, order, row)

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Find the order, cancel it by the exchange's own id and ask what became of it; None when it was not found."""
        found = await self.order(instrument, client_order_id)
        if found is None or found.status.is_final:
            return found
        unified = self._account.unified(instrument)
        try:
            # None where the exchange does not know it any more: it ended by itself, and how is asked below.
            await self._account.ask_for(
                lambda client: client.cancel_order(found.order_id, unified), lambda answer: True
            )
        except VenueRefused as refusal:
            after = await self.order_by_venue_id(instrument, found.order_id)
            if after is None or not after.status.is_final:
                raise refusal from None
            return named(after, client_order_id)
        after = await self.order_by_venue_id(instrument, found.order_id)
        return None if after is None else named(after, client_order_id)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Ask by our id where the exchange takes it, then look through the lists of resting and latest orders. None when
        all of them answered without it: at an exchange that is not asked by our id that proves less, see Capabilities.
        """
        account, unified = self._account, self._account.unified(instrument)
        look_up, spelled = account.recipe.look_up, account.recipe.spell(client_order_id)
        if look_up is not None:

            def read(answer: object) -> OrderReport | None:
                row = single(answer)
                if not account.recipe.is_ours(client_id(row), client_order_id):
                    raise Unreadable("the answer is about another order")
                return self._report(row, instrument)

            found = await account.ask_for(lambda client: look_up(client, unified, spelled), read)
            if found is not None:
                return named(found, client_order_id)
        return await History(account, instrument).order(client_order_id)

    def _report(self, answer: object, instrument: Instrument) -> OrderReport:
        account = self._account
        return report_of(single(answer), instrument, account.recipe, unified=account.unified(instrument))

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Ask by the exchange's own id; None when it answered that there is none."""
        unified = self._account.unified(instrument)

        def read(answer: object) -> OrderReport:
            found = self._report(answer, instrument)
            if found.order_id != order_id:
                raise Unreadable("the answer is about another order")
            return found

        return await self._account.ask_for(lambda client: client.fetch_order(order_id, unified), read)

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders on the markets that we trade; conditional ones are not orders."""
        account = self._account
        await account.shared.instruments.ready()
        if instrument is not None:
            sizes = {account.unified(instrument): instrument}
            name: str | None = account.unified(instrument)
        else:
            sizes, name = dict(account.by_unified()), None

        def read(answer: object) -> list[OrderReport]:
            pairs = [(row, market_of(row, sizes)) for row in listed(answer)]
            return [
                report_of(row, market, account.recipe, unified=account.unified(market))
                for row, market in pairs
                if market is not None
            ]

        found = await account.ask(lambda client: client.fetch_open_orders(name), read)
        return [report for report in found if not report.status.is_final]

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first, whatever the exchange's pages hold; without both the last seven days."""
        return await History(self._account, instrument).fills(since, order_id)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat; one on a market new to us makes the listing be read again."""
        instruments = self._account.shared.instruments
        await instruments.ready()
        found, strangers = await self._positions()
        if strangers and await instruments.learn(strangers):
            found, strangers = await self._positions()
        if strangers:
            self._account.log_strangers(strangers)
        return found

    async def _positions(self) -> tuple[list[VenuePosition], list[str]]:
        sizes = self._account.by_unified()

        def read(answer: object) -> list[VenuePosition | str | None]:
            return [position_of(row, sizes) for row in listed(answer)]

        rows = await self._account.ask(lambda client: client.fetch_positions(), read)
        known = [row for row in rows if isinstance(row, VenuePosition)]
        return known, [row for row in rows if isinstance(row, str)]

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, of the collateral without one."""
        recipe = self._account.recipe
        wanted = asset or recipe.quote
        return await self._account.ask(
            lambda client: client.fetch_balance({"type": "swap"}),
            lambda answer: balance_of(single(answer), wanted, recipe),
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first; where they must be asked for by market, of those with a position now."""
        account, first_ms = self._account, epoch_ms(since)
        await account.shared.instruments.ready()
        sizes = account.by_unified()

        def read(answer: object) -> list[FundingPayment]:
            return [funding_of(row, sizes) for row in listed(answer)]

        async def of(name: str | None) -> list[FundingPayment]:
            return await account.ask(lambda client: client.fetch_funding_history(name, first_ms), read)

        names: set[str | None] = {None}
        if account.recipe.funding_apart:
            held = {position.symbol for position in await self.positions()}
            names = {name for name, entry in sizes.items() if entry.symbol in held}
        found = {row.payment_id: row for name in names for row in await of(name) if row.at >= since}
        return sorted(found.values(), key=lambda row: row.at)

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """Nothing is sent: see the class."""
        return NotSent(f"{reasons.UNSENDABLE}: no protection rests at an exchange of the library")

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Raise VenueUnsupported."""
        raise VenueUnsupported("No protection rests at an exchange of the library.")

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Raise VenueUnsupported."""
        raise VenueUnsupported("No protection rests at an exchange of the library.")

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Raise VenueUnsupported."""
        raise VenueUnsupported("No protection rests at an exchange of the library.")

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do, where the exchange tells."""
        ask = self._account.recipe.key_facts
        if ask is None:
            raise VenueUnsupported("The venue does not tell what a key may do.")
        return await self._account.ask(ask, lambda facts: facts)
