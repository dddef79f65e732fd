"""The transaction log: what executions earned, funding, and money that came or went. GET /v5/account/transaction-log.

Only here does the venue say why a wallet changed: its stream tells the new balance alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FundingPayment
from app.domain.shared.money import Money
from app.infrastructure.exchanges.bybit.wire.answer import (
    Answer,
    Page,
    cursor_of,
    milliseconds,
    name_of,
    result_of,
)
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount

PATH: Final = "/v5/account/transaction-log"
TRANSFERS: Final = ("TRANSFER_IN", "TRANSFER_OUT")
_FUNDING: Final = "SETTLEMENT"
_TRADE: Final = "TRADE"


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    currency: str
    transaction_time: str
    id: str = ""
    symbol: str = ""
    trade_id: str = ""
    cash_flow: str = ""
    funding: str = ""
    cash_balance: str = ""


_LOG: Final = msgspec.json.Decoder(Answer[Page[_Row]])


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came (above zero) or went, and the wallet after it."""

    amount: Money
    balance: Money
    at: datetime


def _text(window: tuple[int, int], kind: str, more: Sequence[str], cursor: str) -> str:
    text = "&".join(
        (
            "accountType=UNIFIED",
            *more,
            f"type={kind}",
            f"startTime={window[0]}",
            f"endTime={window[1]}",
            "limit=50",
        )
    )
    return f"{text}&cursor={cursor}" if cursor else text


def _money_of(category: Category) -> tuple[str, ...]:
    asset = category.default_asset
    return (f"category={category.word}", *((f"currency={asset}",) if asset is not None else ()))


def funding_text(category: Category, window: tuple[int, int], cursor: str) -> str:
    """Return the query for funding within (first, last) epoch ms, at most 7 days."""
    return _text(window, _FUNDING, _money_of(category), cursor)


def profits_text(category: Category, window: tuple[int, int], cursor: str) -> str:
    """Return the query for trades within (first, last) epoch ms, at most 7 days."""
    return _text(window, _TRADE, _money_of(category), cursor)


def transfers_text(asset: str, kind: str, window: tuple[int, int], cursor: str) -> str:
    """Return the query for one of TRANSFERS within (first, last) epoch ms, at most 7 days."""
    return _text(window, kind, (f"currency={asset}",), cursor)


def read_funding(body: bytes, category: Category, names: Names) -> tuple[list[FundingPayment], str]:
    """Read one page of funding, as the venue orders it, and the cursor. In the log, unlike in executions, what was
    paid is negative.
    """
    page, _ = result_of(_LOG, body)
    payments: list[FundingPayment] = []
    for row in page.rows:
        symbol = names.get(row.symbol)
        asset = category.default_asset if symbol is None else category.settle(symbol)
        if row.type == _FUNDING and row.currency == asset:
            payments.append(
                FundingPayment(
                    name_of(row.id, "the id of a payment"),
                    symbol,
                    amount(row.funding or "0", "funding"),
                    from_epoch_ms(milliseconds(row.transaction_time, "the time of a payment")),
                )
            )
    return payments, cursor_of(page)


def read_profits(body: bytes) -> tuple[Mapping[str, Money], str]:
    """Read one page of trades: realised profit by the execution's id, and the cursor."""
    page, _ = result_of(_LOG, body)
    return {
        row.trade_id: amount(row.cash_flow or "0", "cash flow")
        for row in page.rows
        if row.type == _TRADE and row.trade_id
    }, cursor_of(page)


def read_transfers(body: bytes, asset: str) -> tuple[list[Transfer], str]:
    """Read one page of transfers of an asset, and the cursor; money that came must be above zero, what went below."""
    page, _ = result_of(_LOG, body)
    found: list[Transfer] = []
    for row in page.rows:
        if row.type not in TRANSFERS or row.currency != asset:
            continue
        moved = amount(row.cash_flow, "cash flow")
        if moved == ZERO or (moved > ZERO) != (row.type == TRANSFERS[0]):
            raise Unreadable("a transfer against its own direction")
        found.append(
            Transfer(
                moved,
                amount(row.cash_balance, "balance"),
                from_epoch_ms(milliseconds(row.transaction_time, "the time of a transfer")),
            )
        )
    return found, cursor_of(page)
