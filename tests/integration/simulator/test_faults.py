from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest

from tests.integration.simulator.client import ORDER, Trader, next_event
from tests.integration.simulator.conftest import MakeTrader
from tests.support.simulator import SimulatorProcess

PLACE = f"POST {ORDER}"


def executed(simulator: SimulatorProcess, trader: Trader) -> int:
    return len(simulator.operator.ledger("fills", trader.account_id))


@pytest.mark.parametrize(
    ("kind", "fills"), [("timeout_before", 0), ("timeout_after", 1), ("reset_before", 0), ("reset_after", 1)]
)
async def test_a_lost_reply_hides_whether_the_order_was_executed(
    simulator: SimulatorProcess, trader: Trader, kind: str, fills: int
) -> None:
    simulator.operator.add_fault(PLACE, kind, account_id=trader.account_id, times=1)
    with pytest.raises((TimeoutError, aiohttp.ClientError)):
        await trader.call(
            "POST", ORDER, timeout_s=0.3, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01",
            newClientOrderId="lost",
        )  # fmt: skip
    assert executed(simulator, trader) == fills
    found = await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="lost")
    assert found.body.get("status", found.body.get("code")) == ("FILLED" if fills else -2013)
    assert (await trader.market()).status == 200  # the rule struck once


@pytest.mark.parametrize(
    ("rule", "status", "fills"),
    [
        ({"kind": "http_status", "status": 503}, 503, 0),
        ({"kind": "http_status", "status": 503, "executes": True}, 503, 1),
        (
            {"kind": "http_status", "status": 429, "retry_after": 7, "body": '{"code":-1003,"msg":"x"}'},
            429,
            0,
        ),
        ({"kind": "garbage"}, 200, 1),
        ({"kind": "html"}, 502, 1),
        ({"kind": "html", "executes": False}, 502, 0),
        ({"kind": "empty"}, 200, 1),
        ({"kind": "empty", "status": 504}, 504, 1),
    ],
)
async def test_a_mangled_reply_says_nothing_reliable(
    simulator: SimulatorProcess, trader: Trader, rule: dict[str, object], status: int, fills: int
) -> None:
    simulator.operator.post("/sim/faults", {"rules": [{"endpoint": PLACE, "times": 1, **rule}]})
    answer = await trader.market()
    assert answer.status == status
    assert executed(simulator, trader) == fills
    assert answer.headers.get("Retry-After") == ("7" if "retry_after" in rule else None)
    if rule["kind"] in {"garbage", "html", "empty"}:
        assert isinstance(answer.body, bytes)


def raw_reply(simulator: SimulatorProcess, request: bytes) -> bytes:
    """Return what arrives on a bare socket until the server resets it; fails when it ends in order instead."""
    seen = b""
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as bare:
        bare.sendall(request)
        try:
            while part := bare.recv(65536):
                seen += part
        except ConnectionResetError:
            return seen
    raise AssertionError("the connection ended in order")


def test_a_reset_midway_gives_the_head_and_half_the_body(simulator: SimulatorProcess) -> None:
    request = b"GET /fapi/v1/depth?symbol=BTCUSDT&limit=20 HTTP/1.1\r\nHost: x\r\n\r\n"
    simulator.operator.add_fault("GET /fapi/v1/depth", "reset_midway", times=1)
    head, _, body = raw_reply(simulator, request).partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert len(body) == length // 2 > 100


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_reset_is_no_orderly_end(simulator: SimulatorProcess, kind: str) -> None:
    simulator.operator.add_fault("GET /fapi/v1/ping", kind, times=1)
    assert raw_reply(simulator, b"GET /fapi/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n") == b""


@pytest.mark.parametrize(("rule", "fills"), [({}, 1), ({"executes": True}, 1), ({"executes": False}, 0)])
async def test_a_reset_midway_hides_whether_the_order_was_executed(
    simulator: SimulatorProcess, trader: Trader, rule: dict[str, object], fills: int
) -> None:
    simulator.operator.add_fault(PLACE, "reset_midway", account_id=trader.account_id, times=1, **rule)
    with pytest.raises(aiohttp.ClientError):
        await trader.market()
    assert executed(simulator, trader) == fills
    assert (await trader.market()).status == 200


async def test_a_stock_fault_body_bears_no_venues_error_number(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    simulator.operator.add_fault(PLACE, "http_status", status=503, times=1)
    assert set((await trader.market()).body) == {"error", "message"}


async def test_a_silent_socket_answers_no_ping_either(
    simulator: SimulatorProcess, trader: Trader, session: aiohttp.ClientSession
) -> None:
    url = f"{simulator.ws_url}/ws/{await trader.listen_key()}"
    stream = await session.ws_connect(url, autoping=False)
    await stream.ping(b"one")
    assert (await stream.receive(timeout=5)).type is aiohttp.WSMsgType.PONG
    simulator.operator.add_fault("WS", "silence", account_id=trader.account_id, times=1)
    await trader.limit("BUY", "0.01", "63000")
    await stream.ping(b"two")
    with pytest.raises(TimeoutError):
        await stream.receive(timeout=0.3)
    assert not stream.closed
    await stream.close()


async def test_a_delayed_event_comes_after_later_ones(simulator: SimulatorProcess, trader: Trader) -> None:
    stream = await trader.user_stream()
    simulator.operator.add_fault("WS", "delay", account_id=trader.account_id, ms=200, times=1)
    for name in ("first", "second"):
        await trader.limit("BUY", "0.01", "63000", newClientOrderId=name)
    assert [(await next_event(stream))["o"]["c"] for _ in range(2)] == ["second", "first"]
    await stream.close()


@pytest.mark.parametrize("kind", ["latency", "slow_reply"])
async def test_a_slow_exchange_answers_late(simulator: SimulatorProcess, trader: Trader, kind: str) -> None:
    simulator.operator.add_fault(PLACE, kind, ms=150, times=1)
    started = time.monotonic()
    answer = await trader.market()
    assert answer.status == 200
    assert time.monotonic() - started >= 0.15


async def test_latency_outlasting_the_window_refuses_but_a_slow_reply_has_executed(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    simulator.operator.add_fault(PLACE, "latency", ms=150, times=1)
    assert (await trader.market(recvWindow="60")).code == -1021
    simulator.operator.add_fault(PLACE, "slow_reply", ms=150, times=1)
    assert (await trader.market(recvWindow="60")).status == 200
    assert executed(simulator, trader) == 1


async def test_a_duplicate_reply_comes_twice_on_the_wire(simulator: SimulatorProcess, trader: Trader) -> None:
    simulator.operator.add_fault("GET /fapi/v1/ping", "duplicate_reply", times=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        b"GET /fapi/v1/ping HTTP/1.1\r\nHost: x\r\n\r\nGET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    seen = b""
    async with asyncio.timeout(5):
        while b"serverTime" not in seen:
            seen += await reader.read(65536)
    assert seen.count(b"HTTP/1.1 200") == 3
    writer.close()
    await writer.wait_closed()


async def test_a_rule_strikes_only_its_account_and_only_so_often(
    simulator: SimulatorProcess, make_trader: MakeTrader
) -> None:
    victim, other = make_trader(), make_trader()
    simulator.operator.add_fault("*", "http_status", status=500, account_id=victim.account_id, times=2)
    assert [(await other.market()).status for _ in range(2)] == [200, 200]
    assert [(await victim.market()).status for _ in range(3)] == [500, 500, 200]
    rules = simulator.operator.get("/sim/faults")["rules"]
    assert rules[0]["struck"] == 2
    assert simulator.operator.clear_faults()["rules"] == []


async def test_the_same_seed_strikes_the_same_requests(session: aiohttp.ClientSession) -> None:
    async def statuses() -> list[int]:
        with SimulatorProcess(seed=5) as process:
            row = process.operator.open_account("a")
            trader = Trader(
                session,
                process.base_url,
                process.ws_url,
                row["account_id"],
                row["api_key"],
                row["api_secret"],
            )
            process.operator.add_fault(PLACE, "http_status", status=500, probability="0.5")
            return [(await trader.market()).status for _ in range(20)]

    first = await statuses()
    assert first == await statuses()
    assert set(first) == {200, 500}


async def test_weight_beyond_the_limit_is_429_then_a_ban(
    session: aiohttp.ClientSession, make_trader: MakeTrader
) -> None:
    config = {"settings": {"limits": {"weight_per_minute": 20, "refusals_before_ban": 3, "ban_ms": 60_000}}}
    with SimulatorProcess(config=config, generous=False) as process:
        trader = make_trader(process)
        answers = [await trader.raw("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=5") for _ in range(9)]
        assert [answer.status for answer in answers] == [200] * 4 + [429] * 3 + [418] * 2
        assert answers[3].headers["X-MBX-USED-WEIGHT-1M"] == "20"
        assert 1 <= int(answers[4].headers["Retry-After"]) <= 60
        assert answers[4].code == -1003
        assert 1 <= int(answers[8].headers["Retry-After"]) <= 60
        process.operator.settings(limits={"weight_per_minute": 1000})
        assert (await trader.raw("GET", "/fapi/v1/ping", "")).status == 200


async def test_orders_are_counted_per_account(
    session: aiohttp.ClientSession, make_trader: MakeTrader
) -> None:
    config = {"settings": {"limits": {"orders_per_10s": 1000, "orders_per_minute": 3}}}
    with SimulatorProcess(config=config, generous=False) as process:
        first, second = make_trader(process), make_trader(process)
        answers = [await first.market() for _ in range(4)]
        if [answer.status for answer in answers] == [200] * 4:  # the minute turned between them
            answers = [await first.market() for _ in range(4)]
        assert answers[-1].status == 429
        assert answers[-1].code == -1015
        assert "X-MBX-ORDER-COUNT-10S" in answers[0].headers
        assert answers[0].headers["X-MBX-ORDER-COUNT-1M"] == "1"
        assert (await second.market()).status == 200
