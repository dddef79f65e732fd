"""What one leader's copying came to: every signal, decision, order, fill and lot, for a report and for the comparison with
the exchange's own ledger. Reads only; amounts are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.ids import AccountId, WhaleId


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal and, by (outcome, code), how many followers it ended that way for."""

    signal_id: UUID
    seq: int
    symbol: str
    action: str
    side: str
    quantity: Decimal
    reference_price: Decimal
    state: str
    leader_at: datetime
    outcomes: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One attempt at the venue; `latency_ms` from the leader's last fill to the acknowledgement, None without one."""

    account_id: AccountId
    client_order_id: str
    venue_order_id: str | None
    symbol: str
    side: str
    leg: str
    reduce_only: bool
    state: str
    executed: Decimal
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class FillLine:
    """One booked execution, fee and realised result in quote currency."""

    account_id: AccountId
    symbol: str
    trade_id: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realised: Decimal


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One follower's account: wallet, what is reserved and not yet used, and its net position by symbol (not zero)."""

    account_id: AccountId
    wallet: Decimal
    held: Decimal
    realised: Decimal
    fees: Decimal
    positions: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class LeaderFillLine:
    """One consumed fill of the leader."""

    symbol: str
    trade_id: str
    side: str
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class RunBooks:
    """Everything that belongs to one leader."""

    signals: Sequence[SignalLine]
    orders: Sequence[OrderLine]
    fills: Sequence[FillLine]
    accounts: Sequence[AccountLine]
    leader_fills: Sequence[LeaderFillLine]
    leader_positions: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the copying is: all counts; `busy` is what is not finished (signals, deferred decisions, trades)."""

    leader_fills: int
    signals: int
    busy: int


_PROGRESS: Final = text("""
SELECT (SELECT count(*) FROM leader_fills WHERE whale_id = :whale) AS leader_fills,
       (SELECT count(*) FROM signals WHERE whale_id = :whale) AS signals,
       (SELECT count(*) FROM signals WHERE whale_id = :whale AND state IN ('PENDING', 'DISPATCHING'))
     + (SELECT count(*) FROM decisions d JOIN follows f ON f.id = d.follow_id
         WHERE f.whale_id = :whale AND d.outcome = 'DEFERRED')
     + (SELECT count(*) FROM trades t JOIN follows f ON f.id = t.follow_id
         WHERE f.whale_id = :whale AND NOT t.settled) AS busy
""")
_SIGNALS: Final = text("""
SELECT id, seq, symbol, action, side, quantity, reference_price, state, leader_at
  FROM signals WHERE whale_id = :whale AND seq > :after ORDER BY seq
""")
_OUTCOMES: Final = text("""
SELECT d.signal_id, d.outcome, d.code, count(*) AS number
  FROM decisions d JOIN signals s ON s.id = d.signal_id
 WHERE s.whale_id = :whale AND s.seq > :after GROUP BY 1, 2, 3
""")
_ORDERS: Final = text("""
SELECT o.account_id, o.client_order_id, o.venue_order_id, t.symbol, t.side, o.leg, t.reduce_only, o.state, o.executed,
       CASE WHEN o.attempt = 0 THEN extract(epoch FROM o.acked_at - s.leader_at) * 1000 END AS latency_ms
  FROM orders o
  JOIN trades t USING (follow_id, signal_id, leg)
  JOIN signals s ON s.id = o.signal_id
 WHERE s.whale_id = :whale AND s.seq > :after
 ORDER BY s.seq, o.follow_id, o.attempt
""")
_FILLS: Final = text("""
SELECT x.account_id, x.symbol, x.trade_id, x.side, x.price, x.quantity, x.fee, x.realised
  FROM fills x JOIN follows f ON f.id = x.follow_id WHERE f.whale_id = :whale
""")
_ACCOUNTS: Final = text("""
SELECT f.account_id, m.wallet, m.held,
       coalesce(p.realised, 0) AS realised, coalesce(p.fees, 0) AS fees
  FROM follows f
  LEFT JOIN funds m ON m.account_id = f.account_id
  LEFT JOIN LATERAL (SELECT sum(realised) AS realised, sum(fees) AS fees FROM positions
                      WHERE account_id = f.account_id) p ON true
 WHERE f.whale_id = :whale ORDER BY f.account_id
""")
_POSITIONS: Final = text("""
SELECT p.account_id, p.symbol, sum(p.quantity) AS quantity
  FROM positions p JOIN follows f ON f.account_id = p.account_id AND f.whale_id = :whale
 GROUP BY 1, 2 HAVING sum(p.quantity) <> 0
""")
_LEADER_FILLS: Final = text(
    "SELECT symbol, trade_id, side, price, quantity FROM leader_fills WHERE whale_id = :whale"
)
_LEADER_POSITIONS: Final = text(
    "SELECT symbol, quantity FROM leader_positions WHERE whale_id = :whale AND quantity <> 0"
)


class PostgresRunReader:
    """Reads one leader's run; every call is one or a few statements on a connection of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def progress(self, whale: WhaleId) -> Progress:
        """Return how far the copying of this leader is."""
        row = (await self._rows(_PROGRESS, whale=whale))[0]
        return Progress(row["leader_fills"], row["signals"], row["busy"])

    async def signals(self, whale: WhaleId, after: int = 0) -> Sequence[SignalLine]:
        """Return the leader's signals whose number is above `after`, oldest first."""
        outcomes: dict[UUID, dict[tuple[str, str], int]] = {}
        for row in await self._rows(_OUTCOMES, whale=whale, after=after):
            outcomes.setdefault(row["signal_id"], {})[row["outcome"], row["code"]] = row["number"]
        return [
            SignalLine(
                signal_id=row["id"],
                seq=row["seq"],
                symbol=row["symbol"],
                action=row["action"],
                side=row["side"],
                quantity=row["quantity"],
                reference_price=row["reference_price"],
                state=row["state"],
                leader_at=row["leader_at"],
                outcomes=outcomes.get(row["id"], {}),
            )
            for row in await self._rows(_SIGNALS, whale=whale, after=after)
        ]

    async def orders(self, whale: WhaleId, after: int = 0) -> Sequence[OrderLine]:
        """Return the orders of the leader's signals whose number is above `after`, oldest first."""
        return [
            OrderLine(
                account_id=AccountId(row["account_id"]),
                client_order_id=row["client_order_id"],
                venue_order_id=row["venue_order_id"],
                symbol=row["symbol"],
                side=row["side"],
                leg=row["leg"],
                reduce_only=row["reduce_only"],
                state=row["state"],
                executed=row["executed"],
                latency_ms=None if row["latency_ms"] is None else float(row["latency_ms"]),
            )
            for row in await self._rows(_ORDERS, whale=whale, after=after)
        ]

    async def books(self, whale: WhaleId) -> RunBooks:
        """Return everything of this leader; call it when nothing is busy, since it reads table by table."""
        leader_fills = await self._rows(_LEADER_FILLS, whale=whale)
        leader_positions = await self._rows(_LEADER_POSITIONS, whale=whale)
        return RunBooks(
            signals=await self.signals(whale),
            orders=await self.orders(whale),
            fills=[_fill(row) for row in await self._rows(_FILLS, whale=whale)],
            accounts=await self._accounts(whale),
            leader_fills=[
                LeaderFillLine(row["symbol"], row["trade_id"], row["side"], row["price"], row["quantity"])
                for row in leader_fills
            ],
            leader_positions={row["symbol"]: row["quantity"] for row in leader_positions},
        )

    async def _accounts(self, whale: WhaleId) -> Sequence[AccountLine]:
        positions: dict[int, dict[str, Decimal]] = {}
        for row in await self._rows(_POSITIONS, whale=whale):
            positions.setdefault(row["account_id"], {})[row["symbol"]] = row["quantity"]
        return [
            AccountLine(
                account_id=AccountId(row["account_id"]),
                wallet=row["wallet"] or Decimal(0),
                held=row["held"] or Decimal(0),
                realised=row["realised"],
                fees=row["fees"],
                positions=positions.get(row["account_id"], {}),
            )
            for row in await self._rows(_ACCOUNTS, whale=whale)
        ]

    async def _rows(self, statement: TextClause, **values: object) -> Sequence[RowMapping]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, values)).mappings().all()


def _fill(row: RowMapping) -> FillLine:
    return FillLine(
        account_id=AccountId(row["account_id"]),
        symbol=row["symbol"],
        trade_id=row["trade_id"],
        side=row["side"],
        price=row["price"],
        quantity=row["quantity"],
        fee=row["fee"],
        realised=row["realised"],
    )
