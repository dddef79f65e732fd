"""What a key may do, and what its account pays: GET /api/v2/spot/account/info and /api/v2/common/trade-rate."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.execution import FeeRates
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bitget.wire.answer import Answer, data_of
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.reading import number

INFO: Final = "/api/v2/spot/account/info"
RATES: Final = "/api/v2/common/trade-rate"
_FUTURES_RIGHTS: Final = frozenset({"coow", "cpow"})
_SPOT_RIGHTS: Final = frozenset({"stow"})
_ALL_TRADING: Final = "trade"
_WITHDRAWALS: Final = frozenset({"wwow", "withdraw"})


class _Info(msgspec.Struct, frozen=True):
    authorities: list[str]
    ips: str | None = ""


class _Rates(msgspec.Struct, frozen=True, rename="camel"):
    maker_fee_rate: str
    taker_fee_rate: str


_INFO: Final = msgspec.json.Decoder(Answer[_Info])
_RATES: Final = msgspec.json.Decoder(Answer[_Rates])


def read_key_facts(product: Product, body: bytes) -> KeyFacts:
    """Return what the key may do; trading futures means orders and positions. Older keys have the one right `trade`."""
    found, _ = data_of(_INFO, body)
    rights = set(found.authorities)
    needed = _SPOT_RIGHTS if product.is_spot else _FUTURES_RIGHTS
    return KeyFacts(
        can_trade=needed <= rights or _ALL_TRADING in rights,
        can_withdraw=bool(_WITHDRAWALS & rights),
        ip_restricted=bool((found.ips or "").strip()),
    )


def rates_text(product: Product, instrument: Instrument) -> str:
    """Return the query for an account's fees on a market."""
    return f"symbol={instrument.venue_symbol}&businessType={product.business}"


def read_fee_rates(body: bytes) -> FeeRates:
    """Return what the account pays."""
    found, _ = data_of(_RATES, body)
    return FeeRates(number(found.maker_fee_rate, "maker fee"), number(found.taker_fee_rate, "taker fee"))
