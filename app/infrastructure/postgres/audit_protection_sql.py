"""The audit's questions on protections: nothing rests for nobody, twice, for too much or unwatched, and each trigger is booked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.trading.protection import IS_LIVE
from app.infrastructure.postgres.audit_question import Question

_LIVE: Final = ", ".join(f"'{state}'" for state in sorted(IS_LIVE))
_NAME: Final = "x.follow_id || '/' || x.symbol || '/' || x.rung || '/' || x.attempt"
_OF_POSITION: Final = "p.account_id = x.account_id AND p.symbol = x.symbol AND p.follow_id = x.follow_id"

PROTECTIONS: Final[Mapping[str, Question]] = MappingProxyType(
    {
        "protection-left-behind": Question(
            "A protection rests, or may come to rest, though its position has been gone for longer than it should.",
            f"""
SELECT {_NAME} AS example FROM protections x LEFT JOIN positions p ON {_OF_POSITION}
 WHERE x.state IN ({_LIVE}) AND coalesce(p.quantity, 0) = 0
   AND greatest(x.created_at, p.updated_at) < now() - CAST(:in_doubt AS interval)
""",
        ),
        "protection-without-exit": Question(
            "A protection triggered and the exit that it became is not in the books.",
            f"""
SELECT {_NAME} AS example FROM protections x
 WHERE x.state = 'TRIGGERED'
   AND NOT EXISTS (SELECT FROM trades t JOIN orders o USING (follow_id, signal_id, leg)
                    WHERE t.follow_id = x.follow_id AND t.signal_id = x.signal_id AND t.leg = 'EXIT'
                      AND o.client_order_id = x.client_order_id)
""",
        ),
        "protection-twice": Question(
            "Two protections of one rung rest at once for longer than a replacement takes.",
            f"""
SELECT {_NAME} AS example FROM protections x JOIN protections newer USING (follow_id, symbol, rung)
 WHERE x.state = 'RESTING' AND newer.state = 'RESTING' AND newer.attempt > x.attempt
   AND newer.created_at < now() - CAST(:in_doubt AS interval)
""",
        ),
        "protection-beyond-position": Question(
            "What rests of one position would sell more than is held, for longer than it takes to make it smaller.",
            """
SELECT x.follow_id || '/' || x.symbol AS example
  FROM (SELECT account_id, symbol, follow_id, kind, sum(quantity) AS quantity, max(created_at) AS newest FROM protections
         WHERE state = 'RESTING' GROUP BY account_id, symbol, follow_id, kind, rung = 'SL', side) x
  JOIN positions p USING (account_id, symbol, follow_id)
 WHERE p.quantity <> 0 AND x.quantity > abs(p.quantity)
   AND greatest(x.newest, p.updated_at) < now() - CAST(:in_doubt AS interval)
""",
        ),
        "protection-on-the-wrong-side": Question(
            "A protection rests that would make its position larger.",
            f"""
SELECT {_NAME} AS example FROM protections x JOIN positions p ON {_OF_POSITION}
 WHERE x.state = 'RESTING' AND p.quantity <> 0 AND (x.side = 'BUY') = (p.quantity > 0)
   AND greatest(x.created_at, p.updated_at) < now() - CAST(:in_doubt AS interval)
""",
        ),
        "protection-not-looked-up": Question(
            "A protection rests, or is in doubt, and nobody will look at it.",
            f"SELECT {_NAME} AS example FROM protections x WHERE x.state IN ({_LIVE}) AND x.look_at IS NULL",
        ),
        "protection-in-doubt-too-long": Question(
            "A protection's fate has been unknown for longer than it should.",
            f"""
SELECT {_NAME} AS example FROM protections x
 WHERE x.state IN ('PLACING', 'UNKNOWN') AND x.created_at < now() - CAST(:in_doubt AS interval)
""",
        ),
        "position-unprotected": Question(
            "A position has lacked the stop that its terms ask for, for longer than it should.",
            """
SELECT m.follow_id || '/' || m.symbol AS example FROM protection_marks m
  JOIN positions p ON p.follow_id = m.follow_id AND p.symbol = m.symbol AND p.opened_at = m.opened_at
 WHERE p.quantity <> 0 AND m.bare_since < now() - CAST(:in_doubt AS interval)
""",
        ),
    }
)
"""By name, in the order in which they are told."""
