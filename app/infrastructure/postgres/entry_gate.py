"""The gate of entries: once the transaction that stops new risk has committed, no entry of its scope commits any more.

Whoever commits entries passes the gate (a shared lock, taken in the statement that locks the accounts) and then asks
`MAY_ENTER` in a statement of its own, which sees all that was committed before. Whoever stops new risk shuts the gate
until the end of its transaction: it waits for entries that are being committed, and those after it see the stop. What
is read after such a commit, to be closed, is therefore complete. Exits never pass here. The gate comes before the locks
of accounts, so the two never wait for each other. A follow's own stop locks its account instead, which is enough.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.ids import AccountId

ENTRY_GATE: Final = 4_702_111_234_474_983_744
"""The key of the advisory lock: any number that no other advisory lock of this database uses."""

MAY_ENTER: Final = """
  EXISTS (SELECT FROM follows ef
            JOIN users eu ON eu.id = ef.user_id JOIN whales ew ON ew.id = ef.whale_id
            JOIN accounts ea ON ea.id = ef.account_id
           WHERE ef.id = {follow} AND ef.state = 'ACTIVE' AND eu.state = 'ACTIVE' AND ew.state = 'ACTIVE'
             AND NOT EXISTS (SELECT FROM halts eh
                              WHERE eh.scope = 'PLATFORM' OR (eh.scope = 'VENUE' AND eh.target = ea.venue)
                                 OR (eh.scope = 'USER' AND eh.target = ea.user_id::text)))
"""
"""Whether nothing stops new risk of a follow; `follow` is the SQL expression of its id."""

_PATIENCE: Final = text("SELECT set_config('lock_timeout', '14s', true)")
"""Entries that are being committed may wait for their accounts as long as any lock may; a stop waits for them."""
_SHUT: Final = text(f"SELECT pg_advisory_xact_lock({ENTRY_GATE})")
_HOLD_ACCOUNT: Final = text("SELECT account_id FROM funds WHERE account_id = :account FOR UPDATE")


async def shut_entry_gate(connection: AsyncConnection) -> None:
    """Let no entry commit until this transaction has ended; waits for those that are being committed."""
    await connection.execute(_PATIENCE)
    await connection.execute(_SHUT)


async def hold_account(connection: AsyncConnection, account: AccountId) -> None:
    """Let nothing of one account commit until this transaction has ended."""
    await connection.execute(_HOLD_ACCOUNT, {"account": account})
