"""Every lint bites on a bad snippet, passes a good one, and finds nothing in the tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.tidy.run import CODES, RULES, findings_in
from tools.tidy.source import Source
from tools.tidy.tree import ROOT, sources_under

FUTURE = "from __future__ import annotations\n"
DOMAIN = "app/domain/trading/order.py"
PLACE = "app/application/trading/place.py"
WIRE = "app/infrastructure/exchanges/binance/wire.py"
TEST = "tests/unit/test_order.py"
# Joined at run time, so that this file does not break the lint itself.
UNFINISHED = "TO" + "DO"
ADMIN_HOME = "/" + "root"
OWN_HOME = "/" + "home/ann"
WORK = "/" + "work"
REGISTRY = "https://" + "pypi" + ".org/project/x"

# Code, file, a snippet that breaks it, a near one that does not.
BITES = [
    ("file-length", DOMAIN, "x = 1\n" * 301, "x = 1\n" * 300),
    ("file-length", TEST, "x = 1\n" * 301, "x = 1\n" * 300),
    ("function-length", DOMAIN, "def f():\n" + "    x = 1\n" * 60, "def f():\n" + "    x = 1\n" * 59),
    ("function-length", DOMAIN, "async def f():\n" + "    x = 1\n" * 60, "async def f():\n    x = 1\n"),
    ("init-docstring", "app/domain/__init__.py", '"""D."""\nfrom app.domain.x import y\n', '"""Owns x."""\n'),
    ("init-docstring", "app/domain/__init__.py", "", '"""Owns x."""\n'),
    ("init-docstring", "app/domain/__init__.py", '"""D."""\n__version__ = "1"\n', '"""D."""\n'),
    ("init-docstring", "app/__init__.py", '"""D."""\n__all__ = ["x"]\n', '"""D."""\n__version__ = "1"\n'),
    ("module-docstring", DOMAIN, "x = 1\n", '"""Owns x."""\n'),
    ("future-annotations", DOMAIN, "x: int = 1\n", FUTURE + "x: int = 1\n"),
    ("future-annotations", PLACE, "def f(): ...\n", "x = 1\n"),
    ("echo-docstring", DOMAIN, 'def fill_price(o):\n    """Get the fill price."""\n', 'def fill_price(o):\n    """In quote units."""\n'),
    ("domain-clock", DOMAIN, "from datetime import datetime\ndatetime.now()\n", "from datetime import datetime\ndatetime.min\n"),
    ("domain-clock", DOMAIN, "import datetime as dt\nf(dt.datetime.utcnow)\n", "import datetime as dt\nf(dt.datetime.max)\n"),
    ("domain-clock", DOMAIN, "from datetime import date\ndate.today()\n", "from datetime import date\ndate(2026, 1, 1)\n"),
    ("domain-clock", DOMAIN, "from time import monotonic as m\n", "from datetime import time\n"),
    ("domain-clock", DOMAIN, "import time\ntime.time()\n", "now.time()\n"),
    ("domain-chance", DOMAIN, "from uuid import uuid4\n", "from uuid import uuid5\n"),
    ("domain-chance", DOMAIN, "import uuid\nuuid.uuid1()\n", "import uuid\nuuid.uuid5(space, name)\n"),
    ("domain-chance", DOMAIN, "import random as r\nr.choice(x)\n", "order.random\n"),
    ("domain-chance", DOMAIN, "from secrets import token_hex\n", "secrets = ()\n"),
    ("domain-float", DOMAIN, "x = float('1')\n", "x = Decimal('1')\n"),
    ("domain-float", DOMAIN, "x = 0.5\n", "x = '0.5'\n"),
    ("domain-float", DOMAIN, FUTURE + "def f(x: float) -> None: ...\n", FUTURE + "def f(x: Decimal) -> None: ...\n"),
    ("domain-float", DOMAIN, "import math\nmath.sqrt(x)\n", "import math\nmath.isqrt(x)\n"),
    ("money-float", PLACE, "price = float(text)\n", "timeout_s = 2.5\n"),
    ("money-float", WIRE, "price = float(row['p'])\n", "def f(timeout_s: float): ...\n"),
    ("decimal-from-float", WIRE, "from decimal import Decimal\nDecimal(0.1)\n", "from decimal import Decimal\nDecimal('0.1')\n"),
    ("decimal-from-float", WIRE, "import decimal\ndecimal.Decimal(-0.1)\n", "import decimal\ndecimal.Decimal(-1)\n"),
    ("decimal-from-float", WIRE, "from decimal import Decimal\nDecimal(float(x))\n", "from decimal import Decimal\nDecimal(x)\n"),
    ("explicit-any", DOMAIN, "from typing import Any\n", "from typing import Protocol\n"),
    ("explicit-any", PLACE, "import typing as t\nx: t.Any\n", "x = any(y)\n"),
    ("frozen", DOMAIN, "@dataclass\nclass A: ...\n", "@dataclass(frozen=True, slots=True)\nclass A: ...\n"),
    ("frozen", DOMAIN, "@dataclasses.dataclass(frozen=True)\nclass A: ...\n", "class A: ...\n"),
    ("frozen", DOMAIN, "@dataclass(frozen=True, slots=False)\nclass A: ...\n", "@final\nclass A: ...\n"),
    ("mutable-global", DOMAIN, "seen = {}\n", "seen = frozenset({1})\n"),
    ("mutable-global", DOMAIN, "seen: Final = {1: 2}\n", "MODES: Final[Mapping[Mode, int]] = {Mode.A: 2}\n"),
    ("mutable-global", PLACE, "def f():\n    global x\n", "MODES = MappingProxyType({1: 2})\n"),
    ("mutable-global", PLACE, "seen = defaultdict(list)\n", "def f():\n    seen = {}\n"),
    ("foreign-import", DOMAIN, "import numpy as np\n", "import decimal\n"),
    ("foreign-import", PLACE, "from attrs import define\n", "from typing_extensions import override\n"),
    ("dynamic-import", PLACE, "import importlib\nimportlib.import_module('app.config')\n", "import importlib.metadata\n"),
    ("dynamic-import", PLACE, "__import__('app.config')\n", "x = '__import__'\n"),
    ("network-in-transaction", PLACE, "async def f():\n    async with self.uow() as work:\n        await self.gateway.place(o)\n", "async def f():\n    async with self.uow() as work:\n        await work.commit()\n    await self.gateway.place(o)\n"),
    ("network-in-transaction", PLACE, "async def f():\n    async with engine.begin():\n        if x:\n            await gateway.place(o)\n", "async def f():\n    async with lane.slot():\n        await gateway.place(o)\n"),
    ("network-in-transaction", PLACE, "async def f():\n    async with uow:\n        await self.venue.cancel(o)\n", "async def f():\n    async with uow:\n        name = self.venue.name.lower()\n"),
    ("network-in-transaction", PLACE, "async def f():\n    async with uow:\n        await gather(self._gateway.place(o))\n", "async def f():\n    async with uow:\n        await uow.venues.load()\n"),
    ("network-in-transaction", PLACE, "async def f():\n    async with uow as work:\n        await self.gateways[key].place(o)\n", "async def f():\n    async with uow as work:\n        await work.venues.load()\n"),
    ("silent-except", TEST, "try: f()\nexcept: g()\n", "try: f()\nexcept ValueError: pass\n"),
    ("silent-except", WIRE, "try: f()\nexcept Exception: pass\n", "try: f()\nexcept Exception: log()\n"),
    ("silent-except", WIRE, "for x in y:\n    try: f()\n    except (KeyError, BaseException): continue\n", "try: f()\nexcept Exception: raise\n"),
    ("silent-except", WIRE, "with contextlib.suppress(Exception): f()\n", "with contextlib.suppress(KeyError): f()\n"),
    ("print", WIRE, "print(secret)\n", "log.info('placed')\n"),
    ("print", "simulator/server.py", "print(1)\n", "x.print(1)\n"),
    ("sleep-in-test", TEST, "import time\ntime.sleep(1)\n", "import asyncio\nasyncio.sleep(0)\n"),
    ("sleep-in-test", TEST, "from asyncio import sleep\nsleep(0.1)\n", "script = 'sleep(1)'\n"),
    ("single-cancel", WIRE, "task.cancel()\n", "await gateway.cancel(order)\n"),
    ("single-cancel", PLACE, "self._tasks.pop(name).cancel()\n", "await end(task)\n"),
    ("uncoded-error", DOMAIN, "class Bad(DomainError): ...\n", "class Bad(DomainError):\n    code = 'bad'\n"),
    ("uncoded-error", DOMAIN, "class A(errors.DomainError):\n    code = 'a'\nclass B(A):\n    code: ClassVar[str]\n", "class A(ValueError): ...\n"),
    ("uncoded-error", DOMAIN, "raise DomainError('no')\n", "raise NotFound('no')\n"),
    ("uncoded-error", DOMAIN, "class A(DomainError): ...\nclass B(A):\n    code = 'b'\nraise A('no')\n", "class A(DomainError): ...\nclass B(A):\n    code = 'b'\nraise B('no')\n"),
    ("uncoded-error", DOMAIN, "class A(DomainError): ...\nclass A(HttpError): ...\n", "class A(DomainError):\n    code = 'a'\nclass A(HttpError): ...\n"),
    ("unfinished", WIRE, f"# {UNFINISHED} later\n", "# to do\n"),
    ("unfinished", "docs/a.md", f"{UNFINISHED}\n", "XXXX\n"),
    ("type-waiver", WIRE, "x = 1  # type: ignore\n", "x = 1  # type: ignore[arg-type]  # stubs lag behind\n"),
    ("type-waiver", WIRE, "x = 1  # type: ignore[arg-type]\n", "x = '# type: ignore'\n"),
    ("ruff-waiver", WIRE, "x = 1  # noqa\n", "x = 1  # noqa: S608 - all names are constants\n"),
    ("ruff-waiver", WIRE, "x = 1  # noqa: S608\n", "x = 1  # noqa: S608, E501 all names are constants\n"),
    ("ruff-waiver", WIRE, "# ruff: noqa\n", "# ruff: noqa: N803 the wire's own names\n"),
    ("machine-path", "Makefile", f"cd {ADMIN_HOME}/x\n", "cd app/root/x\n"),
    ("machine-path", WIRE, f"p = '{WORK}'\n", "p = '/workers'\n"),
    ("machine-path", "docs/a.md", f"see `{OWN_HOME}/x`\n", "see `$HOME/x` and https://x.io/home/ann\n"),
    ("registry-host", "docs/a.md", REGISTRY, "https://docs.python.org/3/"),
    ("registry-host", "requirements.txt", "--index-url http://10.0.0.1/" + "simple\n", "x==1 --hash=sha256:00\n"),
]  # fmt: skip


def codes(*files: tuple[str, str]) -> set[str]:
    return {finding.code for finding in findings_in([Source(path, text) for path, text in files])}


@pytest.mark.parametrize(("code", "path", "bad", "good"), BITES)
def test_a_lint_bites_the_bad_and_passes_the_good(code: str, path: str, bad: str, good: str) -> None:
    assert code in codes((path, bad))
    assert code not in codes((path, good))


def test_a_folder_for_one_module_is_found() -> None:
    package = ("app/domain/x/__init__.py", '"""X."""\n')
    assert "lone-module" in codes(package, ("app/domain/x/a.py", ""))
    assert "lone-module" in codes(package, ("app/domain/x/y/__init__.py", ""))
    other = ("app/domain/z/__init__.py", '"""Z."""\n'), ("app/domain/z/a.py", ""), ("app/domain/z/b.py", "")
    parents = ("app/domain/__init__.py", ""), ("app/__init__.py", ""), ("app/__main__.py", "")
    assert "lone-module" not in codes(
        ("app/domain/x/a.py", ""), ("app/domain/x/b.lua", ""), package, *other, *parents
    )


def test_a_folder_that_is_no_package_is_found() -> None:
    assert "missing-init" in codes(("app/domain/x/a.py", ""))
    assert "missing-init" not in codes(("app/domain/x/a.py", ""), ("app/domain/x/__init__.py", ""))
    assert "missing-init" not in codes(
        ("tests/unit/a.py", ""), ("app/infrastructure/postgres/migrations/0001.py", "")
    )


def test_every_lint_is_seen_to_bite() -> None:
    assert {row[0] for row in BITES} | {"lone-module", "missing-init"} == {lint.code for lint in RULES}


def test_every_lint_has_a_code_of_its_own_and_tells_its_reason() -> None:
    assert len({lint.code for lint in RULES}) == len(RULES)
    assert all(lint.message and len(lint.reason.split()) > 3 for lint in RULES)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/presentation/cli/main.py", "print('ready')\n"),
        ("app/presentation/demo/show.py", "print('ready')\n"),
        ("tools/check.py", "print('ready')\n"),
        ("app/infrastructure/clock.py", "import time\ntime.time()\n"),
        ("app/infrastructure/telemetry.py", "x = float(y)\n"),
    ],
)
def test_a_room_may_do_what_only_others_may_not(path: str, text: str) -> None:
    assert codes((path, text)) & {"print", "domain-clock", "money-float"} == set()


def test_an_exception_covers_its_line_and_no_other() -> None:
    line = "x = float(y)  # tidy: allow money-float metrics want floats\n"
    above = "# tidy: allow money-float metrics want floats\nx = float(y)\n"
    assert "money-float" not in codes((PLACE, line))
    assert "money-float" not in codes((PLACE, above))
    assert "money-float" in codes((PLACE, line + "z = float(y)\n"))
    assert "money-float" in codes((PLACE, "x = float(y)  # tidy: allow mutable-global metrics want floats\n"))


@pytest.mark.parametrize(
    "comment",
    [
        "tidy: allow money-float",
        "tidy: allow no-such-lint because of that",
        "tidy: allow print an unused exception",
    ],
)
def test_an_exception_without_reason_or_without_use_is_itself_a_breach(comment: str) -> None:
    assert "allow" in codes((PLACE, f"x = float(y)  # {comment}\n"))


def test_a_file_that_does_not_parse_is_a_breach() -> None:
    assert codes((DOMAIN, "def f(:\n")) == {"syntax"}


def test_every_code_that_may_be_excepted_is_known() -> None:
    assert {lint.code for lint in RULES} < CODES


def test_a_row_tells_file_line_code_message_and_reason() -> None:
    row = str(findings_in([Source(WIRE, '"""W."""\nx = float(y)\n')])[-1])
    assert row.startswith(f"{WIRE}:2: money-float float conversion on the money path: float(y) - a price")


def test_the_tree_is_tidy() -> None:
    found = findings_in(sources_under(ROOT))
    assert not found, "\n".join(str(finding) for finding in found)


def test_the_command_line_fails_on_a_breach_and_passes_a_clean_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for source in sources_under(ROOT):
        if source.path.startswith("tools/"):
            (copy / source.folder).mkdir(parents=True, exist_ok=True)
            (copy / source.path).write_text(source.text)
    (copy / "tools/check.py").write_text('"""Checks."""\n\nx = 1\n')
    assert tidy(copy).returncode == 0, tidy(copy).stdout
    (copy / "tools/check.py").write_text('"""Checks."""\n\ntry: f()\nexcept: g()\n')
    answer = tidy(copy)
    assert answer.returncode == 1
    assert answer.stdout.startswith("tools/check.py:4: silent-except ")
    assert tidy(copy, "tools/tidy").returncode == 0
    assert tidy(copy, "tools/check.py").returncode == 1
    assert tidy(copy, "absent").returncode == 2


def tidy(root: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.tidy", *paths]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
