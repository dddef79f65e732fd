"""Every import contract is broken on purpose, in a small tree of the real one's shape, and must notice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.api import read_configuration

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".importlinter"
CONTRACTS = {options["id"]: options for options in read_configuration(str(CONFIG))["contracts_options"]}

MODULES = (
    "app/__main__.py",
    "app/domain/shared/money.py",
    "app/domain/trading/order.py",
    "app/domain/risk/assess.py",
    "app/application/shared/uow.py",
    "app/application/queries.py",
    "app/application/trading/place.py",
    "app/application/signals/ingest.py",
    "app/infrastructure/postgres/engine.py",
    "app/infrastructure/exchanges/http.py",
    "app/infrastructure/exchanges/stream.py",
    "app/infrastructure/exchanges/binance/wire.py",
    "app/infrastructure/exchanges/binance/gateway.py",
    "app/infrastructure/exchanges/bybit/wire.py",
    "app/config/container.py",
    "app/presentation/api/ops.py",
    "app/presentation/cli/main.py",
    "app/presentation/demo/show.py",
    "simulator/server.py",
)

# The graph is built anew for each case, all in one process, since to start one costs more than the check.
DRIVER = """
import json, pathlib, sys
from importlinter import configuration
from importlinter.application import use_cases

sys.path.insert(0, ".")
configuration.configure()
options = use_cases.read_user_options(".importlinter")
use_cases._register_contract_types(options)
ids = {row["name"]: row["id"] for row in options.contracts_options}

def broken():
    report = use_cases.create_report(options, cache_dir=None)
    assert not report.could_not_run, report.invalid_contract_options
    return sorted(ids[contract.name] for contract, check in report.get_contracts_and_checks() if not check.kept)

answers = {"": broken()}
for case, (path, statement) in json.loads(pathlib.Path("cases.json").read_text()).items():
    file = pathlib.Path(path)
    before = file.read_text() if file.exists() else None
    file.write_text((before or "") + statement)
    answers[case] = broken()
    file.unlink() if before is None else file.write_text(before)
pathlib.Path("answers.json").write_text(json.dumps(answers))
"""

# File, the import it must not have, and exactly the contracts that break.
VIOLATIONS = (
    ("app/domain/trading/order.py", "from app.application.trading import place", {"rooms"}),
    ("app/domain/trading/order.py", "from app.infrastructure.postgres import engine", {"rooms", "entry"}),
    (
        "app/application/trading/place.py",
        "from app.infrastructure.postgres import engine",
        {"rooms", "entry"},
    ),
    ("app/application/trading/place.py", "from app.config import container", {"rooms"}),
    ("app/application/trading/place.py", "def f() -> None:\n    from app.config import container", {"rooms"}),
    ("app/infrastructure/postgres/engine.py", "from app.config import container", {"rooms"}),
    ("app/infrastructure/postgres/engine.py", "from app.presentation.api import ops", {"rooms"}),
    ("app/config/container.py", "from app.presentation.cli import main", {"rooms"}),
    ("app/utilities.py", "", {"rooms"}),
    ("app/presentation/api/ops.py", "from app.infrastructure.postgres import engine", {"entry"}),
    ("app/presentation/api/ops.py", "import app.infrastructure.postgres.engine", {"entry"}),
    ("app/presentation/cli/main.py", "from app.infrastructure.exchanges import http", {"entry"}),
    ("app/presentation/demo/show.py", "from app.infrastructure.exchanges.binance import gateway", {"entry"}),
    ("app/__main__.py", "from app.infrastructure.postgres import engine", {"entry"}),
    ("app/domain/trading/order.py", "from app.domain.risk import assess", {"domain-contexts"}),
    ("app/domain/risk/assess.py", "from app.domain.trading.order import x", {"domain-contexts"}),
    (
        "app/domain/risk/assess.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.domain.trading import order",
        {"domain-contexts"},
    ),
    ("app/domain/shared/money.py", "from app.domain.trading import order", {"domain-contexts"}),
    ("app/domain/helpers.py", "", {"domain-contexts"}),
    (
        "app/application/trading/place.py",
        "from app.application.signals import ingest",
        {"application-contexts"},
    ),
    ("app/application/shared/uow.py", "from app.application.trading import place", {"application-contexts"}),
    ("app/application/queries.py", "from app.application.trading import place", {"application-contexts"}),
    ("app/application/helpers.py", "", {"application-contexts"}),
    ("app/infrastructure/exchanges/binance/gateway.py", "from ..bybit import wire", {"venues"}),
    ("app/infrastructure/exchanges/bybit/wire.py", "from ..binance import wire", {"venues"}),
    (
        "app/infrastructure/exchanges/binance/wire.py",
        "from app.infrastructure.exchanges import http",
        {"wire"},
    ),
    ("app/infrastructure/exchanges/bybit/wire.py", "from .. import stream", {"wire"}),
    ("simulator/server.py", "from app.domain.shared import money", {"simulator"}),
    ("app/config/container.py", "import simulator.server", {"simulator"}),
)

# What each room may import although it looks near the border.
PERMITTED = (
    ("app/application/trading/place.py", "import asyncio\nimport time\nfrom app.domain.risk import assess"),
    ("app/config/container.py", "import os\nfrom app.infrastructure.postgres import engine"),
    ("app/presentation/api/ops.py", "import fastapi\nfrom app.config import container"),
    (
        "app/infrastructure/exchanges/binance/gateway.py",
        "import aiohttp\nfrom . import wire\nfrom .. import http",
    ),
    ("app/infrastructure/exchanges/binance/wire.py", "import hmac\nimport orjson\nimport msgspec"),
    ("app/domain/trading/order.py", "import hashlib\nimport uuid\nfrom app.domain.shared import money"),
)


def outsiders() -> list[tuple[str, str, set[str]]]:
    """One violation for each row of each list of forbidden packages."""
    importers = {
        "pure": "app/domain/trading/order.py",
        "use-cases": "app/application/trading/place.py",
        "wire": "app/infrastructure/exchanges/binance/wire.py",
    }
    return [
        (importer, f"import {package}", {ident})
        for ident, importer in importers.items()
        for package in CONTRACTS[ident]["forbidden_modules"]
        if not package.startswith("app.")
    ]


ALL_VIOLATIONS = [*VIOLATIONS, *outsiders()]


def plant(root: Path) -> None:
    """Write the small tree: every module a docstring, every folder a package."""
    for path in MODULES:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('"""A module."""\n')
    for folder in {parent for path in MODULES for parent in (root / path).parents if root in parent.parents}:
        (folder / "__init__.py").write_text('"""A package."""\n')
    (root / ".importlinter").write_text(CONFIG.read_text())


def key(path: str, statement: str) -> str:
    return f"{path}: {statement}"


@pytest.fixture(scope="module")
def broken_by(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The contracts that broke, for each violation, each permitted import, and the tree as planted (key empty)."""
    root = tmp_path_factory.mktemp("tree")
    plant(root)
    cases = [(path, statement) for path, statement, _ in ALL_VIOLATIONS] + list(PERMITTED)
    (root / "cases.json").write_text(
        json.dumps({key(path, statement): (path, statement) for path, statement in cases})
    )
    answer = subprocess.run(
        [sys.executable, "-c", DRIVER], cwd=root, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    answers: dict[str, list[str]] = json.loads((root / "answers.json").read_text())
    return {case: set(idents) for case, idents in answers.items()}


def test_the_untouched_tree_keeps_every_contract(broken_by: dict[str, set[str]]) -> None:
    assert broken_by[""] == set()


@pytest.mark.parametrize(("path", "statement", "contracts"), ALL_VIOLATIONS)
def test_a_forbidden_import_breaks_its_contract(
    broken_by: dict[str, set[str]], path: str, statement: str, contracts: set[str]
) -> None:
    assert broken_by[key(path, statement)] == contracts


@pytest.mark.parametrize(("path", "statement"), PERMITTED)
def test_a_permitted_import_breaks_none(broken_by: dict[str, set[str]], path: str, statement: str) -> None:
    assert broken_by[key(path, statement)] == set()


def test_every_contract_has_a_violation_that_breaks_it() -> None:
    assert {ident for _, _, contracts in ALL_VIOLATIONS for ident in contracts} == set(CONTRACTS)
