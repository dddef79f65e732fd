"""Addresses, exact numbers and the retry of transactions, without a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from hypothesis import given
from sqlalchemy.exc import DBAPIError, OperationalError

from app.domain.shared.errors import InvalidValue
from app.infrastructure.postgres.engine import SQLSTATES_WORTH_RETRYING, make_engine, numeric_text, retrying
from tests.unit.infrastructure.postgres.aggregates import amounts

CANARY = "pa55-canary"
WIDEST = "99999999999999999999.999999999999999999"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgres"])
def test_usual_addresses_are_understood_and_the_password_is_not_shown(scheme: str) -> None:
    engine = make_engine(
        f"{scheme}://ann:{CANARY}@127.0.0.1:5433/copytrade?sslmode=require",
        pool_size=3,
        application_name="tests",
    )
    assert (engine.url.host, engine.url.port, engine.url.database) == ("127.0.0.1", 5433, "copytrade")
    assert engine.url.query == {"ssl": "require"}
    assert engine.dialect.driver == "asyncpg"
    for shown in (repr(engine), repr(engine.url), str(engine.url), repr(engine.pool)):
        assert CANARY not in shown


@pytest.mark.parametrize(
    "dsn", ["", "nonsense", f"mysql://ann:{CANARY}@h/d", f"postgresql//ann:{CANARY}@h/d"]
)
def test_another_address_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_engine(dsn, pool_size=1, application_name="tests")
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@given(amounts(f"-{WIDEST}", WIDEST))
def test_a_number_that_fits_the_column_is_written_as_it_is(number: Decimal) -> None:
    assert Decimal(numeric_text(number)) == number


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1E+131072",
        "1E+20",
        "-1E+20",
        "1E-19",
        "1.0000000000000000001",
        "99999999999999999999.9999999999999999999",
    ],
)
def test_a_number_that_the_column_would_change_is_refused(number: str) -> None:
    with pytest.raises(InvalidValue):
        numeric_text(Decimal(number))


@pytest.mark.parametrize(
    "number", ["1E+2", "-0", "0E-30", "1.0000000000000000000000", "99999999999999999999"]
)
def test_only_the_value_counts_not_how_it_is_spelt(number: str) -> None:
    assert Decimal(numeric_text(Decimal(number))) == Decimal(number)


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str, calls: list[int]) -> Callable[[], Awaitable[str]]:
    async def attempt() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("statement", {}, DriverError(sqlstate))
        return "done"

    return attempt


async def no_pause(seconds: float) -> None:
    assert 0 <= seconds <= 1


@pytest.mark.parametrize("sqlstate", sorted(SQLSTATES_WORTH_RETRYING))
async def test_a_called_off_transaction_runs_again(sqlstate: str) -> None:
    calls: list[int] = []
    attempt = failing(4, sqlstate, calls)
    assert await retrying(attempt, pause=no_pause) == "done"
    assert len(calls) == 5


async def test_the_last_failure_goes_to_the_caller() -> None:
    calls: list[int] = []
    with pytest.raises(DBAPIError):
        await retrying(failing(9, "40001", calls), tries=3, pause=no_pause)
    assert len(calls) == 3


@pytest.mark.parametrize("sqlstate", ["23505", "57014", "08006", ""])
async def test_another_failure_is_not_tried_again(sqlstate: str) -> None:
    calls: list[int] = []
    with pytest.raises(DBAPIError):
        await retrying(failing(9, sqlstate, calls), pause=no_pause)
    assert len(calls) == 1


async def test_no_try_at_all_is_refused() -> None:
    with pytest.raises(InvalidValue):
        await retrying(failing(0, "40001", []), tries=0)
