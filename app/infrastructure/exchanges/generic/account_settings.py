"""How an account is set up at an exchange of the library: leverage, margin mode, position mode, fees."""

from __future__ import annotations

from typing import Any

from app.domain.exchanges.outcomes import VenueRefused, VenueUnsupported
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.generic.account import GenericAccount, single
from app.infrastructure.exchanges.generic.recipe import Row
from app.infrastructure.exchanges.generic.rows import decimal
from app.infrastructure.exchanges.reading import Unreadable


class AccountSettings:
    """The part of the gateway port that reads and changes settings; each change is asked for once."""

    __slots__ = ("_account",)

    def __init__(self, account: GenericAccount) -> None:
        self._account = account

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage; the library passes on no more than a yes."""
        if not self._account.recipe.leverage:
            raise VenueUnsupported("The leverage of a market cannot be set here.")
        unified = self._account.unified(instrument)
        for params in self._account.recipe.leverage:
            await self._change(lambda client, said=params: client.set_leverage(leverage, unified, dict(said)))
        return leverage

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode of a market; where each order says it, there is nothing to set."""
        if self._account.recipe.margin_per_order:
            return
        await self._offered("set_margin_mode")
        unified = self._account.unified(instrument)
        await self._change(lambda client: client.set_margin_mode(mode.value.lower(), unified))

    async def position_mode(self) -> PositionMode:
        """Return whether positions net."""
        own = self._account.recipe.position_mode
        if own is not None:
            return await self._account.ask(own, lambda mode: PositionMode(mode))
        await self._offered("fetch_position_mode")
        some = next(iter(self._account.by_unified()), None)

        def read(answer: object) -> PositionMode:
            hedged = single(answer).get("hedged")
            if not isinstance(hedged, bool):
                raise Unreadable("no position mode")
            return PositionMode.HEDGE if hedged else PositionMode.ONE_WAY

        return await self._account.ask(lambda client: client.fetch_position_mode(some), read)

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set whether positions net; no change is no refusal."""
        await self._offered("set_position_mode")
        some = next(iter(self._account.by_unified()), None)
        await self._change(lambda client: client.set_position_mode(mode is PositionMode.HEDGE, some))

    async def _offered(self, method: str) -> None:
        client = await self._account.client()
        if not self._account.has(client, method):
            raise VenueUnsupported("The venue has no such setting.")

    async def _change(self, do: Any) -> None:
        try:
            await self._account.ask_for(do, lambda answer: True)
        except VenueRefused as refusal:
            if refusal.venue_code not in self._account.recipe.unchanged:
                raise

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        await self._offered("fetch_trading_fee")
        unified = self._account.unified(instrument)

        def read(answer: object) -> FeeRates:
            row: Row = single(answer)
            maker, taker = decimal(row, "maker"), decimal(row, "taker")
            if maker is None or taker is None:
                raise Unreadable("fees without rates")
            return FeeRates(maker, taker)

        return await self._account.ask(lambda client: client.fetch_trading_fee(unified), read)
