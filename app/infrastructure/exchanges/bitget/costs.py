"""What Bitget charges for each call: every HTTP request counts one for its address, so methods that may need several
count as many as they usually need. Placing an order counts like any other request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 1,
        "cancel": 2,
        "open_orders": 1,
        "open_orders_all": 1,
        "fills": 2,
        "positions": 1,
        "balance": 1,
        "funding": 2,
        "set_leverage": 1,
        "set_margin_mode": 2,
        "set_position_mode": 2,
        "protection": 3,
        "cancel_protection": 4,
        "open_protections": 1,
        "open_protections_all": 2,
    }
)
