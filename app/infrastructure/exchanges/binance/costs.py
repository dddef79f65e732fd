"""What Binance USD-M charges for each call, in weight per address and minute (its documentation, by endpoint).

Placing an order weighs nothing for the address: it counts against the account's order limits alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 1,
        "cancel": 1,
        "open_orders": 1,
        "open_orders_all": 40,
        "fills": 5,
        "positions": 5,
        "balance": 5,
        "funding": 30,
        "set_leverage": 1,
        "key_facts": 1,
        "listen_key": 1,
        "listing": 1,
        "marks": 10,
    }
)
