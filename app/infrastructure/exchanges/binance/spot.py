"""One spot account: coins held, wallets and fees. Leverage, margin and funding are not of this market.

Protections rest as STOP_LOSS and TAKE_PROFIT orders. Unlike those of contracts they trigger by the last price, for this
market has no mark, and they lock the coins that they would sell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from app.domain.exchanges.outcomes import VenueUnsupported
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FeeRates, FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.binance.gateway import BinanceGateway
from app.infrastructure.exchanges.binance.wire import orders, spot_accounts


class BinanceSpotGateway(BinanceGateway):
    """Implements ExchangeGateway."""

    __slots__ = ()

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the coins held that have a market of ours."""
        await self._account.shared.instruments.ready()
        names = self._account.shared.instruments.names
        return await self._account.call(
            "GET",
            "/api/v3/account",
            spot_accounts.BALANCES_TEXT,
            lambda body: spot_accounts.read_holdings(body, names),
        )

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, of USDT without a name; what open orders lock is in it, and is not available."""
        wanted = asset or spot_accounts.QUOTE
        return await self._account.call(
            "GET",
            "/api/v3/account",
            spot_accounts.BALANCES_TEXT,
            lambda body: spot_accounts.read_balance(body, wanted),
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return nothing: nobody pays for holding coins."""
        return []

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Raise VenueUnsupported."""
        _refuse("leverage")

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Raise VenueUnsupported."""
        _refuse("margin mode")

    async def position_mode(self) -> PositionMode:
        """Return ONE_WAY: a coin is held once."""
        return PositionMode.ONE_WAY

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Raise VenueUnsupported."""
        _refuse("position mode")

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market, before a discount."""
        return await self._account.call(
            "GET",
            "/api/v3/account/commission",
            orders.open_orders_text(instrument),
            lambda body: spot_accounts.read_fees(instrument, body),
        )


def _refuse(what: str) -> NoReturn:
    raise VenueUnsupported(f"A spot market has no {what}.")
