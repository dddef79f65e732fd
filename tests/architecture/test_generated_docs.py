"""Generated pages say what the code says now, and documents name only what exists; both checks bite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs import __main__ as command
from tools.docs.cli_page import commands
from tools.docs.markdown import table
from tools.docs.pages import PAGES, stale, write
from tools.docs.prose import Fault, anchors, faults, make_targets, unreached
from tools.docs.sentences import check_total, sentence_of
from tools.picture import closing_lines, last_view, svg_of

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = ".PHONY: demo\nRUN := python\ndemo: setup ## show it\n\t@true\ndemo-clean: setup\n"


@pytest.fixture(scope="module")
def stale_pages() -> list[str]:
    return stale(ROOT)


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_fresh(stale_pages: list[str], path: str) -> None:
    assert path not in stale_pages, "run `make docs`"


def test_no_document_names_what_does_not_exist() -> None:
    assert [str(fault) for fault in faults(ROOT)] == []


def test_every_document_is_reached_from_the_readme() -> None:
    assert unreached(ROOT) == []


def test_a_document_that_nobody_links_to_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("[a](docs/a.md#b) [x](docs/x.svg)", encoding="utf-8")
    (tmp_path / "docs/a.md").write_text("[b](b.md)\n```\n[c](c.md)\n```\n", encoding="utf-8")
    (tmp_path / "docs/b.md").write_text("[back](../README.md) [gone](gone.md)", encoding="utf-8")
    (tmp_path / "docs/c.md").write_text("# Alone", encoding="utf-8")
    assert unreached(tmp_path) == ["docs/c.md"]


def test_every_reference_page_is_generated_or_the_simulators() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/reference").iterdir()}
    assert found - set(PAGES) == {"docs/reference/simulator.md"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pages")
    assert write(root) == list(PAGES)
    return root


def test_what_was_just_written_is_fresh_and_written_once(written: Path) -> None:
    assert stale(written) == []
    assert write(written) == []


@pytest.mark.parametrize("path", ["docs/reference/settings.md", "docs/reference/openapi.json"])
def test_a_changed_or_missing_page_is_stale(written: Path, path: str) -> None:
    page = written / path
    fresh = page.read_text(encoding="utf-8")
    page.write_text(fresh.replace("COPYTRADE", "COPIED").replace("/v1/", "/v2/"), encoding="utf-8")
    assert stale(written) == [path]
    page.unlink()
    assert stale(written) == [path]
    page.write_text(fresh, encoding="utf-8")


def test_the_command_says_what_is_stale_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main(["--check"]) == 1
    assert "docs/reference/cli.md: stale" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_a_subject_without_a_sentence_and_a_sentence_without_a_subject_are_refused() -> None:
    with pytest.raises(KeyError, match="port has no sentence"):
        sentence_of({"host": "The host."}, "port")
    with pytest.raises(KeyError, match="host exists no more"):
        check_total({"host": "The host."}, ["port"])


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a", "b"), [("x | y", "two\nlines")]).splitlines()[-1] == "| x \\| y | two lines |"
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        table(("a", "b"), [("alone",)])


def found_in(root: Path, text: str) -> list[Fault]:
    (root / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs/other.md").write_text("# Other things\n\n## Where it ends\n", encoding="utf-8")
    (root / "app/domain").mkdir(parents=True, exist_ok=True)
    (root / "app/domain/order.py").touch()
    (root / "README.md").write_text(text, encoding="utf-8")
    return faults(root)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# A\n\n[b](docs/gone.md)", "the link docs/gone.md leads nowhere"),
        ("[b](/docs/other.md)", "the link /docs/other.md leads nowhere"),
        ("![b](docs/gone.svg)", "the link docs/gone.svg leads nowhere"),
        ("[b](docs/other.md#elsewhere)", "the link docs/other.md#elsewhere names no heading there"),
        ("[b](#nowhere)", "the link #nowhere names no heading there"),
        ("see `app/domain/gone.py`", "there is no app/domain/gone.py"),
        ("see `app/domain/{order,gone}.py`", "there is no app/domain/gone.py"),
        ("see `app/domain/gone*.py`", "there is no app/domain/gone*.py"),
        ("see `app/gone/<name>.py`", "there is no app/gone/<name>.py"),
        ("see `GONE.md`", "there is no GONE.md"),
        ("run `make show`", "make has no target show"),
        ("```sh\nA=b make demo show\n```", "make has no target show"),
        ("```sh\ncopytrade fly\n```", "copytrade has no command fly"),
        ("```sh\n$ python -m app serve --speed 3\n```", "copytrade serve has no option --speed"),
        ("run `copytrade fly`", "copytrade has no command fly"),
        ("run `copytrade orders fly`", "copytrade has no command orders fly"),
        ("run `copytrade orders show ID --fast`", "copytrade orders show has no option --fast"),
        ("```bash\n.venv/bin/python -m tools.gone\n```", "python -m tools.gone does not exist"),
    ],
)
def test_what_does_not_exist_is_found(tmp_path: Path, text: str, fault: str) -> None:
    assert [(row.path, row.text) for row in found_in(tmp_path, text)] == [("README.md", fault)]


def test_the_line_of_a_fault_is_told_behind_a_block_of_code(tmp_path: Path) -> None:
    text = "# A\n\n```sh\nmake demo\nmake show\n```\n\nand `make hide`\n"
    assert [str(row) for row in found_in(tmp_path, text)] == [
        "README.md:5: make has no target show",
        "README.md:8: make has no target hide",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# A b\n\n[b](docs/other.md#where-it-ends) [c](#a-b) [d](https://example.org/x)",
        "see `app/domain/order.py`, `app/domain/{order}.py`, `app/*/order.py`, `app/domain/<name>.py`",
        'run `make demo ARGS="--fast"` or `make demo-clean`',
        "```sh\nCOPYTRADE_X=1 copytrade serve --port 80   # make nothing of this\nls -l | make\n```",
        "```\nmake anything that is no shell\n```",
        "```sh\nit's an open quote\n```",
        "```sh\npython -m pytest -k x\ncopytrade --help\ncopytrade orders\ncopytrade orders --help\ncopytrade orders show c0 --json\n```",
    ],
)
def test_what_exists_is_let_pass(tmp_path: Path, text: str) -> None:
    assert found_in(tmp_path, text) == []


def test_the_checks_see_the_real_makefile_and_command_line() -> None:
    # Were these empty, the checks above would hold of nothing.
    assert {"demo", "test", "check", "docs"} <= make_targets(ROOT)
    assert {"serve", "work", "beat", "feed", "migrate", "doctor"} <= set(commands())


def test_anchors_are_spelt_as_hosts_spell_them() -> None:
    assert anchors("# What's `new`, here?\n```\n# no heading\n```\n") == {"whats-new-here"}


RECORDED = (
    "Starting everything\r\n\x1b[?25lsignal  copied\r\nOPEN A  \x1b[32m1\x1b[0m\r\n\r\nwhy not in full: -\r\n> opens\r\n"
    "\r\x1b[2K\x1b[1A\x1b[2Ksignal  copied\r\nCLOSE A \x1b[32m2\x1b[0m\r\n\r\nwhy not in full: -\r\n> closes\r\n"
    "\r\x1b[2K\x1b[1A\x1b[2K\x1b[?25hother words\r\n2 signals from 3 leader fills\r\nthe books agree, one for one\r\n"
)


def test_the_picture_shows_the_last_live_view_and_the_closing_lines() -> None:
    assert last_view(RECORDED) == ["signal  copied", "CLOSE A \x1b[32m2\x1b[0m"]
    assert closing_lines(RECORDED) == ["2 signals from 3 leader fills", "the books agree, one for one"]
    with pytest.raises(ValueError, match="no live view"):
        last_view("The demo failed.")


def test_the_picture_asks_for_nothing_from_elsewhere() -> None:
    drawn = svg_of(last_view(RECORDED))
    assert "CLOSE" in drawn
    for picture in (drawn, (ROOT / "docs/demo.svg").read_text(encoding="utf-8")):
        assert picture.count("http") == 1
        assert 'xmlns="http://www.w3.org/2000/svg"' in picture
