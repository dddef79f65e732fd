"""What Hyperliquid charges an address for each call: of 1200 a minute an action costs one, most questions 20, those for
an account's state, an order or the time 2, for whom a key signs 60; and lists one more for every 20 rows. Methods that
need several calls count what they usually need.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 23,
        "cancel": 24,
        "open_orders": 20,
        "open_orders_all": 20,
        "fills": 23,
        "positions": 2,
        "balance": 2,
        "funding": 21,
        "set_leverage": 21,
        "set_margin_mode": 21,
        "fee_rates": 20,
        "protection": 2,
        "cancel_protection": 3,
        "open_protections": 20,
        "open_protections_all": 20,
        "key_facts": 60,
        "listing": 20,
        "marks": 20,
    }
)
