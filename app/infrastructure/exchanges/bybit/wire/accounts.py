"""What an account holds and may do: positions, wallet, funding, leverage and the rights of a key.

GET /v5/position/list, /v5/account/wallet-balance, /v5/account/transaction-log, /v5/user/query-api and
POST /v5/position/set-leverage, for unified trading accounts.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Money
from app.infrastructure.exchanges.bybit.wire.answer import (
    Answer,
    Page,
    cursor_of,
    milliseconds,
    name_of,
    result_of,
)
from app.infrastructure.exchanges.bybit.wire.orders import CATEGORY, SIDES
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number, size

MARGIN_ASSET: Final = "USDT"


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position; queries say `avgPrice`, the stream `entryPrice`."""

    symbol: str
    side: str
    size: str
    avg_price: str = ""
    entry_price: str = ""
    unrealised_pnl: str = ""
    leverage: str = ""
    category: str = CATEGORY


class CoinRow(msgspec.Struct, frozen=True):
    """One asset of a wallet."""

    coin: str
    wallet_balance: str = msgspec.field(name="walletBalance")
    locked: str = ""
    bonus: str = ""
    order_margin: str = msgspec.field(name="totalOrderIM", default="")
    position_margin: str = msgspec.field(name="totalPositionIM", default="")


class WalletRow(msgspec.Struct, frozen=True, rename="camel"):
    """One account's wallet."""

    coin: list[CoinRow]
    total_available_balance: str = ""


class _Log(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    symbol: str
    type: str
    currency: str
    funding: str
    transaction_time: str


class _Rights(msgspec.Struct, frozen=True):
    contract_trade: list[str] = msgspec.field(name="ContractTrade", default=[])
    derivatives: list[str] = msgspec.field(name="Derivatives", default=[])
    wallet: list[str] = msgspec.field(name="Wallet", default=[])


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    read_only: int
    permissions: _Rights
    ips: list[str] = []


class _Wallets(msgspec.Struct, frozen=True):
    rows: list[WalletRow] = msgspec.field(name="list")


_POSITIONS: Final = msgspec.json.Decoder(Answer[Page[PositionRow]])
_WALLETS: Final = msgspec.json.Decoder(Answer[_Wallets])
_LOGS: Final = msgspec.json.Decoder(Answer[Page[_Log]])
_KEY: Final = msgspec.json.Decoder(Answer[_Key])


def positions_text(cursor: str) -> str:
    """Return the query of GET /v5/position/list for everything settled in USDT."""
    text = f"category={CATEGORY}&settleCoin={MARGIN_ASSET}&limit=200"
    return f"{text}&cursor={cursor}" if cursor else text


def read_positions(body: bytes, names: Names) -> tuple[list[VenuePosition], list[str], str]:
    """Read one page: positions that are not flat, the venue's names of those that `names` lacks, and the cursor."""
    page, _ = result_of(_POSITIONS, body)
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for row in page.rows:
        if size(row.size or "0", "size") == ZERO:
            continue
        symbol = names.get(row.symbol)
        if symbol is None:
            strangers.append(row.symbol)
        else:
            found.append(position_of(row, symbol))
    return found, strangers, cursor_of(page)


def position_of(row: PositionRow, symbol: Symbol) -> VenuePosition:
    """Build a position; a flat one has no side, and a leverage that the venue does not say (portfolio margin) is 0."""
    held, side = size(row.size or "0", "size"), SIDES.get(row.side)
    if held and side is None:
        raise Unreadable("a position without a side")
    leverage = number(row.leverage or "0", "leverage")
    if not ZERO <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    return VenuePosition(
        symbol=symbol,
        quantity=held * side.sign if side is not None else ZERO,
        entry_price=number(row.avg_price or row.entry_price or "0", "entry price"),
        unrealised_pnl=amount(row.unrealised_pnl or "0", "unrealised profit"),
        leverage=int(leverage),
    )


def balance_text() -> str:
    """Return the query of GET /v5/account/wallet-balance."""
    return f"accountType=UNIFIED&coin={MARGIN_ASSET}"


def read_balance(body: bytes) -> VenueBalance:
    """Return the margin wallet. No row for it is no answer: a zero that nobody said would stop an account.

    What is available is told for the account as a whole, in USD, where its assets stand in for each other; in isolated
    margin that field is empty and the asset's own figures tell it.
    """
    result, _ = result_of(_WALLETS, body)
    for wallet in result.rows:
        coin = margin_coin(wallet)
        if coin is None:
            continue
        held = amount(coin.wallet_balance, "balance")
        if wallet.total_available_balance:
            available = amount(wallet.total_available_balance, "available balance")
        else:
            tied = (coin.locked, coin.bonus, coin.order_margin, coin.position_margin)
            available = Money(held - sum((number(text or "0", "tied margin") for text in tied), ZERO))
        return VenueBalance(asset=MARGIN_ASSET, wallet=held, available=available)
    raise Unreadable(f"no balance of {MARGIN_ASSET}")


def margin_coin(wallet: WalletRow) -> CoinRow | None:
    """Return the margin asset's row, None when the wallet does not show it."""
    return next((row for row in wallet.coin if row.coin == MARGIN_ASSET), None)


def funding_text(window: tuple[int, int], cursor: str) -> str:
    """Return the query of GET /v5/account/transaction-log for funding within (first, last) epoch ms, at most 7 days."""
    text = (
        f"accountType=UNIFIED&category={CATEGORY}&currency={MARGIN_ASSET}&type=SETTLEMENT"
        f"&startTime={window[0]}&endTime={window[1]}&limit=50"
    )
    return f"{text}&cursor={cursor}" if cursor else text


def read_funding(body: bytes, names: Names) -> tuple[list[FundingPayment], str]:
    """Read one page of funding, as the venue orders it, and the cursor. In the log, unlike in executions, what was paid is negative."""
    page, _ = result_of(_LOGS, body)
    payments = [
        FundingPayment(
            name_of(row.id, "the id of a payment"),
            names.get(row.symbol),
            amount(row.funding or "0", "funding"),
            from_epoch_ms(milliseconds(row.transaction_time, "the time of a payment")),
        )
        for row in page.rows
        if row.type == "SETTLEMENT" and row.currency == MARGIN_ASSET
    ]
    return payments, cursor_of(page)


def leverage_text(instrument: Instrument, leverage: int) -> str:
    """Return the JSON of POST /v5/position/set-leverage; in one-way mode both sides must be equal."""
    return msgspec.json.encode(
        {
            "category": CATEGORY,
            "symbol": instrument.venue_symbol,
            "buyLeverage": str(leverage),
            "sellLeverage": str(leverage),
        }
    ).decode()


def read_key_facts(body: bytes) -> KeyFacts:
    """Return what the key may do; trading means orders and positions of contracts, or all derivatives, not read-only."""
    found, _ = result_of(_KEY, body)
    rights = found.permissions
    contracts = {"Order", "Position"} <= set(
        rights.contract_trade
    ) or "DerivativesTrade" in rights.derivatives
    return KeyFacts(
        can_trade=contracts and found.read_only == 0,
        can_withdraw="Withdraw" in rights.wallet,
        ip_restricted=any(address != "*" for address in found.ips),
    )
