"""Every failure elsewhere that the design learnt from has its test here: the table names it, and a missing one fails."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
HERE = {
    "an order that timed out is sent again": "catalyst_317",
    "an order without an id of its own": "ccxt_2599",
    "a transport that repeats orders": "trading_gpt_94",
    "a time-out taken for a failure": "hummingbot_493",
    "a lost order that fills later": "hummingbot_3374",
    "an error taken for an absence": "hummingbot_8457",
    "a close sent twice": "hummingbot_7611",
    "retries after an outage": "tradingview_alert_connector_30",
    "one purchase counted twice, or two as one": "binance_trading_bot_450",
    "a fill that races its cancellation": "freqtrade_3647",
    "a young order assumed cancelled": "freqtrade_startup",
    "an order that is invisible at first": "ccxt_6615",
    "fills booked again after a restart": "quantdinger_232",
    "a fill that was inferred and then told": "nautilus_3493",
    "legs of a hedged account netted": "nautilus_3067",
    "a window that lost the opening fills": "nautilus_3104",
    "reconciling twice with two results": "nautilus_3878",
    "a funding payment taken for a fill": "nautilus_4937",
    "a field that is new": "nautilus_3836",
    "a task delivered several times": "celery_5935",
    "several stops from an overloaded venue": "kuegibot_2",
    "alerts told again days later": "soranoo_4",
    "a bot that stops without a word": "bitmex_copy_bot_4",
    "a key in logs and answers": "freqtrade_6016",
    "a key in error objects": "binance_connector_561",
}
ELSEWHERE = {
    "a leaked key that may withdraw": (
        "integration/api/test_follower.py",
        "test_a_key_that_may_withdraw_is_forgotten",
    ),
    "a leaked key that is drained through a thin market": (
        "unit/domain/shared/test_terms.py",
        "test_a_denied_symbol_is_never_copied_and_an_empty_list_allows_all",
    ),
}


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in made if node.name.startswith("test_")}


@pytest.mark.parametrize("name", HERE.values(), ids=HERE)
def test_a_failure_of_others_has_its_test_here(name: str) -> None:
    found = {test for path in Path(__file__).parent.glob("test_*.py") for test in names_in(path)}
    assert any(test.startswith(f"test_{name}_") for test in found)


@pytest.mark.parametrize(("file", "name"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_failure_of_others_has_its_test_where_its_rule_lives(file: str, name: str) -> None:
    assert name in names_in(TESTS / file)
