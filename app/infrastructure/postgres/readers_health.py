"""What an operator asks of the whole: what waits, and what is in doubt. Each count runs on a partial index."""

from __future__ import annotations

from sqlalchemy import func, select

from app.application.queries import Backlog
from app.domain.signals.signal import SignalState
from app.domain.trading.order import OrderState
from app.infrastructure.postgres.readers import Reader
from app.infrastructure.postgres.schema import orders, outbox, signals

_UNFINISHED = (SignalState.PENDING.value, SignalState.DISPATCHING.value)
_IN_DOUBT = (OrderState.SUBMITTING.value, OrderState.UNKNOWN.value)


class PostgresHealthReader(Reader):
    """HealthReader."""

    async def backlog(self) -> Backlog:
        """Return what waits and what is in doubt."""
        unfinished = (
            select(func.count().label("number"), func.min(signals.c.created_at).label("oldest"))
            .where(signals.c.state.in_(_UNFINISHED))
            .subquery()
        )
        query = select(
            unfinished.c.number,
            unfinished.c.oldest,
            select(func.count()).where(orders.c.state.in_(_IN_DOUBT)).scalar_subquery().label("in_doubt"),
            select(func.count()).where(~outbox.c.parked).scalar_subquery().label("waiting"),
            select(func.count()).where(outbox.c.parked).scalar_subquery().label("parked"),
        )
        row = (await self.all(query))[0]
        return Backlog(
            signals_unfinished=row["number"],
            oldest_signal_at=row["oldest"],
            orders_in_doubt=row["in_doubt"],
            outbox_waiting=row["waiting"],
            outbox_parked=row["parked"],
        )
