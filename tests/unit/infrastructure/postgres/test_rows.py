"""What is written of an aggregate reads back as that aggregate, for every field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infrastructure.postgres import rows, schema
from tests.unit.infrastructure.postgres import aggregates

CASES = {
    "user": (aggregates.USERS, rows.user_values, rows.user_of, schema.users),
    "account": (aggregates.ACCOUNTS, rows.account_values, rows.account_of, schema.accounts),
    "follow": (aggregates.FOLLOWS, rows.follow_values, rows.follow_of, schema.follows),
    "whale": (aggregates.WHALES, rows.whale_values, rows.whale_of, schema.whales),
    "signal": (aggregates.signals(), rows.signal_values, rows.signal_of, schema.signals),
    "limits": (aggregates.LIMITS, rows.limits_values, rows.limits_of, schema.limits),
    "halt": (aggregates.HALTS, rows.halt_values, rows.halt_of, schema.halts),
}
OWNED_BY_THE_STORE = {
    "id",
    "version",
    "created_at",
    "user_id",
    "seq",
    "owner",
    "lease_until",
    "done_at",
    "watched_since",
}


@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
def test_an_aggregate_survives_its_row(kind: str, data: st.DataObject) -> None:
    strategy: Any = CASES[kind][0]
    to_values: Any = CASES[kind][1]
    of_row: Any = CASES[kind][2]
    before = data.draw(strategy)
    kept = {name: getattr(before, name) for name in ("id", "version") if hasattr(before, name)}
    after = of_row({**kept, **to_values(before)})
    assert after == before
    for item in fields(before):
        if item.name != "events":
            assert type(getattr(after, item.name)) is type(getattr(before, item.name)), item.name


@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
def test_every_column_is_written_or_owned_by_the_store(kind: str, data: st.DataObject) -> None:
    strategy: Any = CASES[kind][0]
    to_values: Any = CASES[kind][1]
    table: Any = CASES[kind][3]
    written = set(to_values(data.draw(strategy)))
    assert written <= set(table.c.keys())
    assert set(table.c.keys()) - written <= OWNED_BY_THE_STORE
