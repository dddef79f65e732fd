"""The audit's questions, each a query whose rows are the offenders; an empty answer is a clean book.

Every query gives one column, `example`, that names the offending row. Times that may pass are bound by name:
`unsettled`, `in_doubt` and `deferred`. What the life cycles allow is taken from the domain's own tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.trading.order import OrderState
from app.domain.trading.trade import HOLD_IS_OVER, TRADE_AFTER_ORDER, TradeState
from app.infrastructure.postgres.audit_protection_sql import PROTECTIONS
from app.infrastructure.postgres.audit_question import Question

_TRADE: Final = "t.follow_id || '/' || t.signal_id || '/' || t.leg"
_OF_TRADE: Final = "o.follow_id = t.follow_id AND o.signal_id = t.signal_id AND o.leg = t.leg"
_SIGN: Final = "CASE f.side WHEN 'BUY' THEN f.quantity ELSE -f.quantity END - f.base_fee"
_OVER: Final = ", ".join(f"'{state}'" for state in sorted(HOLD_IS_OVER))

# An order that ended leaves its trade open, or given up, only where a rest was left: the venue caps one order's size, and
# an exit that was cut short goes on.
_WITH_A_REST: Final = frozenset(
    (order, trade)
    for order in (OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED)
    for trade in (TradeState.WAITING, TradeState.ABANDONED)
)
_ALLOWED: Final = frozenset(
    {
        *TRADE_AFTER_ORDER.items(),
        (OrderState.ABSENT, TradeState.WAITING),  # to be sent again
        (OrderState.ABSENT, TradeState.ABANDONED),
        (OrderState.NOT_SENT, TradeState.ABANDONED),
    }
)


def _pairs(pairs: frozenset[tuple[OrderState, TradeState]]) -> str:
    return ", ".join(f"('{order}', '{trade}')" for order, trade in sorted(pairs))


_EXITS_BEYOND: Final = f"""
WITH moments AS (
  SELECT f.account_id, f.symbol, f.follow_id, f.at, sum({_SIGN}) AS net,
         coalesce(sum({_SIGN}) FILTER (WHERE f.leg = 'EXIT' AND f.side = 'BUY'), 0) AS bought_back,
         coalesce(-sum({_SIGN}) FILTER (WHERE f.leg = 'EXIT' AND f.side = 'SELL'), 0) AS sold_off,
         coalesce(sum({_SIGN}) FILTER (WHERE f.leg = 'ENTRY' AND f.side = 'BUY'), 0) AS bought,
         coalesce(-sum({_SIGN}) FILTER (WHERE f.leg = 'ENTRY' AND f.side = 'SELL'), 0) AS sold
    FROM fills f GROUP BY f.account_id, f.symbol, f.follow_id, f.at),
running AS (
  SELECT m.*, sum(m.net) OVER (PARTITION BY m.account_id, m.symbol, m.follow_id ORDER BY m.at) - m.net AS before
    FROM moments m)
SELECT r.follow_id || '/' || r.symbol || ' at ' || r.at AS example FROM running r
 WHERE r.sold_off > greatest(0, r.before + r.bought) OR r.bought_back > greatest(0, -r.before + r.sold)
"""

_FUNDS: Final[Mapping[str, Question]] = {
    "held": Question(
        "An account's held funds are not the sum of what its unsettled trades still hold.",
        """
SELECT m.account_id::text AS example FROM funds m
  LEFT JOIN (SELECT account_id, sum(hold_left) AS hold_left FROM trades WHERE NOT settled GROUP BY account_id) t
    USING (account_id)
 WHERE m.held <> coalesce(t.hold_left, 0)
""",
    ),
    "hold-of-settled": Question(
        "A settled trade still holds funds.",
        f"SELECT {_TRADE} AS example FROM trades t WHERE t.settled AND t.hold_left <> 0",
    ),
    "hold-freed-early": Question(
        "A trade that may still execute does not hold what was held for it.",
        f"""
SELECT {_TRADE} AS example FROM trades t
 WHERE t.state NOT IN ({_OVER}) AND t.booked = 0 AND t.hold_left <> t.hold
""",
    ),
    "wallet": Question(
        "An account's wallet is not the sum of its ledger.",
        """
SELECT m.account_id::text AS example FROM funds m
  LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM ledger_entries GROUP BY account_id) e USING (account_id)
 WHERE m.wallet <> coalesce(e.amount, 0)
""",
    ),
    "margin": Question(
        "An account's margin is not the sum of its positions' margins.",
        """
SELECT m.account_id::text AS example FROM funds m
  LEFT JOIN (SELECT account_id, sum(margin) AS margin FROM positions GROUP BY account_id) p USING (account_id)
 WHERE m.margin <> coalesce(p.margin, 0)
""",
    ),
    "fill-ledger": Question(
        "A fill's fee or result is not in the ledger as it was booked.",
        """
SELECT f.account_id || '/' || f.symbol || '/' || f.trade_id AS example FROM fills f
  LEFT JOIN ledger_entries fee
    ON fee.account_id = f.account_id AND fee.entry_key = 'FEE:' || f.symbol || ':' || f.trade_id
  LEFT JOIN ledger_entries pnl
    ON pnl.account_id = f.account_id AND pnl.entry_key = 'REALISED_PNL:' || f.symbol || ':' || f.trade_id
 WHERE coalesce(fee.amount, 0) <> -f.fee OR coalesce(pnl.amount, 0) <> f.realised
""",
    ),
    "ledger-of-no-fill": Question(
        "The ledger holds a fee or a result that no fill explains.",
        """
SELECT e.account_id || '/' || e.entry_key AS example FROM ledger_entries e
 WHERE e.kind IN ('FEE', 'REALISED_PNL')
   AND NOT EXISTS (SELECT FROM fills f WHERE f.account_id = e.account_id
                      AND e.entry_key = e.kind || ':' || f.symbol || ':' || f.trade_id)
""",
    ),
}

_QUANTITIES: Final[Mapping[str, Question]] = {
    "entry-beyond-intent": Question(
        "An entry executed more than was intended: a duplicate.",
        f"SELECT {_TRADE} AS example FROM trades t WHERE t.leg = 'ENTRY' AND greatest(t.executed, t.booked) > t.quantity",
    ),
    "order-beyond-quantity": Question(
        "An order executed more than it was sent for.",
        "SELECT o.client_order_id AS example FROM orders o WHERE o.executed > o.quantity",
    ),
    "older-attempt-live": Question(
        "An older attempt of a trade can still execute beside the newest.",
        f"""
SELECT o.client_order_id AS example FROM trades t JOIN orders o ON {_OF_TRADE}
 WHERE o.attempt < t.attempt AND o.state IN ('SUBMITTING', 'UNKNOWN', 'OPEN', 'PARTIAL')
""",
    ),
    "dead-order-executed": Question(
        "An order that is called not sent, refused or absent has executions.",
        """
SELECT o.client_order_id AS example FROM orders o
 WHERE o.state IN ('NOT_SENT', 'REJECTED', 'ABSENT') AND o.executed > 0
""",
    ),
    "trade-executed": Question(
        "A trade's executed quantity is not that of its orders.",
        f"""
SELECT {_TRADE} AS example FROM trades t
 WHERE t.executed <> (SELECT coalesce(sum(o.executed), 0) FROM orders o WHERE {_OF_TRADE})
""",
    ),
    "trade-booked": Question(
        "A trade's booked quantity is not the sum of its fills.",
        f"""
SELECT {_TRADE} AS example FROM trades t
  LEFT JOIN (SELECT follow_id, signal_id, leg, sum(quantity) AS quantity FROM fills GROUP BY 1, 2, 3) f
    USING (follow_id, signal_id, leg)
 WHERE t.booked <> coalesce(f.quantity, 0) OR t.booked > t.executed
""",
    ),
    "fill-of-no-trade": Question(
        "A fill belongs to no trade of its account and market.",
        """
SELECT f.account_id || '/' || f.symbol || '/' || f.trade_id AS example FROM fills f
  LEFT JOIN trades t ON t.follow_id = f.follow_id AND t.signal_id = f.signal_id AND t.leg = f.leg
                    AND t.account_id = f.account_id AND t.symbol = f.symbol AND t.side = f.side
 WHERE t.follow_id IS NULL
""",
    ),
    "position": Question(
        "A position is not the sum of its fills.",
        f"""
SELECT follow_id || '/' || symbol AS example FROM positions p
  FULL JOIN (SELECT f.account_id, f.symbol, f.follow_id, sum({_SIGN}) AS quantity, sum(f.fee) AS fees
               FROM fills f GROUP BY f.account_id, f.symbol, f.follow_id) f USING (account_id, symbol, follow_id)
 WHERE coalesce(p.quantity, 0) <> coalesce(f.quantity, 0) OR coalesce(p.fees, 0) <> coalesce(f.fees, 0)
""",
    ),
    "flat-position": Question(
        "A flat position has a cost or a margin, or an open one has no cost.",
        """
SELECT p.follow_id || '/' || p.symbol AS example FROM positions p
 WHERE (p.quantity = 0 AND (p.cost <> 0 OR p.margin <> 0)) OR (p.quantity <> 0 AND p.cost <= 0)
""",
    ),
    "exit-beyond-position": Question(
        "An exit executed more than the follow held at that moment.", _EXITS_BEYOND
    ),
}

_STATES: Final[Mapping[str, Question]] = {
    "trade-state": Question(
        "A trade's state does not follow from that of its newest order.",
        f"""
SELECT {_TRADE} AS example FROM trades t LEFT JOIN orders o ON {_OF_TRADE} AND o.attempt = t.attempt
 WHERE o.state IS NULL
    OR NOT ((o.state, t.state) IN ({_pairs(_ALLOWED)})
            OR ((o.state, t.state) IN ({_pairs(_WITH_A_REST)}) AND t.executed < t.quantity))
""",
    ),
    "settled": Question(
        "A trade is settled and should not be, or is not and should be.",
        f"""
SELECT {_TRADE} AS example FROM trades t
 WHERE t.settled <> (t.state IN ({_OVER}) AND t.booked >= t.executed)
""",
    ),
    "order-of-no-trade": Question(
        "An order belongs to no trade of its account, or to an attempt that the trade does not know.",
        f"""
SELECT o.client_order_id AS example FROM orders o
  LEFT JOIN trades t ON {_OF_TRADE} AND t.account_id = o.account_id AND t.attempt >= o.attempt
 WHERE t.follow_id IS NULL
""",
    ),
    "doubt-not-looked-up": Question(
        "An order is in doubt and nobody will look it up.",
        """
SELECT o.client_order_id AS example FROM orders o
 WHERE o.state IN ('SUBMITTING', 'UNKNOWN') AND o.look_at IS NULL
""",
    ),
    "waiting-for-nothing": Question(
        "A trade waits and nobody will send it.",
        f"SELECT {_TRADE} AS example FROM trades t WHERE t.state = 'WAITING' AND t.retry_at IS NULL",
    ),
    "decision-of-no-signal": Question(
        "A decision belongs to no signal.",
        """
SELECT d.follow_id || '/' || d.signal_id AS example FROM decisions d
 WHERE NOT EXISTS (SELECT FROM signals s WHERE s.id = d.signal_id)
""",
    ),
    "copied-without-trade": Question(
        "A decision says copied and there is no trade.",
        """
SELECT d.follow_id || '/' || d.signal_id AS example FROM decisions d
 WHERE d.outcome IN ('COPIED', 'REDUCED')
   AND NOT EXISTS (SELECT FROM trades t WHERE t.follow_id = d.follow_id AND t.signal_id = d.signal_id)
""",
    ),
    "trade-without-decision": Question(
        "A trade has no decision that speaks of it.",
        f"""
SELECT {_TRADE} AS example FROM trades t
 WHERE NOT EXISTS (SELECT FROM decisions d WHERE d.follow_id = t.follow_id AND d.signal_id = t.signal_id
                      AND d.outcome IN ('COPIED', 'REDUCED', 'FAILED'))
""",
    ),
}

_DELAYS: Final[Mapping[str, Question]] = {
    "unsettled-too-long": Question(
        "A trade has been open or unbooked for longer than it should.",
        f"""
SELECT {_TRADE} AS example FROM trades t
 WHERE NOT t.settled AND t.state <> 'ABSENT' AND t.created_at < now() - CAST(:unsettled AS interval)
""",
    ),
    "in-doubt-too-long": Question(
        "An order's fate has been unknown for longer than it should.",
        """
SELECT o.client_order_id AS example FROM orders o
 WHERE o.state IN ('SUBMITTING', 'UNKNOWN') AND o.created_at < now() - CAST(:in_doubt AS interval)
""",
    ),
    "deferred-too-long": Question(
        "A deferred decision has waited for longer than it should.",
        """
SELECT d.follow_id || '/' || d.signal_id AS example FROM decisions d
 WHERE d.outcome = 'DEFERRED' AND d.decided_at < now() - CAST(:deferred AS interval)
""",
    ),
    "absent-and-held": Question(
        "An order was not found and its funds are held, in case it appears after all.",
        f"SELECT {_TRADE} AS example FROM trades t WHERE NOT t.settled AND t.state = 'ABSENT'",
    ),
    "exit-given-up": Question(
        "An exit was given up and its follow still holds what was open then.",
        f"""
SELECT {_TRADE} AS example FROM trades t
  JOIN decisions d ON d.follow_id = t.follow_id AND d.signal_id = t.signal_id AND d.outcome = 'FAILED'
   AND d.code IN ('COINS_MISSING', 'VENUE_REFUSED', 'ORDER_ABSENT')
  JOIN positions p ON p.account_id = t.account_id AND p.symbol = t.symbol AND p.follow_id = t.follow_id
 WHERE t.leg = 'EXIT' AND t.state IN ('REJECTED', 'ABSENT', 'ABANDONED') AND p.quantity <> 0
   AND p.opened_at <= d.decided_at AND d.decided_at < now() - CAST(:deferred AS interval)
""",
    ),
    "parked-event": Question(
        "An event was given up by the relay and waits for a person.",
        "SELECT x.id || ' ' || x.name AS example FROM outbox x WHERE x.parked",
    ),
}

QUESTIONS: Final[Mapping[str, Question]] = MappingProxyType(
    {**_FUNDS, **_QUANTITIES, **_STATES, **PROTECTIONS, **_DELAYS}
)
"""All questions by name, in the order in which they are told."""
