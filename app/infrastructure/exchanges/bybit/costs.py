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
        "transfers": 2,
        "set_leverage": 1,
        "set_margin_mode": 1,
        "position_mode": 2,
        "set_position_mode": 3,
        "fee_rates": 1,
        "protection": 2,
        "cancel_protection": 3,
        "open_protections": 1,
        "open_protections_all": 1,
        "key_facts": 1,
        "listing": 1,
        "marks": 1,
    }
)
