"""What OKX charges for each call. Private limits count per account and endpoint, 5 to 30 requests a second; for reads the
address budget stands for them, so each request weighs one, and methods that may need several as many as they usually
need. Orders have their account's own limit, and no address limits them.
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
        "set_leverage": 4,
        "set_margin_mode": 1,
        "position_mode": 1,
        "set_position_mode": 2,
        "fee_rates": 1,
        "protection": 1,
        "cancel_protection": 3,
        "open_protections": 1,
        "open_protections_all": 1,
        "key_facts": 1,
        "listing": 1,
        "marks": 1,
    }
)
