"""The unified wallet: GET /v5/account/wallet-balance, and the stream's `wallet` topic. At spot the coins in it are
what is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from app.domain.shared.execution import VenueBalance, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY, Money, settle_down
from app.infrastructure.exchanges.bybit.wire.answer import Answer, result_of
from app.infrastructure.exchanges.bybit.wire.category import COLLATERAL, Category
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number


class CoinRow(msgspec.Struct, frozen=True):
    """One asset of a wallet."""

    coin: str
    wallet_balance: str = msgspec.field(name="walletBalance")
    equity: str = ""
    usd_value: str = msgspec.field(name="usdValue", default="")
    locked: str = ""
    bonus: str = ""
    order_margin: str = msgspec.field(name="totalOrderIM", default="")
    position_margin: str = msgspec.field(name="totalPositionIM", default="")
    borrowed: str = msgspec.field(name="spotBorrow", default="")

    @property
    def owned(self) -> Money:
        """Return what is in the wallet and not borrowed."""
        held = amount(self.wallet_balance or "0", "balance")
        return Money(held - number(self.borrowed or "0", "borrowed amount"))


class WalletRow(msgspec.Struct, frozen=True, rename="camel"):
    """One account's wallet."""

    coin: list[CoinRow]
    total_available_balance: str = ""


class _Wallets(msgspec.Struct, frozen=True):
    rows: list[WalletRow] = msgspec.field(name="list")


_WALLETS: Final = msgspec.json.Decoder(Answer[_Wallets])


def balance_text(asset: str | None) -> str:
    """Return the query of GET /v5/account/wallet-balance for one asset, or for all that are held."""
    return "accountType=UNIFIED" + (f"&coin={asset}" if asset is not None else "")


def read_balance(body: bytes, asset: str, category: Category) -> VenueBalance:
    """Return the wallet of an asset, empty when the venue says that it holds nothing.

    An answer without any wallet, or about other assets only, is none: a zero that nobody said would stop an account.
    """
    result, _ = result_of(_WALLETS, body)
    if not result.rows:
        raise Unreadable("no wallet at all")
    for wallet in result.rows:
        for coin in wallet.coin:
            if coin.coin == asset:
                return VenueBalance(asset, coin.owned, _available(wallet, coin, category))
    if any(wallet.coin for wallet in result.rows):
        raise Unreadable("the answer is about other assets")
    return VenueBalance(asset, NO_MONEY, NO_MONEY)


def _available(wallet: WalletRow, coin: CoinRow, category: Category) -> Money:
    """Return what of an asset new orders may tie up.

    In cross margin that is told for the account as a whole, in USD, where its assets stand in for each other; in
    isolated margin that field is empty and the asset's own figures tell it. Linear contracts are paid from the whole.
    Coins that are sold, and the margin of inverse contracts, must be there themselves and be free besides.
    """
    tied = (coin.locked, coin.bonus, coin.order_margin, coin.position_margin)
    own = coin.owned - sum((number(text or "0", "tied margin") for text in tied), ZERO)
    if not wallet.total_available_balance:
        return Money(own)
    free = number(wallet.total_available_balance, "available balance")
    if not category.is_spot and coin.coin == COLLATERAL:
        return Money(free)
    worth, equity = number(coin.usd_value or "0", "worth"), number(coin.equity or "0", "equity")
    if worth <= ZERO or equity <= ZERO:  # no collateral, so it stands in for nothing else
        return Money(own)
    return Money(min(own, _converted(free, equity, worth)))


def _converted(free: Decimal, equity: Decimal, worth: Decimal) -> Decimal:
    # Rounded up: cutting it would show less than everything of a wallet that nothing is tied up in.
    return max(ZERO, -settle_down(-free * equity / worth))


def read_holdings(body: bytes, names: Names) -> list[VenuePosition]:
    """Return the coins of a wallet that our markets trade."""
    result, _ = result_of(_WALLETS, body)
    if not result.rows:
        raise Unreadable("no wallet at all")
    coins = [coin for wallet in result.rows for coin in wallet.coin]
    return [holding for holding in holdings_of(coins, names) if holding.quantity > ZERO]


def holdings_of(coins: Iterable[CoinRow], names: Names) -> list[VenuePosition]:
    """Return coins as positions, empty ones too."""
    ours = frozenset(names.values())
    return [
        VenuePosition(
            symbol=symbol,
            quantity=coin.owned,
            entry_price=ZERO,
            unrealised_pnl=NO_MONEY,
            leverage=1,
        )
        for coin in coins
        if (symbol := Symbol(f"{coin.coin}-{COLLATERAL}")) in ours
    ]


def assets_of(category: Category, names: Names) -> frozenset[str]:
    """Return the assets that markets of ours are paid from."""
    if category.default_asset is not None:
        return frozenset({category.default_asset})
    return frozenset(category.settle(symbol) for symbol in names.values())
