"""What Bybit charges for each call: every HTTP request counts one for its address, so methods that may need several
count as many as they usually need. Placing an order counts like any other request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 2,
        "cancel": 3,
        "open_orders": 1,
        "open_orders_all": 1,
        "fills": 2,
        "positions": 1,
        "balance": 1,
        "funding": 1,
        "set_leverage": 1,
        "key_facts": 1,
        "listing": 1,
        "marks": 1,
    }
)
