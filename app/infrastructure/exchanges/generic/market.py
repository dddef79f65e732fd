"""The public side of an exchange of the library: its listing, marks and clock."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue, symbol
from app.domain.shared.money import Money, Price, Quantity
from app.infrastructure.exchanges.generic.calls import during, signing_ms
from app.infrastructure.exchanges.generic.library import Library
from app.infrastructure.exchanges.generic.recipe import Recipe, Row
from app.infrastructure.exchanges.generic.refusals import error_of_read
from app.infrastructure.exchanges.generic.rows import decimal, text, told
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import ZERO, Unreadable, number

_LOG: Final = logging.getLogger(__name__)
_SIZE_MAX: Final = Quantity(Decimal(10) ** 15)
_LEVERAGE: Final = 20
"""Where no limit is stated (or one, by which the library fills a gap): what all of them allow."""


class GenericMarket:
    """Implements ListedMarket."""

    def __init__(self, venue: Venue, library: Library) -> None:
        self._venue = venue
        self._library = library
        self._names: Mapping[str, Symbol] = {}

    async def listing(self) -> Listing:
        """Return the perpetuals quoted and settled in the recipe's asset; raises VenueError."""
        call = self._library.call(signing_ms())
        try:
            markets = await self._library.reload(call)
        except Exception as error:  # noqa: BLE001 - the library may raise anything
            raise error_of_read(error, call, self._library.recipe) from None
        listing = read_markets(self._venue, markets, self._library.recipe)
        if not listing.instruments:
            raise VenueUnavailable("The venue lists no market that is served.")
        self._names = {
            self._library.recipe.unified(entry.symbol.rpartition("-")[0]): entry.symbol
            for entry in listing.instruments
        }
        return listing

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the marks, the last prices at exchanges whose tickers hold none; raises VenueError."""
        recipe = self._library.recipe
        answer = await self._public(lambda client: getattr(client, recipe.marks)(None, {"type": "swap"}))
        if not isinstance(answer, dict):
            raise VenueUnavailable("The venue's answer cannot be read: no marks.")
        return read_marks(answer, self._names, recipe)

    async def server_time_ms(self) -> int:
        """Return the venue's clock; that of its last answer's header where it has no call for it."""
        recipe, call = self._library.recipe, self._library.call(signing_ms())
        client = await self._library.master()
        try:
            with during(call):
                if client.has.get("fetchTime") is True:
                    found = await client.fetch_time()
                else:
                    await client.fetch_ticker(recipe.unified("BTC"))
                    found = told({"info": call.payload}, ("serverTime",))
        except Exception as error:  # noqa: BLE001 - as above
            raise error_of_read(error, call, recipe) from None
        return _epoch_ms(found)

    async def _public(self, do: Any) -> object:
        call = self._library.call(signing_ms())
        try:
            client = await self._library.master()
            with during(call):
                found: object = await do(client)
        except Exception as error:  # noqa: BLE001 - as above
            raise error_of_read(error, call, self._library.recipe) from None
        return found


def _epoch_ms(found: object) -> int:
    value = str(found)
    with contextlib.suppress(ValueError):
        if not value.isdecimal():
            return int(datetime.fromisoformat(value).timestamp() * 1000)
    if value.isascii() and value.isdecimal() and len(value) == len(str(time.time_ns() // 1_000_000)):
        return int(value)
    raise VenueUnavailable("The venue's answer cannot be read: no time.")


def read_markets(venue: Venue, markets: Mapping[str, Any], recipe: Recipe) -> Listing:
    """Read the library's markets; one that cannot be read is left out and said in the log."""
    found: list[Instrument] = []
    names: dict[str, Symbol] = {}
    for market in markets.values():
        try:
            if not isinstance(market, dict) or not _is_served(market, recipe):
                continue
            own = symbol(f"{text(market, 'base')}-{recipe.quote}")
            names[text(market, "id")] = names[recipe.unified(text(market, "base"))] = own
            if market.get("active") is not False:
                found.append(_instrument(venue, own, market, recipe))
        except (Unreadable, InvalidValue) as error:
            _LOG.info("%s: a market is left out: %s", venue.value, error)
    return Listing(tuple(found), names)


def _is_served(market: Row, recipe: Recipe) -> bool:
    return (
        market.get("swap") is True
        and market.get("linear") is True
        and market.get("quote") == recipe.quote
        and market.get("settle") == recipe.quote
        and market.get("symbol") == recipe.unified(str(market.get("base")))
    )


def _part(market: Row, *path: str) -> Row:
    found: object = market
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _instrument(venue: Venue, own: Symbol, market: Row, recipe: Recipe) -> Instrument:
    precision, amounts = _part(market, "precision"), _part(market, "limits", "amount")
    size = decimal(market, "contractSize") or Decimal(1)
    tick, step = decimal(precision, "price"), decimal(precision, "amount")
    if not tick or not step or tick <= ZERO or step <= ZERO or size <= ZERO:
        raise Unreadable(f"{own} without tick or step")
    least, most = decimal(amounts, "min") or step, decimal(amounts, "max")
    cost = decimal(_part(market, "limits", "cost"), "min") or ZERO
    leverage = decimal(_part(market, "limits", "leverage"), "max")
    return Instrument(
        venue=venue,
        symbol=own,
        venue_symbol=text(market, "id"),
        tick=tick,
        step=step * size,
        quantity_min=Quantity(max(least, step) * size),
        quantity_max=Quantity(most * size) if most else _SIZE_MAX,
        notional_min=Money(cost),
        leverage_max=int(leverage) if leverage and leverage > 1 else _LEVERAGE,
        kind=MarketKind.LINEAR,
        contract_size=size,
        settle=recipe.quote,
    )


def read_marks(
    tickers: Mapping[str, object], names: Mapping[str, Symbol], recipe: Recipe
) -> Mapping[Symbol, Price]:
    """Read marks from tickers; a ticker without one tells nothing."""
    found: dict[Symbol, Price] = {}
    for name, own in names.items():
        ticker = tickers.get(name)
        if not isinstance(ticker, dict):
            continue
        try:
            value = decimal(ticker, "markPrice")
            if value is None and recipe.mark:
                value = number(own_mark, "mark") if (own_mark := told(ticker, recipe.mark)) else None
            if value is None and not recipe.mark:
                value = decimal(ticker, "last")
        except Unreadable:
            continue
        if value is not None and value > ZERO:
            found[own] = Price(value)
    return found
