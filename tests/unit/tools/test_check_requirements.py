from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.check_requirements import ROOT, complaints, pinned

PROJECT = """
[project]
dependencies = ["server>=2,<3", "Wire_Format"]
[dependency-groups]
dev = ["checker>=1"]
"""
LOCK = """
[[package]]
name = "server"
version = "2.4"
groups = ["main"]
files = [{file = "server.whl", hash = "sha256:aa"}, {file = "server.tar.gz", hash = "sha256:ab"}]
[[package]]
name = "wire-format"
version = "1.0"
groups = ["main", "dev"]
files = [{file = "wire.whl", hash = "sha256:bb"}]
[[package]]
name = "checker"
version = "1.1"
groups = ["dev"]
files = [{file = "checker.whl", hash = "sha256:cc"}]
"""
MAIN = """server==2.4 ; python_version >= "3.11" \\
    --hash=sha256:ab \\
    --hash=sha256:aa
wire-format==1.0 \\
    --hash=sha256:bb
"""
DEV = "checker==1.1 --hash=sha256:cc\n" + MAIN


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "pyproject.toml": PROJECT,
        "poetry.lock": LOCK,
        "requirements.txt": MAIN,
        "requirements-dev.txt": DEV,
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def test_files_that_agree_give_no_complaint(project: Path) -> None:
    assert complaints(project) == []


def test_this_projects_files_agree() -> None:
    assert complaints(ROOT) == []


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        (
            "requirements.txt",
            replaced("server==2.4", "server==2.3"),
            "requirements.txt: server is 2.3, poetry.lock has 2.4",
        ),
        ("requirements.txt", replaced("sha256:ab", "sha256:ff"), "requirements.txt: the hashes of server"),
        (
            "requirements.txt",
            replaced(" \\\n    --hash=sha256:bb", ""),
            "requirements.txt: the hashes of wire-format",
        ),
        ("requirements.txt", lambda text: text + DEV.partition("\n")[0], "requirements.txt: has checker"),
        (
            "requirements-dev.txt",
            replaced("checker==1.1 --hash=sha256:cc\n", ""),
            "requirements-dev.txt: lacks checker 1.1",
        ),
        ("requirements.txt", lambda text: "--index-url x\n" + text, None),
        (
            "poetry.lock",
            replaced('"2.4"', '"3.0"'),
            "poetry.lock: server 3.0 is not what pyproject.toml allows",
        ),
        (
            "poetry.lock",
            lambda text: text + '# url = "https://mirror.example"\n',
            "poetry.lock: names a place to fetch from",
        ),
        (
            "pyproject.toml",
            replaced('"server>=2,<3"', '"server>=2,<3", "newcomer"'),
            "poetry.lock: lacks 'newcomer'",
        ),
    ],
    ids=["version", "hash", "no hash", "stranger", "absent", "index", "bound", "address", "newcomer"],
)
def test_a_disagreement_is_said(
    project: Path, name: str, change: Callable[[str], str], complaint: str | None
) -> None:
    (project / name).write_text(change((project / name).read_text()))
    if complaint is None:
        with pytest.raises(ValueError, match="index-url"):
            complaints(project)
    else:
        assert any(line.startswith(complaint) for line in complaints(project)), complaints(project)


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "poetry.lock", "requirements.txt", "requirements-dev.txt"]
)
def test_a_missing_file_is_said(project: Path, name: str) -> None:
    (project / name).unlink()
    assert complaints(project) == [f"{name}: missing - `make lock` makes it"]


@pytest.mark.parametrize("line", ["server>=2", "server", "server==2,==3"])
def test_a_line_that_pins_nothing_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not pinned"):
        pinned(line)
