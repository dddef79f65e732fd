"""One account at Bitget USDT futures: positions, margin, leverage and modes besides the orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.protection import ProtectionReport
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bitget.gateway import BitgetGateway
from app.infrastructure.exchanges.bitget.pages import every_page, windows
from app.infrastructure.exchanges.bitget.protecting import Protecting
from app.infrastructure.exchanges.bitget.wire import accounts
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, MARGIN_ASSET
from app.infrastructure.exchanges.shared import VenueShared


class BitgetFuturesGateway(BitgetGateway):
    """Implements ExchangeGateway for USDT-settled perpetuals."""

    __slots__ = ()

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        super().__init__(FUTURES, shared, account, sealed)

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections on the contracts that we trade, every page."""
        await self._account.shared.instruments.ready()
        return await Protecting(self._account, self._product).waiting([instrument])

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
        return await self._account.get(
            accounts.POSITIONS, accounts.positions_text(), lambda body: accounts.read_positions(body, names)
        )

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, USDT without a name."""
        chosen = asset or MARGIN_ASSET
        return await self._account.get(
            accounts.ACCOUNTS, accounts.accounts_text(), lambda body: accounts.read_balance(body, chosen)
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page of every window."""
        shared = self._account.shared
        await shared.instruments.ready()
        names = shared.instruments.names
        found: dict[str, FundingPayment] = {}
        for span in windows(epoch_ms(since), epoch_ms(shared.now())):
            page = await every_page(
                self._account,
                accounts.BILLS,
                partial(accounts.funding_text, span),
                lambda body: accounts.read_funding(body, names),
            )
            found.update((payment.payment_id, payment) for payment in page if payment.at >= since)
        return sorted(found.values(), key=lambda payment: payment.at)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage and return what the venue confirmed; in isolated hedge mode each side has its own."""
        found = await self._account.post(
            accounts.LEVERAGE, accounts.leverage_text(instrument, leverage), accounts.read_leverages
        )
        if found.margin_mode == "isolated" and {found.long_leverage, found.short_leverage} != {str(leverage)}:
            for side in ("long", "short"):
                found = await self._account.post(
                    accounts.LEVERAGE,
                    accounts.leverage_text(instrument, leverage, side),
                    accounts.read_leverages,
                )
        return accounts.confirmed(found)

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode of a market, unless it is so already: positions would forbid it for nothing."""
        if (await self._modes(instrument.venue_symbol))[1] is not mode:
            await self._account.post(
                accounts.MARGIN_MODE, accounts.margin_mode_text(instrument, mode), lambda _: None
            )

    async def position_mode(self) -> PositionMode:
        """Return whether positions net; the venue tells it with any market."""
        instruments = self._account.shared.instruments
        await instruments.ready()
        market = next(iter(instruments.names), None)
        if market is None:
            raise VenueUnavailable("No market is listed, so the position mode cannot be asked for.")
        return (await self._modes(market))[0]

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set whether positions net, unless it is so already: positions would forbid it for nothing."""
        if await self.position_mode() is not mode:
            await self._account.post(
                accounts.POSITION_MODE, accounts.position_mode_text(mode), lambda _: None
            )

    async def _modes(self, market: str) -> tuple[PositionMode, MarginMode]:
        return await self._account.get(accounts.ACCOUNT, accounts.settings_text(market), accounts.read_modes)
