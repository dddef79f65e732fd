"""The allow-list: which of the venue's codes prove that an order never reached the matching engine, and what each means.

It comes from the error-code page of the v5 documentation. What leaves doubt is not on it: server and network faults
(10000, 10016, 170001, 170007, 170032, 170146, 170149, 170234), "submitted for processing" (170035), and a bare
"new order rejected" (170210).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.outcomes import RefusalKind

ORDER_UNKNOWN: Final = frozenset({"110001", "170213"})
ORDER_ENDED: Final = frozenset({"110008", "110010", "170139", "170142", "170143", "170190"})
"""A cancellation came too late: the order is done."""

LEVERAGE_UNCHANGED: Final = "110043"
MARGIN_MODE_UNCHANGED: Final = "110026"
POSITION_MODE_UNCHANGED: Final = "110025"

ACCOUNT_THROTTLES: Final = frozenset({"10006", "170005", "170222"})
"""Codes that silence one account (its requests in a second), not the address."""

DUPLICATE_IDS: Final = frozenset({110072, 170141})
NOTHING_LEFT: Final = 110017
"""The quantity, cut to the position, would be zero: said of reduce-only orders, and of quantities below the step."""

PARAMETER: Final = 10001
MODE_WORDS: Final = "position idx not match position mode"
"""How the text of 10001 says that an order is for the other position mode: there is no code for it."""

_CODES_OF: Final[Mapping[RefusalKind, tuple[int, ...]]] = MappingProxyType(
    {
        RefusalKind.INSUFFICIENT_FUNDS: (
            110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 170033, 170131,
        ),
        RefusalKind.FILTER: (
            PARAMETER, 10029, 30208, 30209, 110003, 110032, 110049, 110094, 110108, 110109, 110120, 110121, 170105, 170115,
            170116, 170117, 170121, 170124, 170130, 170132, 170133, 170134, 170136, 170137, 170140, 170148, 170192, 170193,
            170194, 170197, 170198, 170201, 170202, 170203, 170204, 170228, 170229, 170341, 170371, 170372, 170381, 170382,
        ),
        RefusalKind.KEY: (10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 10028, 33004, -2015),
        RefusalKind.CLOCK: (10002,),
        RefusalKind.THROTTLED: (10006, 10018, 10429, 170005, 170222),
        RefusalKind.NOTHING_TO_REDUCE: (NOTHING_LEFT, 110034),
        RefusalKind.WOULD_TRIGGER: (110092, 110093),
        RefusalKind.MODE: (110015, 110024, 110028, 110029, 110036, 110038),
        RefusalKind.OTHER: (
            30228, 110005, 110009, 110011, 110013, 110020, 110021, 110022, 110023, 110039, 110040, 110042, 110050,
            110063, 110066, 110067, 110068, 110069, 110070, 110074, 110080, 110085, 110086, 110087, 110088, 110089,
            110090, 110095, 110096, 110097, 110098, 110099, 110100, 110101, 110102, 110103, 110104, 110105, 110106,
            110107, 110118, 110123, 110124, 110125, 110131, 110132, 110135, 110136, 110137, 170010, 170011, 170031,
            170036, 170037, 170151, 170157, 170159, 170195, 170196, 170199, 170200, 170206, 170207, 170209, 170215,
            170216, 170217, 170218, 170219, 170220, 170221, 170223, 170224, 170226, 170227, 170230, 170241, 170344,
            170346, 170348, 170355, 170358, 170359, 170360, 170709, 170810,
        ),
    }
)  # fmt: skip

DEFINITE: Final[Mapping[int, RefusalKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES_OF.items() for code in codes}
)
