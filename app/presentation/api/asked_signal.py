"""What an operator sends to submit a signal."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.application.signals.submit import RequestedSignal
from app.domain.shared.execution import Action
from app.domain.shared.ids import WhaleId
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Quantity
from app.presentation.api.fields import BodyId, Incoming, Positive, SymbolText, example


class AskedSignal(Incoming):
    """A signal by hand: `side` is that of the orders to send, `quantity` (base units) and `reference_price` are the leader's.

    `action` is OPEN, ADD, REDUCE or CLOSE (a flip is a CLOSE, then an OPEN). `fraction` is for exits: the share of each
    follower's position that is closed.
    """

    model_config = example(
        whale_id=3,
        symbol="BTC-USDT",
        action="OPEN",
        side="BUY",
        quantity="0.5",
        reference_price="64250.1",
        leader_equity="50000",
        leader_leverage=5,
    )

    whale_id: BodyId
    symbol: SymbolText
    action: Action
    side: Side
    quantity: Positive
    reference_price: Positive
    fraction: Positive = Decimal(1)
    leader_equity: Positive | None = None
    leader_leverage: Annotated[int, Field(ge=1, le=125, strict=True)] | None = None

    def asked(self) -> RequestedSignal:
        """Return what is asked in the words of the use case."""
        return RequestedSignal(
            whale_id=WhaleId(self.whale_id),
            symbol=self.symbol,
            action=self.action,
            side=self.side,
            quantity=Quantity(self.quantity),
            reference_price=Price(self.reference_price),
            fraction=self.fraction,
            leader_equity=None if self.leader_equity is None else Money(self.leader_equity),
            leader_leverage=self.leader_leverage,
        )
