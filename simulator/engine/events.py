"""What the engine tells whoever listens: a dialect turns these calls into its stream messages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from simulator.engine.account import USDT, Account

if TYPE_CHECKING:
    from simulator.engine.conditional import Conditional
    from simulator.engine.order import Execution, Fill, Order
    from simulator.engine.position import Position


class Listener(Protocol):
    """Called synchronously, in the order things happened; it must not raise, block, or call back into the engine."""

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """An order was accepted, executed (then `fill` is given), amended or ended."""

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """The wallet of `asset` or `positions` changed; `reason` is ORDER, DEPOSIT, FUNDING_FEE, INSURANCE_CLEAR or
        SPOT_TRADE (then once for the coin and once for the quote currency). `amount` excludes realised profit and
        commission, except at spot, where it is all that the wallet moved by.
        """

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """A conditional order was accepted, triggered or ended."""

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """The account's leverage for `symbol` changed."""

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """The mark price of `symbol` is now `mark`."""
