"""Runbooks and alarms fit each other and the programs: every page is found, every name they use exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.domain.trading.decision import DecisionCode
from app.infrastructure.telemetry import METRICS
from app.presentation.cli.main import cli
from tests.unit.presentation.test_errors import all_errors
from tools.docs import metrics_page

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
_METRIC = re.compile(r"`copytrade_(\w+?)(?:_total)?`")
_COMMAND = re.compile(r"(?:`|^\s*)copytrade ([a-z]+)", re.MULTILINE)


def _commands() -> set[str]:
    named = {str(each.name or getattr(each.callback, "__name__", "")) for each in cli.registered_commands}
    return named | {str(each.name) for each in cli.registered_groups}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_runbook_is_listed(page: Path) -> None:
    assert f"]({page.name})" in (RUNBOOKS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, RUNBOOKS / "README.md"], ids=lambda page: page.stem)
def test_what_a_runbook_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(_METRIC.findall(text)) <= {metric.name for metric in METRICS}
    assert set(_COMMAND.findall(text)) <= _commands()
    for link in re.findall(r"\]\(([\w./-]+\.md)", text):
        assert (page.parent / link).exists(), link


def test_alarms_watch_metrics_and_lead_to_runbooks_that_exist() -> None:
    alarms = metrics_page.render().partition("## What to watch")[2]
    links = re.findall(r"\(\.\./runbooks/([\w-]+\.md)\)", alarms)
    assert links
    assert all((RUNBOOKS / link).exists() for link in links)
    watched = set(_METRIC.findall(alarms))
    assert "exits_given_up" in watched
    assert watched <= {metric.name for metric in METRICS}


def test_the_runbook_of_frozen_lots_names_every_refusal_of_accepting() -> None:
    text = (RUNBOOKS / "frozen-lots.md").read_text(encoding="utf-8")
    own = [kind for kind in all_errors() if kind.__module__ == "app.application.trading.accept_drift"]
    assert len(own) == 3
    assert all(f"`{kind.code}`" in text for kind in own)
    assert DecisionCode.WRITTEN_OFF.value in text
