"""The audit's questions are put together rightly: one column each, nothing that writes, and the domain's own tables."""

from __future__ import annotations

import re

import pytest

from app.domain.trading.order import OrderState
from app.domain.trading.trade import HOLD_IS_OVER, TRADE_AFTER_ORDER, TradeState
from app.infrastructure.postgres.audit_sql import QUESTIONS

WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR UPDATE|FOR SHARE|LOCK|TRUNCATE)\b")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_names_its_offenders_says_a_sentence_and_writes_nothing(name: str) -> None:
    question = QUESTIONS[name]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert re.fullmatch(r"[A-Z].*\.", question.sentence)
    assert " AS example" in question.sql
    assert not WRITES.search(question.sql)
    assert ";" not in question.sql


@pytest.mark.parametrize(("order", "trade"), TRADE_AFTER_ORDER.items())
def test_what_the_domain_says_of_a_trade_after_its_order_is_allowed(
    order: OrderState, trade: TradeState
) -> None:
    assert f"('{order}', '{trade}')" in QUESTIONS["trade-state"].sql


def test_a_trade_counts_as_over_where_the_domain_says_so() -> None:
    over = ", ".join(f"'{state}'" for state in sorted(HOLD_IS_OVER))
    assert f"t.state IN ({over})" in QUESTIONS["settled"].sql
