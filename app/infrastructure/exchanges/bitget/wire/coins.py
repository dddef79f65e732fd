"""What a spot account holds: GET /api/v2/spot/account/assets, and the stream's `account` channel there."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.shared.execution import VenueBalance, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.bitget.wire.answer import Answer, data_of
from app.infrastructure.exchanges.bitget.wire.products import MARGIN_ASSET
from app.infrastructure.exchanges.reading import ZERO, Names, size

ASSETS: Final = "/api/v2/spot/account/assets"


class CoinRow(msgspec.Struct, frozen=True, rename="camel"):
    """One coin: `frozen` in orders, `locked` in the venue's other products."""

    coin: str
    available: str | None = "0"
    frozen: str | None = "0"
    locked: str | None = "0"

    @property
    def held(self) -> Money:
        """All of it, tied up or not."""
        parts = (self.available, self.frozen, self.locked)
        return Money(sum((size(text or "0", "balance") for text in parts), ZERO))


_COINS: Final = msgspec.json.Decoder(Answer[list[CoinRow] | None])


def assets_text(asset: str = "") -> str:
    """Return the query of one coin, or of all that are held."""
    return f"coin={asset}" if asset else "assetType=hold_only"


def read_coin(body: bytes, asset: str) -> VenueBalance:
    """Return the wallet of a coin, zero when the account holds none."""
    rows, _ = data_of(_COINS, body)
    for row in rows or []:
        if row.coin.upper() == asset:
            return VenueBalance(asset, row.held, Money(size(row.available or "0", "available balance")))
    return VenueBalance(asset, NO_MONEY, NO_MONEY)


def read_holdings(body: bytes, names: Names) -> list[VenuePosition]:
    """Return what is held of coins with a market here; their cost is not known to the venue."""
    rows, _ = data_of(_COINS, body)
    traded = set(names.values())
    found = ((Symbol(f"{row.coin.upper()}-{MARGIN_ASSET}"), row.held) for row in rows or [])
    return [
        VenuePosition(symbol, held, ZERO, NO_MONEY, 1) for symbol, held in found if held and symbol in traded
    ]
