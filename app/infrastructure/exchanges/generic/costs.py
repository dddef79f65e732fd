"""What calls count, in requests: the exchanges of the library are budgeted by requests of an address, not by weights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 3,
        "cancel": 5,
        "open_orders": 1,
        "open_orders_all": 1,
        "fills": 2,
        "positions": 1,
        "balance": 1,
        "funding": 1,
        "set_leverage": 1,
        "set_margin_mode": 1,
        "position_mode": 1,
        "set_position_mode": 1,
        "fee_rates": 1,
        "key_facts": 1,
        "listing": 1,
        "marks": 1,
    }
)
