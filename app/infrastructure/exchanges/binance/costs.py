"""What Binance charges for each call of the port, in weight per address and minute (its documentation, by endpoint).

Placing an order on contracts weighs nothing for the address: it counts against the account's order limits alone. At spot
it weighs one besides. A protection of contracts that is cancelled is looked up too. Executions are told in pages: the
figures are those of one page. Since 2026-06-30 USD-M and COIN-M share one limit of their address; the counter that every
reply shows tells each what the other has used.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CONTRACTS: Final[Mapping[str, int]] = {
    "order": 1,
    "cancel": 1,
    "open_orders": 1,
    "open_orders_all": 40,
    "protection": 1,
    "cancel_protection": 2,
    "open_protections": 1,
    "open_protections_all": 40,
    "fills": 5,
    "positions": 5,
    "balance": 5,
    "funding": 30,
    "set_leverage": 1,
    "set_margin_mode": 1,
    "position_mode": 30,
    "set_position_mode": 1,
    "fee_rates": 20,
    "key_facts": 1,
    "listen_key": 1,
    "listing": 1,
    "marks": 10,
}

USDM_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(_CONTRACTS)
COINM_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {**_CONTRACTS, "open_orders_all": 5, "positions": 1, "balance": 1, "funding": 20}
)
SPOT_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "order": 4,
        "cancel": 1,
        "open_orders": 6,
        "open_orders_all": 80,
        "protection": 4,
        "cancel_protection": 1,
        "open_protections": 6,
        "open_protections_all": 80,
        "fills": 20,
        "positions": 20,
        "balance": 20,
        "fee_rates": 20,
        "key_facts": 1,
        "listing": 20,
        "marks": 4,
    }
)
