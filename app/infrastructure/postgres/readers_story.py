"""Stories from PostgreSQL: every row of one intent in one snapshot, as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.trading.story import Facts, Story, TradeStory
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import FollowId, SignalId
from app.domain.shared.money import plain
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.schema import decisions, fills, ledger, orders, positions, signals, trades


class PostgresStoryTeller:
    """StoryTeller."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_order(self, client_order_id: str) -> Story:
        """Return the story of the intent that an order was an attempt of."""
        query = select(orders.c.signal_id, orders.c.follow_id).where(
            orders.c.client_order_id == client_order_id
        )
        async with translated(), self._engine.connect() as connection:
            found = (await connection.execute(query)).one_or_none()
        if found is None:
            raise NotFound("There is no order with this client order id.", client_order_id=client_order_id)
        return await self.of_signal(SignalId(found.signal_id), FollowId(found.follow_id))

    async def of_signal(self, signal: SignalId, follow: FollowId) -> Story:
        """Return the story of one signal for one follow."""
        async with translated(), self._engine.connect() as connection:
            snapshot = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return await _tell(snapshot, signal, follow)


async def _tell(connection: AsyncConnection, signal: SignalId, follow: FollowId) -> Story:
    async def rows(query: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
        return (await connection.execute(query)).mappings().all()

    told = await rows(select(signals).where(signals.c.id == signal))
    decided = await rows(
        select(decisions).where(decisions.c.follow_id == follow, decisions.c.signal_id == signal)
    )
    made = await rows(select(trades).where(trades.c.follow_id == follow, trades.c.signal_id == signal))
    if not decided and not made:
        raise NotFound(
            "This signal was not decided for this follow.", signal_id=str(signal), follow_id=follow
        )
    sent = await rows(
        select(orders)
        .where(orders.c.follow_id == follow, orders.c.signal_id == signal)
        .order_by(orders.c.attempt)
    )
    booked = await rows(
        select(fills).where(fills.c.follow_id == follow, fills.c.signal_id == signal).order_by(fills.c.at)
    )
    held: Sequence[RowMapping] = ()
    if made:
        market = positions.c.account_id == made[0]["account_id"], positions.c.symbol == made[0]["symbol"]
        held = await rows(select(positions).where(*market, positions.c.follow_id == follow))
    keys = [
        f"{kind}:{fill['symbol']}:{fill['trade_id']}" for fill in booked for kind in ("FEE", "REALISED_PNL")
    ]
    accounts = {fill["account_id"] for fill in booked}
    moved = await rows(
        select(ledger)
        .where(ledger.c.account_id.in_(accounts), ledger.c.entry_key.in_(keys))
        .order_by(ledger.c.at, ledger.c.entry_key)
    )
    return Story(
        signal=_facts(told[0]) if told else None,
        decision=_facts(decided[0], "inputs") if decided else None,
        inputs={name: str(value) for name, value in decided[0]["inputs"].items()} if decided else {},
        trades=tuple(
            TradeStory(
                _facts(trade),
                tuple(_facts(order) for order in sent if order["leg"] == trade["leg"]),
                tuple(_facts(fill) for fill in booked if fill["leg"] == trade["leg"]),
            )
            for trade in made
        ),
        position=_facts(held[0]) if held else None,
        ledger=tuple(_facts(entry) for entry in moved),
    )


def _facts(row: RowMapping, *without: str) -> Facts:
    return {str(name): _text(value) for name, value in row.items() if name not in without}


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
