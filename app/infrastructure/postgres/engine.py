"""The async engine on asyncpg, and the retry of database transactions that PostgreSQL itself calls off.

Invariants: every session has a statement, a lock and an idle-in-transaction timeout; a decimal enters NUMERIC exactly
as it is or is refused (asyncpg alone stores `1E+131072` as 0, and the server rounds a 19th decimal without a word);
the address is held by an object that masks the password wherever it is shown.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.domain.shared.errors import InvalidValue

T = TypeVar("T")

SQLSTATES_WORTH_RETRYING: Final = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available: lock_timeout ran out
    }
)
_DRIVERS: Final = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
_LOCK_TIMEOUT_MS: Final = 5_000
_IDLE_IN_TRANSACTION_MS: Final = 30_000
_CONNECT_SECONDS: Final = 10.0
_POOL_SECONDS: Final = 10.0
_RECYCLE_SECONDS: Final = 1_800
_BACKOFF_SECONDS: Final = 0.02
_BACKOFF_MAX_SECONDS: Final = 1.0
_DIGITS_BEFORE: Final = 20  # NUMERIC(38,18)
_DIGITS_AFTER: Final = 18
_CHANCE: Final = secrets.SystemRandom()


def make_engine(
    dsn: str, *, pool_size: int, application_name: str, statement_timeout_ms: int = 15_000
) -> AsyncEngine:
    """Return an engine of at most `pool_size` connections; nothing connects before the first use.

    `dsn` is a `postgresql://` or `postgresql+asyncpg://` address; libpq's `sslmode` is understood. Raises InvalidValue,
    without the address, for anything else.
    """
    engine = create_async_engine(
        address(dsn),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # statement errors are logged, and parameters hold sealed keys and token hashes
        connect_args={
            "timeout": _CONNECT_SECONDS,
            # The server ends a slow statement; this ends the wait for a server that no longer answers.
            "command_timeout": statement_timeout_ms / 1000 + _CONNECT_SECONDS,
            "server_settings": {
                "application_name": application_name,
                "statement_timeout": str(statement_timeout_ms),
                "lock_timeout": str(_LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
                "jit": "off",  # compiling costs more than any of our statements runs
                "timezone": "UTC",
            },
        },
    )
    event.listen(engine.sync_engine, "connect", _exact_decimals)
    return engine


def address(dsn: str) -> URL:
    """Return the asyncpg URL of a DSN in either spelling; InvalidValue, without repeating it, when it is none."""
    try:
        url = make_url(dsn)
    except ArgumentError:
        raise InvalidValue("The database address is not a URL such as postgresql://user@host/name.") from None
    if url.drivername not in _DRIVERS:
        raise InvalidValue("The database address must begin with postgresql:// or postgresql+asyncpg://.")
    sslmode = url.query.get("sslmode")
    if sslmode is not None:
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": sslmode})
    return url.set(drivername="postgresql+asyncpg")


def _exact_decimals(connection: Any, _record: object) -> None:
    """Give each new connection a NUMERIC codec that refuses what it cannot keep."""
    connection.run_async(
        lambda driver: driver.set_type_codec(
            "numeric", schema="pg_catalog", encoder=numeric_text, decoder=Decimal, format="text"
        )
    )


def numeric_text(value: Decimal | int) -> str:
    """Write a number for NUMERIC(38,18), or raise InvalidValue when the column could not hold it exactly."""
    number = Decimal(value)
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):  # NaN and the infinities
        raise InvalidValue("Only finite numbers are stored.")
    if number and number.adjusted() >= _DIGITS_BEFORE:
        raise InvalidValue(f"A stored number has at most {_DIGITS_BEFORE} digits before the point.")
    if exponent < -_DIGITS_AFTER and any(digits[exponent + _DIGITS_AFTER :]):
        raise InvalidValue(f"A stored number has at most {_DIGITS_AFTER} digits after the point.")
    return format(number, "f")


def sqlstate(error: DBAPIError) -> str | None:
    """Return PostgreSQL's five-character code of an error, None when the server did not answer with one."""
    found: str | None = getattr(error.orig, "sqlstate", None)
    return found


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    *,
    tries: int = 5,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Run one whole database transaction again when the server called it off for the sake of another.

    For transactions only: `attempt` begins, commits and talks to nobody else. Waits with full jitter between tries;
    after the last one, and for every other failure, the error goes on to the caller.
    """
    for number in range(1, tries + 1):
        try:
            return await attempt()
        except DBAPIError as error:
            if number == tries or sqlstate(error) not in SQLSTATES_WORTH_RETRYING:
                raise
        await pause(_CHANCE.uniform(0, min(_BACKOFF_MAX_SECONDS, _BACKOFF_SECONDS * 2**number)))
    raise InvalidValue("A transaction needs at least one try.", tries=tries)
