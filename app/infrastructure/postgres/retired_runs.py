"""Earlier demo runs: their pretended exchange is gone, so nothing of theirs may be watched, looked up or traded again.

What they decided, ordered and booked stays readable; only what would still act is ended. An account belongs to a demo
when its label begins with the mark that the demo gives.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infrastructure.postgres.transaction import transaction

_FOREIGN: Final = text("SELECT count(*) FROM accounts WHERE NOT starts_with(label, :mark)")
_OURS: Final = "(SELECT id FROM accounts WHERE starts_with(label, :mark))"
_LEADERS: Final = f"(SELECT id FROM whales WHERE account_id IN {_OURS})"  # made of constants
_FOLLOWS: Final = f"(SELECT id FROM follows WHERE account_id IN {_OURS})"  # as above
_KEYED: Final = "(SELECT id FROM accounts WHERE starts_with(label, :mark) AND key_state <> 'REVOKED')"
_ENDINGS: Final = (
    f"UPDATE follows SET state = 'STOPPED', version = version + 1 WHERE account_id IN {_OURS} AND state <> 'STOPPED'",
    f"UPDATE whales SET state = 'BANNED', version = version + 1 WHERE id IN {_LEADERS} AND state <> 'BANNED'",
    f"UPDATE signals SET state = 'EXPIRED' WHERE whale_id IN {_LEADERS} AND state IN ('PENDING', 'DISPATCHING')",
    f"UPDATE decisions SET outcome = 'FAILED' WHERE outcome = 'DEFERRED' AND follow_id IN {_FOLLOWS}",
    f"UPDATE orders SET state = 'NOT_SENT' WHERE account_id IN {_OURS} AND state IN ('SUBMITTING', 'UNKNOWN', 'ABSENT')",
    f"UPDATE trades SET settled = true, state = 'ABANDONED', hold_left = 0 WHERE account_id IN {_OURS} AND NOT settled",
    f"UPDATE positions SET quantity = 0, cost = 0, margin = 0 WHERE account_id IN {_OURS} AND quantity <> 0",
    f"UPDATE funds SET held = 0, margin = 0 WHERE account_id IN {_OURS} AND (held <> 0 OR margin <> 0)",
    f"UPDATE accounts SET key_state = 'REVOKED', sealed = '', version = version + 1 WHERE id IN {_KEYED}",
)


async def foreign_accounts(engine: AsyncEngine, mark: str) -> int:
    """Return how many accounts bear another label than a demo's: a database with such is not the demo's to use."""
    async with engine.connect() as connection:
        return int(await connection.scalar(_FOREIGN, {"mark": mark}) or 0)


async def retire_runs(engine: AsyncEngine, mark: str) -> None:
    """End everything of earlier demo runs, in one transaction."""
    async with transaction(engine, "demo.retire") as connection:
        for statement in _ENDINGS:
            await connection.execute(text(statement), {"mark": mark})
