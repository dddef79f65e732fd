"""Who may call what: one row for each operation. An operation without a row is closed to everybody.

USER is anybody with a token; what a user sees or changes there is their own (another's is 404), while an operator sees
everyone's. OPERATOR is refused to others with 403.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.errors import Forbidden
from app.domain.users.ports import Caller
from app.domain.users.user import Role


class Access(StrEnum):
    """Who may call an operation."""

    ANYONE = "ANYONE"
    USER = "USER"
    OPERATOR = "OPERATOR"


ACCESS: Final[Mapping[str, Access]] = MappingProxyType(
    {
        "alive": Access.ANYONE,
        "ready": Access.ANYONE,
        "metrics": Access.ANYONE,
        "read_me": Access.USER,
        "list_whales": Access.USER,
        "read_whale": Access.USER,
        "list_whale_follows": Access.OPERATOR,
        "register_whale": Access.OPERATOR,
        "pause_whale": Access.OPERATOR,
        "resume_whale": Access.OPERATOR,
        "ban_whale": Access.OPERATOR,
        "list_follows": Access.USER,
        "read_follow": Access.USER,
        "start_follow": Access.USER,
        "change_terms": Access.USER,
        "pause_follow": Access.USER,
        "resume_follow": Access.USER,
        "stop_follow": Access.USER,
        "list_accounts": Access.USER,
        "read_account": Access.USER,
        "add_account": Access.USER,
        "verify_account": Access.USER,
        "rotate_key": Access.USER,
        "revoke_key": Access.USER,
        "list_signals": Access.USER,
        "read_signal": Access.USER,
        "list_signal_decisions": Access.USER,
        "submit_signal": Access.OPERATOR,
        "list_decisions": Access.USER,
        "list_orders": Access.USER,
        "read_order": Access.USER,
        "list_positions": Access.USER,
        "close_position": Access.USER,
        "read_portfolio": Access.USER,
        "read_limits": Access.USER,
        "set_limits": Access.USER,
        "list_halts": Access.USER,
        "raise_halt": Access.OPERATOR,
        "clear_halt": Access.OPERATOR,
        "read_backlog": Access.OPERATOR,
        "list_users": Access.OPERATOR,
        "read_user": Access.OPERATOR,
        "register_user": Access.OPERATOR,
        "suspend_user": Access.OPERATOR,
        "restore_user": Access.OPERATOR,
        "issue_token": Access.OPERATOR,
        "revoke_tokens": Access.OPERATOR,
    }
)


def check_access(operation: str, caller: Caller) -> None:
    """Pass a caller who may call the operation, or raise Forbidden."""
    needed = ACCESS.get(operation)
    if needed is Access.USER or needed is Access.ANYONE:
        return
    if needed is Access.OPERATOR and caller.role is Role.OPERATOR:
        return
    raise Forbidden("Only an operator may do this.")
