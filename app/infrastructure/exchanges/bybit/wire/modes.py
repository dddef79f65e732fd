"""How an account holds its positions: POST /v5/position/set-leverage, /v5/position/switch-mode and
/v5/account/set-margin-mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.bybit.wire.answer import Answer, result_of
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, COLLATERAL, Category

_MARGIN_WORDS: Final[Mapping[MarginMode, str]] = MappingProxyType(
    {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}
)
_POSITION_WORDS: Final[Mapping[PositionMode, int]] = MappingProxyType(
    {PositionMode.ONE_WAY: 0, PositionMode.HEDGE: 3}
)


class _Why(msgspec.Struct, frozen=True, rename="camel"):
    reason_code: str = ""
    reason_msg: str = ""


class _Reasons(msgspec.Struct, frozen=True):
    reasons: list[_Why] = []


_REASONS: Final = msgspec.json.Decoder(Answer[_Reasons])


def leverage_text(instrument: Instrument, leverage: int) -> str:
    """Return the JSON of POST /v5/position/set-leverage; in one-way mode both sides must be equal."""
    return msgspec.json.encode(
        {
            "category": CATEGORIES[instrument.venue].word,
            "symbol": instrument.venue_symbol,
            "buyLeverage": str(leverage),
            "sellLeverage": str(leverage),
        }
    ).decode()


def margin_mode_text(mode: MarginMode) -> str:
    """Return the JSON of POST /v5/account/set-margin-mode: the venue has one margin mode for the whole account."""
    return msgspec.json.encode({"setMarginMode": _MARGIN_WORDS[mode]}).decode()


def read_margin_mode(body: bytes) -> None:
    """Check the answer to it: a yes may still name reasons why nothing was done."""
    found, _ = result_of(_REASONS, body)
    if found.reasons:
        why = found.reasons[0]
        raise VenueRefused(
            f"The margin mode was not set: {why.reason_msg[:200]}", RefusalKind.MODE, why.reason_code[:20]
        )


def position_mode_text(category: Category, mode: PositionMode) -> str:
    """Return the JSON of POST /v5/position/switch-mode for every contract that is settled in our collateral."""
    return msgspec.json.encode(
        {"category": category.word, "coin": COLLATERAL, "mode": _POSITION_WORDS[mode]}
    ).decode()
