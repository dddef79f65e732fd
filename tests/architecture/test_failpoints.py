"""Every commit and every send has a named failpoint before and after it, and a new one without is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.chaos.points import READ_ONLY, REPEATABLE, point_names, sites, sites_of

ROOT = Path(__file__).resolve().parents[2]
BOOK = "app/infrastructure/postgres/book.py"
USE_CASE = "app/application/signals/ingest.py"


def test_every_commit_and_send_of_the_program_has_its_points() -> None:
    assert [f"{site.path}:{site.line}: {site.fault}" for site in sites(ROOT) if site.fault] == []


def test_the_money_path_is_among_them() -> None:
    wanted = {
        "copy.commit",
        "execution.commit",
        "resubmit.commit",
        "order.send",
        "bell.send",
        "signals.ingest.__call__.commit",
        "signals.dispatch._claim.commit",
    }
    assert {f"{name}.{moment}" for name in wanted for moment in ("before", "after")} <= set(point_names(ROOT))


def test_what_is_let_off_still_exists() -> None:
    assert [path for path in (*READ_ONLY, *REPEATABLE) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BOOK, "async with engine.begin() as connection: pass"),
        (BOOK, "async with session.begin(): pass"),
        (BOOK, "async with connection.transaction(): pass"),
        (BOOK, "async with transaction(engine, name) as connection: pass"),
        (BOOK, "async with transaction(engine) as connection: pass"),
        (BOOK, "await connection.commit()"),
        (BOOK, "failpoint('x.before')\nawait connection.commit()"),
        (BOOK, "await connection.commit()\nfailpoint('x.after')"),
        (BOOK, "failpoint('x.before')\nawait connection.commit()\nfailpoint('y.after')"),
        (BOOK, "failpoint('x.before')\nawait read()\nawait connection.commit()\nfailpoint('x.after')"),
        (BOOK, "if it:\n    await connection.commit()\nfailpoint('x.after')"),
        ("app/infrastructure/exchanges/new.py", "reply = await transport.request('POST', url)"),
        ("app/infrastructure/exchanges/new.py", "return await shared.transport.request('DELETE', url)"),
        ("app/infrastructure/bell.py", "celery.send_task(name)"),
    ],
)
def test_a_commit_or_send_without_its_points_is_found(path: str, text: str) -> None:
    assert [site for site in sites_of(path, text) if site.fault]


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (BOOK, "async with transaction(engine, 'copy') as connection: pass", "copy.commit"),
        (BOOK, "failpoint('x.before')\nawait connection.commit()\nfailpoint('x.after')", "x"),
        (BOOK, "failpoint('x.before')\nr = await t.request('POST', u)\nseen = 1\nfailpoint('x.after')", "x"),
        (BOOK, "async def take(uow): await uow.commit()", "infrastructure.postgres.book.take.commit"),
        (USE_CASE, "async def take(uow): await uow.commit()", "signals.ingest.take.commit"),
        ("app/presentation/cli/o.py", "async def f(w): await w.commit()", "presentation.cli.o.f.commit"),
    ],
)
def test_one_with_its_points_has_a_name(path: str, text: str, name: str) -> None:
    assert [(site.name, site.fault) for site in sites_of(path, text)] == [(name, "")]


@pytest.mark.parametrize(
    "text",
    [
        "reply = await transport.request('GET', url)",
        "async with connection.begin_nested(): pass",
        "await book.commit(signal, owner)",
    ],
)
def test_a_read_a_savepoint_and_another_ports_commit_are_none(text: str) -> None:
    assert list(sites_of(BOOK, text)) == []


def test_two_commits_of_one_name_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "app/infrastructure"
    folder.mkdir(parents=True)
    for name in ("a.py", "b.py"):
        (folder / name).write_text("async with transaction(engine, 'copy'): pass", encoding="utf-8")
    assert len([site for site in sites(tmp_path) if "same name" in site.fault]) == 2
