"""What an account holds: positions or coins, its wallet, the funding it paid, and whether its positions net."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.domain.exchanges.outcomes import VenueUnavailable, VenueUnsupported
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.infrastructure.exchanges.bybit.paging import pages, windows
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.wire import ledger, positions, wallets
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category

_WALLET: Final = "/v5/account/wallet-balance"
_POSITIONS: Final = "/v5/position/list"


async def held(account: BybitAccount) -> list[VenuePosition]:
    """Return what is held; a position on a contract new to us makes the listing be read again."""
    instruments, category = account.shared.instruments, CATEGORIES[account.shared.venue]
    await instruments.ready()
    if category.is_spot:
        return await account.get(
            _WALLET, wallets.balance_text(None), lambda body: wallets.read_holdings(body, instruments.names)
        )
    found, strangers = await _positions(account, category)
    if strangers and await instruments.learn(strangers):
        found, strangers = await _positions(account, category)
    if strangers:
        account.log_strangers(strangers)
    return found


async def _positions(account: BybitAccount, category: Category) -> tuple[list[VenuePosition], list[str]]:
    names = account.shared.instruments.names
    found: list[VenuePosition] = []
    strangers: list[str] = []

    def read(body: bytes) -> tuple[tuple[list[VenuePosition], list[str]], str]:
        page, unknown, following = positions.read_positions(body, names)
        return (page, unknown), following

    async for page, unknown in pages(
        account, _POSITIONS, lambda cursor: positions.positions_text(category, cursor), read
    ):
        found.extend(page)
        strangers.extend(unknown)
    return found, strangers


async def balance(account: BybitAccount, asset: str | None) -> VenueBalance:
    """Return the wallet of an asset; without a name that of the collateral."""
    category = CATEGORIES[account.shared.venue]
    wanted = asset or category.default_asset
    if wanted is None:
        raise VenueUnsupported("Each inverse market has a wallet of its own: name its asset.")
    return await account.get(
        _WALLET, wallets.balance_text(wanted), lambda body: wallets.read_balance(body, wanted, category)
    )


async def funding(account: BybitAccount, since: datetime) -> list[FundingPayment]:
    """Return funding payments, oldest first, every page of every seven days."""
    await account.shared.instruments.ready()
    names, category = account.shared.instruments.names, CATEGORIES[account.shared.venue]
    collected: dict[str, FundingPayment] = {}
    for window in windows(epoch_ms(since), epoch_ms(account.shared.now())):

        def text(cursor: str, window: tuple[int, int] = window) -> str:
            return ledger.funding_text(category, window, cursor)

        async for page in pages(
            account, ledger.PATH, text, lambda body: ledger.read_funding(body, category, names)
        ):
            collected.update((payment.payment_id, payment) for payment in page)
    return sorted(collected.values(), key=lambda payment: payment.at)


async def position_mode(account: BybitAccount) -> PositionMode:
    """Return the mode that open positions and one contract without one agree on: the venue keeps it by contract.

    Raises VenueRefused of kind MODE when they do not.
    """
    instruments, category = account.shared.instruments, CATEGORIES[account.shared.venue]
    await instruments.ready()
    sample = next((listed.venue_symbol for listed in instruments.known()), None)
    if sample is None:
        raise VenueUnavailable("The venue lists no contract that could tell the position mode.")
    indexes: set[int] = set()
    for text in (
        lambda cursor: positions.positions_text(category, cursor),
        lambda cursor: positions.position_text(category, sample),
    ):
        async for page in pages(account, _POSITIONS, text, positions.read_indexes):
            indexes.update(page)
    return positions.mode_of(indexes)
