"""The demo as people run it: a program that sets everything up, copies, compares the books and says so by its status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.processes import ROOT, ChildProcess, is_running, wait_until
from tests.support.servers import make_run_folder, plain_dsn, remove_run_folder

SECONDS = 150.0
OWN_SERVERS = {"DATABASE_URL": "", "REDIS_URL": "", "COPYTRADE_DATABASE_URL": "", "COPYTRADE_REDIS_URL": ""}
CSV = """\
Coin,Execution Price,Size Tokens,Side,Timestamp IST,Start Position,Order ID
BTC,97000,2,BUY,09-12-2024 21:24,1.5,1
BTC,97010,3,BUY,09-12-2024 21:24,3.5,1
@107,12.4,5000,BUY,09-12-2024 21:25,0,2
BTC,97100,4,SELL,09-12-2024 21:30,6.5,3
@107,12.9,4998.2,SELL,09-12-2024 22:00,4998.2,4
BTC,96900,5,SELL,09-12-2024 22:10,2.5,5
"""


def fills_json() -> str:
    """Four orders; the second one rests while the third executes, and ends after it."""
    steps = [
        ("1", "B", "10", "0"),
        ("2", "B", "3", "10"),
        ("3", "A", "4", "13"),
        ("2", "B", "2", "9"),
        ("4", "A", "11", "11"),
    ]
    rows = [
        {"coin": "ETH", "px": f"{1800 + number}.5", "sz": size, "side": side, "time": 1683245884000 + number * 1000,
         "startPosition": start, "oid": int(order)}
        for number, (order, side, size, start) in enumerate(steps)
    ]  # fmt: skip
    return json.dumps(rows[::-1])


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A demo folder of its own, with its servers' data; removed at the end."""
    folder = make_run_folder()
    yield folder / "demo-home"
    remove_run_folder(folder)


def arguments(home: Path, report: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    words = ["-m", "app", "demo", "--once", "--fast", "--report", str(report), *more]
    return words, {**OWN_SERVERS, "COPYTRADE_HOME": str(home)}


def run(home: Path, report: Path, *more: str, status: int = 0, **env: str) -> str:
    words, settings = arguments(home, report, *more)
    with ChildProcess.python(*words, env=settings | env) as demo:
        assert demo.wait(SECONDS) == status, demo.output
        return demo.output


def read(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def test_the_scripted_demo_copies_everything_and_the_books_agree(home: Path, tmp_path: Path) -> None:
    output = run(home, tmp_path / "report", "--followers", "12")
    report = read(tmp_path / "report")
    assert "the books agree, one for one" in output
    assert report["books_agree"]
    assert {"COPIED", "REDUCED", "SKIPPED"} <= report["decisions"].keys()
    assert len(report["reasons"]) >= 8
    assert sum(report["decisions"].values()) == 12 * len(report["signals"])
    assert {signal["action"] for signal in report["signals"]} == {"OPEN", "ADD", "REDUCE", "CLOSE"}
    assert len({signal["symbol"] for signal in report["signals"]}) == 3
    assert report["compared"]["orders"] > 100
    secrets = home / "demo" / "secrets.json"
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert all(value not in output for value in json.loads(secrets.read_text()).values())


def test_a_second_run_on_the_same_folder_survives_a_reader_that_goes_away(home: Path, tmp_path: Path) -> None:
    fills = tmp_path / "fills.json"
    fills.write_text(fills_json())
    words, env = arguments(home, tmp_path / "report", "--followers", "5", "--fills", str(fills))
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.stdout.close()
        assert demo.stderr is not None
        complaints = demo.stderr.read().decode()
        assert demo.wait(SECONDS) == 0, complaints
    assert complaints == ""
    report = read(tmp_path / "report")
    assert report["books_agree"]
    assert report["followers"] == 5
    assert [s["action"] for s in report["signals"]] == ["OPEN", "ADD", "REDUCE", "ADD", "CLOSE"]


async def test_on_given_servers_a_table_is_replayed_and_a_corrupted_book_is_noticed(
    home: Path, tmp_path: Path, database_dsn: str, redis_url: str
) -> None:
    fills = tmp_path / "fills.csv"
    fills.write_text(CSV)
    given = {"DATABASE_URL": database_dsn, "REDIS_URL": redis_url}
    words = ("--followers", "4", "--fills", str(fills))
    database = await asyncpg.connect(plain_dsn(database_dsn))
    try:
        await database.execute("""
            CREATE FUNCTION lose_a_fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF NEW.state = 'DONE' AND (SELECT count(*) FROM signals) = 4 THEN
                DELETE FROM fills WHERE ctid = (SELECT x.ctid FROM fills x
                  JOIN signals s ON s.id = x.signal_id ORDER BY s.seq LIMIT 1);
              END IF;
              RETURN NULL; END $$;
            CREATE TRIGGER lose_a_fill AFTER UPDATE ON signals FOR EACH ROW EXECUTE FUNCTION lose_a_fill();
            """)
        output = run(home, tmp_path / "report", *words, status=1, **given)
        assert "THE BOOKS DO NOT AGREE: 1 difference" in output
        (difference,) = read(tmp_path / "report")["differences"]
        assert difference.endswith("at the exchange, unknown in our books")
        assert await database.fetchval("SELECT count(*) FROM accounts") == 5
        await database.execute("""
            DROP TRIGGER lose_a_fill ON signals;
            UPDATE accounts SET label = 'of a real person' WHERE id = (SELECT max(id) FROM accounts)
            """)
    finally:
        await database.close()
    output = run(home, tmp_path / "report", *words, status=1, **given)
    assert "holds accounts that no demo made" in output


def test_the_api_stays_up_for_both_tokens_until_ctrl_c_and_leaves_no_child(
    home: Path, tmp_path: Path
) -> None:
    fills = tmp_path / "fills.json"
    fills.write_text(fills_json())
    env = {**OWN_SERVERS, "COPYTRADE_HOME": str(home)}
    words = ("-m", "app", "demo", "--fast", "--followers", "3", "--fills", str(fills))
    with ChildProcess.python(*words, env=env) as demo:
        address = demo.wait_for_line(r"stays up at (http://127\.0\.0\.1:\d+)", SECONDS)[1]
        operator = demo.wait_for_line(r"operator's token: (\S+)")[1]
        follower = demo.wait_for_line(r"follower's token: (\S+)")[1]
        assert ask(f"{address}/readyz", "") == 200
        assert ask(f"{address}/v1/me", follower) == 200
        assert ask(f"{address}/v1/me", operator) == 200
        assert ask(f"{address}/v1/me", "ct_nobody") == 401
        children = descendants(demo.pid)
        assert len(children) >= 5
        demo.send_signal(signal.SIGINT)
        assert demo.wait(SECONDS) == 0
        wait_until(lambda: not any(is_running(pid) for pid in children), what="the end of every child")


def ask(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            status: int = reply.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, by Linux's own list of children."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found += [int(child), *descendants(int(child))]
    return found
