"""Both formats are read exactly, and what cannot be read names its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.shared.market import Side
from app.presentation.demo.recording import (
    COLUMNS,
    Recording,
    RecordingError,
    read_csv,
    read_json,
    read_recording,
)

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "market"


def item(**changes: Any) -> dict[str, Any]:
    made = {
        "coin": "ETH", "px": "1876.40", "sz": "1.5", "side": "B", "time": 1683245884863, "startPosition": "-2.0",
        "oid": 77, "dir": "Close Short", "closedPnl": "1.2", "hash": "0x0", "crossed": True, "fee": "0.1",
    }  # fmt: skip
    return made | changes


def row(**changes: str) -> dict[str, str]:
    made = dict(
        zip(COLUMNS, ("BTC", "97000", "0.5", "SELL", "09-12-2024 21:24", "1.25", "5394"), strict=True)
    )
    return made | changes


def table(*rows: dict[str, str]) -> str:
    return "\n".join([",".join(COLUMNS), *(",".join(each[name] for name in COLUMNS) for each in rows)]) + "\n"


def test_an_answer_of_user_fills_is_read_exactly() -> None:
    (fill,) = read_json(json.dumps([item()])).fills
    assert (fill.coin, fill.order_id, fill.side) == ("ETH", "77", Side.BUY)
    assert (fill.price, fill.quantity, fill.start_position) == (
        Decimal("1876.40"),
        Decimal("1.5"),
        Decimal(-2),
    )
    assert fill.at == datetime(2023, 5, 5, 0, 18, 4, 863000, tzinfo=UTC)


def test_numbers_without_quotes_do_not_pass_through_floats() -> None:
    (fill,) = read_json(
        '[{"coin":"A","px":0.1,"sz":3,"side":"A","time":1683245884863,"startPosition":0,"oid":1}]'
    ).fills
    assert fill.price == Decimal("0.1")


def test_the_answer_lists_the_newest_first_and_is_turned_round() -> None:
    later = item(time=1683245884999, oid=78, startPosition="-0.5")
    assert [fill.order_id for fill in read_json(json.dumps([later, item()])).fills] == ["77", "78"]


def test_fills_of_one_moment_follow_the_position() -> None:
    steps = [item(startPosition=start, sz="1", oid=oid) for start, oid in (("2", 3), ("0", 1), ("1", 2))]
    assert [fill.order_id for fill in read_json(json.dumps(steps)).fills] == ["1", "2", "3"]


def test_a_trade_with_oneself_is_left_out() -> None:
    pair = [item(side="B", oid=1), item(side="A", oid=2)]
    read = read_json(json.dumps([*pair, item(oid=3)]))
    assert (len(read.fills), read.self_trades) == (1, 1)


def test_a_row_of_the_table_is_read_exactly_and_its_time_is_indian() -> None:
    (fill,) = read_csv(table(row())).fills
    assert (fill.coin, fill.order_id, fill.side, fill.quantity) == (
        "BTC",
        "5394",
        Side.SELL,
        Decimal("0.5"),
    )
    assert fill.at == datetime(2024, 12, 9, 15, 54, tzinfo=UTC)


def test_rows_of_one_minute_keep_the_order_of_the_file() -> None:
    text = table(*(row(**{"Order ID": str(number)}) for number in (3, 1, 2)))
    assert [fill.order_id for fill in read_csv(text).fills] == ["3", "1", "2"]


def test_a_table_with_the_newest_first_is_turned_round() -> None:
    text = table(row(**{"Timestamp IST": "10-12-2024 1:00", "Order ID": "2"}), row(**{"Order ID": "1"}))
    assert [fill.order_id for fill in read_csv(text).fills] == ["1", "2"]


def test_empty_lines_extra_columns_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "fills.csv"
    text = table(row()).replace("Order ID", "Order ID,Fee").replace("5394", "5394,0.1") + "\n\n"
    file.write_text("\ufeff" + text, encoding="utf-8")
    assert len(read_recording(file).fills) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"px": "0"}, "item 2: px must be above zero"),
        ({"px": "NaN"}, "item 2: px is no usable number"),
        ({"sz": "1e999"}, "item 2: sz is no usable number"),
        ({"sz": "-1"}, "item 2: sz must be above zero"),
        ({"side": "buy?"}, "item 2: side must be B or A"),
        ({"time": "soon"}, "item 2: time is no usable time"),
        ({"time": 10**30}, "item 2: time is no usable time"),
        ({"time": -1}, "item 2: time is no usable time"),
        ({"coin": ""}, "item 2: coin is missing"),
        ({"oid": None}, "item 2: oid is missing"),
    ],
)
def test_a_bad_item_is_named_by_its_number(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_json(json.dumps([item(), item(**changes)]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Execution Price": "cheap"}, "line 3: Execution Price is no usable number"),
        ({"Size Tokens": "0"}, "line 3: Size Tokens must be above zero"),
        ({"Side": "HOLD"}, "line 3: Side must be"),
        ({"Timestamp IST": "2024-12-09"}, "line 3: Timestamp IST is no usable time"),
        ({"Start Position": ""}, "line 3: Start Position is missing"),
    ],
)
def test_a_bad_row_is_named_by_its_line(changes: dict[str, str], words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_csv(table(row(), row(**changes)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "columns are missing"),
        (b"[", "not JSON"),
        (b'{"status": "err"}', "a list of fills was expected"),
        (b"[1]", "item 1: an object was expected"),
        (b"[]", "holds no fill"),
        (b"Coin,Side\n", "columns are missing: Execution Price"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "fills"
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=words) as refused:
        read_recording(file)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "fills", "self_trades"),
    [
        ("hyperliquid_fills_0x513b8629.csv", 12236, 0),
        ("hyperliquid_fills_0xae5eacaf.csv", 563, 0),
        ("hyperliquid_userFills_0xb7b6f3ce.json", 334, 83),
    ],
)
def test_a_real_record_is_read_whole(name: str, fills: int, self_trades: int) -> None:
    if not (DATA / name).exists():
        pytest.skip("the recorded fills are not part of the repository")
    read: Recording = read_recording(DATA / name)
    assert (len(read.fills), read.self_trades) == (fills, self_trades)
