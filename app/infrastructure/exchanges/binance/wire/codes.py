"""Which error codes prove that an order never reached the matching engine, and what each means: two allow-lists.

The lists come from the error-code pages of the derivatives and of the spot documentation. They are apart because the
venue gives one number two meanings: -2021 is "would trigger at once" among contracts and a failed replacement at spot.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from app.domain.exchanges.outcomes import RefusalKind
from app.domain.shared.market import Venue

Definite: TypeAlias = Mapping[int, RefusalKind]

_BOTH: Final[Mapping[RefusalKind, tuple[int, ...]]] = {
    RefusalKind.FILTER: (
        -1013, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1111, -1114, -1115, -1116, -1117, -1121, -1130,
    ),
    RefusalKind.KEY: (-1002, -1022, -1099, -1109, -2014, -2015),
    RefusalKind.CLOCK: (-1021, -1131),
    RefusalKind.THROTTLED: (-1003, -1015),
    RefusalKind.OTHER: (-1020,),
}  # fmt: skip

_CONTRACTS: Final[Mapping[RefusalKind, tuple[int, ...]]] = {
    RefusalKind.INSUFFICIENT_FUNDS: (-2018, -2019, -2028),
    RefusalKind.FILTER: (
        -1136, -2026, -4000, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4028, -4029,
        -4030, -4055, -4140, -4141, -4164, -4183, -4184,
    ),
    RefusalKind.NOTHING_TO_REDUCE: (-2022,),
    RefusalKind.WOULD_TRIGGER: (-2021,),
    RefusalKind.MODE: (-4046, -4047, -4048, -4059, -4061, -4062, -4067, -4068),
    RefusalKind.OTHER: (
        -2023, -2024, -2025, -2027, -4045, -4087, -4088, -4109, -4118, -4120, -4131, -4136, -4192, -4400, -5021, -5022,
    ),
}  # fmt: skip


def _table(*parts: Mapping[RefusalKind, tuple[int, ...]]) -> Definite:
    return MappingProxyType({code: kind for part in parts for kind, codes in part.items() for code in codes})


CONTRACT_CODES: Final = _table(_BOTH, _CONTRACTS)
SPOT_CODES: Final = _table(_BOTH, {RefusalKind.FILTER: (-1120, -1128)})


def codes_of(venue: Venue) -> Definite:
    """Return the allow-list of one of the venue's markets."""
    return SPOT_CODES if venue is Venue.BINANCE_SPOT else CONTRACT_CODES


TEXTS: Final[Mapping[str, RefusalKind]] = MappingProxyType(
    {
        "insufficient balance": RefusalKind.INSUFFICIENT_FUNDS,
        "would trigger immediately": RefusalKind.WOULD_TRIGGER,
        "price * qty is zero or less": RefusalKind.FILTER,
        "unsupported order combination": RefusalKind.FILTER,
        "would immediately match and take": RefusalKind.OTHER,
        "market is closed": RefusalKind.OTHER,
        "not supported for this symbol": RefusalKind.OTHER,
        "not permitted for this account": RefusalKind.OTHER,
        "restricted for this account": RefusalKind.OTHER,
        "action is disabled on this account": RefusalKind.OTHER,
        "may not place or cancel orders": RefusalKind.OTHER,
        "rest api trading is not enabled": RefusalKind.OTHER,
    }
)
"""What -2010 says in words, in small letters: the number alone stands for any rejection by the engine."""
