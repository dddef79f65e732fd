"""Fees in quote currency: the venue may take them in another asset (BNB, for its discount), at the mark of which they
are converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY, Money, Price, settle_up

Rates: TypeAlias = Mapping[Symbol, Price]
"""Mark prices by symbol, `BNB-USDT` among them."""


def fee_in_quote(symbol: Symbol, fee: Money, asset: str, rates: Rates) -> Money:
    """Return `fee` in the quote currency of `symbol`, rounded up.

    An asset without a mark counts as nothing: a missing fee corrects itself with the next balance, a guessed one does
    not.
    """
    quote = symbol.rpartition("-")[2]
    if asset == quote or not fee:
        return fee
    rate = rates.get(Symbol(f"{asset}-{quote}"))
    return NO_MONEY if rate is None else Money(settle_up(fee * rate))
