"""One trading account: its keys, wallets, positions, settings and the indexes over its orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.engine.ledger import BalanceChange
from simulator.engine.order import ZERO, Fill, Order, PositionSide
from simulator.engine.position import Position

DEFAULT_LEVERAGE = 20
USDT = "USDT"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the API key may do."""

    reading: bool = True
    futures: bool = True
    withdrawals: bool = False
    ip_restricted: bool = False
    spot: bool = True


@dataclass(slots=True)
class Account:
    """`wallets` by asset; `secret` never appears in a representation; `client_ids` holds the latest order of each id;
    `reserves` are the (asset, amount) that waiting conditional orders at spot lock, by their group.
    """

    account_id: str
    label: str
    api_key: str
    secret: bytes = field(repr=False)
    taker_fee: Decimal
    maker_fee: Decimal
    permissions: Permissions
    created_ms: int
    hedge_mode: bool = False
    wallets: dict[str, Decimal] = field(default_factory=dict)
    reserves: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    isolated: set[str] = field(default_factory=set)
    positions: dict[tuple[str, PositionSide], Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    open_orders: dict[int, Order] = field(default_factory=dict)
    client_ids: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    changes: list[BalanceChange] = field(default_factory=list)

    @property
    def wallet(self) -> Decimal:
        """Return the USDT wallet."""
        return self.wallets.get(USDT, ZERO)

    def leverage(self, symbol: str) -> int:
        """Return the leverage set for `symbol`, 20 when never set."""
        return self.leverages.get(symbol, DEFAULT_LEVERAGE)

    def position(self, symbol: str, side: PositionSide) -> Position:
        """Return the position, made flat when the account never held it."""
        key = (symbol, side)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position(symbol, side)
        return found

    def held(self, symbol: str, side: PositionSide) -> Decimal:
        """Return the signed quantity without creating a position."""
        found = self.positions.get((symbol, side))
        return found.quantity if found is not None else ZERO

    def live_positions(self) -> Iterator[Position]:
        """Yield the positions that are not flat."""
        return (position for position in self.positions.values() if position.quantity)
