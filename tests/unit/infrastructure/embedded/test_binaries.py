from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

import pytest

from app.infrastructure.embedded import binaries
from app.infrastructure.embedded.binaries import POSTGRES, VALKEY, Package, server_program
from app.infrastructure.embedded.processes import EmbeddedServerError, server_account


@pytest.mark.parametrize("package", [POSTGRES, VALKEY], ids=lambda package: str(package.module))
def test_the_server_is_found_without_importing_its_package(package: Package) -> None:
    program = server_program(package, None)
    assert os.access(program, os.X_OK)
    assert package.module not in sys.modules


def test_a_package_that_is_not_installed_is_named() -> None:
    absent = Package("no_such_module_here", "no-such-distribution", (), "bin/server")
    with pytest.raises(EmbeddedServerError, match="no-such-distribution") as caught:
        server_program(absent, None)
    assert caught.value.code == "embedded.missing"


def test_a_program_that_does_not_run_is_said_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _package(tmp_path, monkeypatch, "#!/bin/sh\necho wrong libc >&2\nexit 3\n")
    with pytest.raises(EmbeddedServerError, match="exit code 3 wrong libc") as caught:
        server_program(package, None)
    assert caught.value.code == "embedded.unusable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_a_program_out_of_the_accounts_reach_is_copied_once_and_opened_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _package(tmp_path, monkeypatch, "#!/bin/sh\nexit 0\n", mode=0o700)
    tmp_path.chmod(0o700)
    shared = Path("/var/lib") / f"copytrade-test-{os.getpid()}"
    monkeypatch.setattr(binaries, "SHARED", shared)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.0")
    account = server_account()
    try:
        first = server_program(package, account)
        assert first.is_relative_to(shared)
        assert server_program(package, account) == first
        assert len(list(shared.iterdir())) == 1
    finally:
        shutil.rmtree(shared)


def _package(site: Path, monkeypatch: pytest.MonkeyPatch, script: str, *, mode: int = 0o755) -> Package:
    (site / "pretended_server" / "bin").mkdir(parents=True)
    (site / "pretended_server" / "__init__.py").touch()
    program = site / "pretended_server" / "bin" / "server"
    program.write_text(script)
    program.chmod(mode)
    monkeypatch.syspath_prepend(site)
    return Package(
        "pretended_server", "pretended-server", ("pretended_server",), "pretended_server/bin/server"
    )
