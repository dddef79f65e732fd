"""One account at Bitget spot: coins besides the orders, and nothing of what only positions have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from app.domain.exchanges.outcomes import VenueUnsupported
from app.domain.exchanges.protection import ProtectionReport
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bitget.gateway import BitgetGateway
from app.infrastructure.exchanges.bitget.protecting import Protecting
from app.infrastructure.exchanges.bitget.wire import coins
from app.infrastructure.exchanges.bitget.wire.products import MARGIN_ASSET, SPOT
from app.infrastructure.exchanges.shared import VenueShared


class BitgetSpotGateway(BitgetGateway):
    """Implements ExchangeGateway for the spot market."""

    __slots__ = ()

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        super().__init__(SPOT, shared, account, sealed)

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections. The venue lists them of one market at a time: without one, the markets of the
        coins that are held are asked in turn, for a plan to sell ties up coins.
        """
        shared = self._account.shared
        await shared.instruments.ready()
        markets: list[Instrument | None] = [instrument]
        if instrument is None:
            held = {row.symbol for row in await self.positions()}
            markets = [market for market in shared.instruments.known() if market.symbol in held]
        return await Protecting(self._account, self._product).waiting(markets)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the coins that are held and have a market here."""
        instruments = self._account.shared.instruments
        await instruments.ready()
        return await self._account.get(
            coins.ASSETS, coins.assets_text(), lambda body: coins.read_holdings(body, instruments.names)
        )

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of a coin, USDT without a name."""
        chosen = asset or MARGIN_ASSET
        return await self._account.get(
            coins.ASSETS, coins.assets_text(chosen), lambda body: coins.read_coin(body, chosen)
        )

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return nothing: coins pay no funding."""
        return []

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Refuse: there is none."""
        _unsupported("leverage")

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Refuse: there is none."""
        _unsupported("margin mode")

    async def position_mode(self) -> PositionMode:
        """Return that holdings net, as coins do."""
        return PositionMode.ONE_WAY

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Refuse: there is none."""
        _unsupported("position mode")


def _unsupported(what: str) -> NoReturn:
    raise VenueUnsupported(f"The spot market has no {what}.")
