"""One account of contracts, USD-M or COIN-M: positions, wallets, funding, leverage and modes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.exchanges.outcomes import VenueRefused, VenueUnsupported
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import FeeRates, FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.binance.gateway import BinanceGateway
from app.infrastructure.exchanges.binance.wire import accounts, orders, settings
from app.infrastructure.exchanges.binance.wire.refusals import MARGIN_MODE_UNCHANGED, POSITION_MODE_UNCHANGED


class BinanceFuturesGateway(BinanceGateway):
    """Implements ExchangeGateway."""

    __slots__ = ()

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
            "GET", self._dialect.positions, "", lambda body: accounts.read_positions(body, names)
        )

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return a wallet; at COIN-M each coin has its own, so there the asset is needed (VenueUnsupported)."""
        collateral = self._dialect.collateral
        wanted = asset or collateral
        if wanted is None:
            raise VenueUnsupported("Each market settles in its own coin: name the asset of the wallet.")
        return await self._account.call(
            "GET",
            self._dialect.balances,
            "",
            lambda body: accounts.read_balance(body, wanted, told=wanted == collateral),
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first, every page."""
        await self._account.shared.instruments.ready()
        names, collateral = self._account.shared.instruments.names, self._dialect.collateral
        collected: dict[str, FundingPayment] = {}
        start = epoch_ms(since)
        while True:
            page, rows = await self._account.call(
                "GET",
                self._dialect.root + "/income",
                accounts.funding_text(start),
                lambda body: accounts.read_funding(body, names, collateral),
            )
            fresh = [payment for payment in page if payment.payment_id not in collected]
            collected.update((payment.payment_id, payment) for payment in fresh)
            if rows < accounts.PAGE or not page:
                return list(collected.values())
            # Rows of one instant may straddle two pages, so the next begins at the last one's own time.
            start = epoch_ms(page[-1].at) + (0 if fresh else 1)

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage and return what the venue confirmed."""
        return await self._account.call(
            "POST",
            self._dialect.root + "/leverage",
            settings.leverage_text(instrument, leverage),
            lambda body: settings.read_leverage(instrument, body),
        )

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode of one market; -4046 says that it was so already."""
        await self._set("/marginType", settings.margin_mode_text(instrument, mode), MARGIN_MODE_UNCHANGED)

    async def position_mode(self) -> PositionMode:
        """Return whether positions net, which is a setting of the whole account."""
        return await self._account.call(
            "GET", self._dialect.root + "/positionSide/dual", "", settings.read_position_mode
        )

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set whether positions net; -4059 says that it was so already."""
        await self._set("/positionSide/dual", settings.position_mode_text(mode), POSITION_MODE_UNCHANGED)

    async def _set(self, path: str, text: str, unchanged: str) -> None:
        try:
            await self._account.call("POST", self._dialect.root + path, text, settings.read_done)
        except VenueRefused as refusal:
            if refusal.venue_code != unchanged:
                raise

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        return await self._account.call(
            "GET",
            self._dialect.root + "/commissionRate",
            orders.open_orders_text(instrument),
            lambda body: settings.read_fees(instrument, body),
        )
