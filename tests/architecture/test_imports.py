from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.api import read_configuration

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".importlinter"
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def contract(ident: str) -> dict[str, str | list[str]]:
    contracts = read_configuration(str(CONFIG))["contracts_options"]
    found: dict[str, str | list[str]] = next(options for options in contracts if options["id"] == ident)
    return found


def packages(folder: Path) -> set[str]:
    return {init.parent.name for init in folder.glob("*/__init__.py")}


def named_layers(ident: str) -> set[str]:
    rows = contract(ident)["layers"]
    lines = [rows] if isinstance(rows, str) else rows
    return {name.strip(" ()").rpartition(".")[2] for line in lines for name in line.split("|")}


def test_the_tree_keeps_every_import_contract() -> None:
    # A process of its own: import-linter looks packages up in the folder where it runs.
    answer = subprocess.run(
        [sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_venue_package_stands_in_the_venues_contract() -> None:
    assert packages(ROOT / "app/infrastructure/exchanges") <= named_layers("venues")


@pytest.mark.parametrize("room", ["domain", "application", "infrastructure", "config", "presentation"])
def test_every_room_of_the_contracts_stands_in_the_tree(room: str) -> None:
    # A renamed room would leave its optional layer empty and its contracts without an object.
    assert room in named_layers("rooms")
    assert (ROOT / "app" / room / "__init__.py").is_file()


def test_every_wire_module_has_the_name_that_the_wire_contract_looks_for() -> None:
    # A `wire_spot` would escape the pattern; a second one belongs in a package called `wire`.
    found = {path.stem for path in (ROOT / "app/infrastructure/exchanges").glob("*/*wire*")}
    assert found <= {"wire"}


def test_no_contract_carries_an_exception() -> None:
    for options in read_configuration(str(CONFIG))["contracts_options"]:
        assert not options.get("ignore_imports"), f"{options['name']} has ignored imports"
