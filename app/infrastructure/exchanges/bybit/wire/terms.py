"""What an account pays and what its key may do: GET /v5/account/fee-rate and /v5/user/query-api."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bybit.wire.answer import Answer, result_of
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.reading import Unreadable, number


class _Fees(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    taker_fee_rate: str
    maker_fee_rate: str


class _FeeList(msgspec.Struct, frozen=True):
    rows: list[_Fees] = msgspec.field(name="list")


class _Rights(msgspec.Struct, frozen=True):
    contract_trade: list[str] = msgspec.field(name="ContractTrade", default=[])
    derivatives: list[str] = msgspec.field(name="Derivatives", default=[])
    spot: list[str] = msgspec.field(name="Spot", default=[])
    wallet: list[str] = msgspec.field(name="Wallet", default=[])


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    read_only: int
    permissions: _Rights
    ips: list[str] = []


_FEES: Final = msgspec.json.Decoder(Answer[_FeeList])
_KEY: Final = msgspec.json.Decoder(Answer[_Key])


def fee_rates_text(instrument: Instrument) -> str:
    """Return the query of GET /v5/account/fee-rate."""
    return f"category={CATEGORIES[instrument.venue].word}&symbol={instrument.venue_symbol}"


def read_fee_rates(body: bytes, instrument: Instrument) -> FeeRates:
    """Return the rates of one market as shares of the notional."""
    result, _ = result_of(_FEES, body)
    for row in result.rows:
        if row.symbol == instrument.venue_symbol:
            rates = FeeRates(
                maker=number(row.maker_fee_rate, "maker rate"), taker=number(row.taker_fee_rate, "taker rate")
            )
            if not -1 < rates.maker < 1 or not -1 < rates.taker < 1:
                raise Unreadable("a senseless fee rate")
            return rates
    raise Unreadable("no fee rate of this market")


def read_key_facts(body: bytes, category: Category) -> KeyFacts:
    """Return what the key may do. Trading means: not read-only and, at spot, its trades; on contracts, orders and
    positions of contracts or all derivatives.
    """
    found, _ = result_of(_KEY, body)
    rights = found.permissions
    contracts = {"Order", "Position"} <= set(
        rights.contract_trade
    ) or "DerivativesTrade" in rights.derivatives
    trades = "SpotTrade" in rights.spot if category.is_spot else contracts
    return KeyFacts(
        can_trade=trades and found.read_only == 0,
        can_withdraw="Withdraw" in rights.wallet,
        ip_restricted=any(address != "*" for address in found.ips),
    )
