"""What happens to the followers' accounts without us: owners reduce by hand, bring money and take it, and funding is paid."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Quantity
from tests.support.hands import deposit
from tests.support.system import Follower
from tools.chaos.plan import Round, Touch
from tools.chaos.stage import Stage

_VENUE: Final = Venue.BINANCE_USDM
_STEP: Final = Decimal("0.001")
_VALID_MS: Final = 5000
_AWAY: Final = (SQLAlchemyError, OSError, DomainError)
"""What ends a touch by hand before it is made: the key is in our database, which is away in some rounds, and the exchange fails."""
_RATE: Final = "0.0001"


@dataclass
class Owners:
    """Touches the accounts as the plan says; `touched` counts how often."""

    stage: Stage
    plan: Round
    _touches: Iterator[Touch | None]
    touched: int = 0

    async def go_on(self) -> None:
        """Make the next touch, if the plan has one."""
        touch = next(self._touches)
        if touch is None:
            return
        follower = self.stage.followers[touch.who]
        if touch.kind == "funding":
            operator = self.stage.system.simulator.operator
            await operator.apost("/sim/funding", {"symbol": touch.symbol, "rate": _RATE})
        elif touch.kind == "deposit":
            await deposit(self.stage.system, follower, str(touch.share * 100))
        else:
            await self._reduce(follower, touch)
        self.touched += 1

    async def _reduce(self, follower: Follower, touch: Touch) -> None:
        """Close a share of what the account holds of a market by an order of its owner's, which only reduces."""
        system = self.stage.system
        rows = await asyncio.to_thread(
            system.simulator.operator.ledger, "positions", follower.simulator_account
        )
        held = sum((Decimal(row["quantity"]) for row in rows if row["symbol"] == touch.symbol), Decimal(0))
        quantity = (abs(held) * touch.share).quantize(_STEP, rounding=ROUND_FLOOR)
        if not quantity:
            return
        with contextlib.suppress(*_AWAY):
            await self._sell(
                follower, Symbol(touch.symbol.replace("USDT", "-USDT")), held, Quantity(quantity)
            )

    async def _sell(self, follower: Follower, symbol: Symbol, held: Decimal, quantity: Quantity) -> None:
        system = self.stage.system
        async with system.app.uow() as work:
            account = await work.accounts.get(follower.account_id)
        gateway = system.app.venues.gateway(account.id, _VENUE, account.sealed)
        await gateway.place(
            PlaceOrder(
                instrument=await system.app.venues.instrument(_VENUE, symbol),
                side=Side.of(held).opposite,
                quantity=quantity,
                reduce_only=True,
                client_order_id=ClientOrderId(f"by-hand-{self.plan.number}-{self.touched}"),
                signed_ms=system.app.venues.now_ms(_VENUE),
                valid_ms=_VALID_MS,
            )
        )
