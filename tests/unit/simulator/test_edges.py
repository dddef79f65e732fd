from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.auth import cut_signature, sign, verify
from simulator.faults import FaultBook, Kind, Rule
from simulator.http import Connection, Reply, Request, dechunk
from simulator.limits import Limiter, Limits, Throttled


@pytest.mark.parametrize(
    ("query", "body", "text", "signature"),
    [
        ("a=1&signature=ff", "", "a=1", "ff"),
        ("", "a=1&signature=ff", "a=1", "ff"),
        ("a=1", "b=2&signature=ff", "a=1b=2", "ff"),
        ("signature=ff&a=1", "", "a=1", "ff"),
        ("a=1&signature=ff&b=2", "", "a=1&b=2", "ff"),
        ("a=1", "", "a=1", None),
        ("nosignature=ff", "", "nosignature=ff", None),
        ("signature=ff", "", "", "ff"),
    ],
)
def test_the_signature_is_cut_from_wherever_it_stands(
    query: str, body: str, text: str, signature: str | None
) -> None:
    assert cut_signature(query, body) == (text, signature)


def test_a_documented_signature_is_reproduced() -> None:
    """The example of the venue's own documentation."""
    secret = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    text = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    wanted = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert sign(secret, text) == wanted
    assert verify(secret, text, wanted.upper())
    assert not verify(secret, text + "0", wanted)
    assert not verify(secret, text, "é")


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.open = True

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.open = False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1)


class Echo:
    def __init__(self) -> None:
        self.seen: list[Request] = []

    def handle(self, request: Request, connection: Connection) -> Reply | None:
        self.seen.append(request)
        return Reply(200, request.path.encode())


def connected() -> tuple[Connection, Wire, Echo]:
    wire, echo = Wire(), Echo()
    connection = Connection(echo, asyncio.Protocol, set())
    connection.connection_made(cast("asyncio.BaseTransport", wire))
    return connection, wire, echo


STREAM = (
    b"POST /one?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    b"GET /two HTTP/1.1\r\nX-Mbx-Apikey:  key \r\n\r\n"
    b"POST /three HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
)


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_requests_are_read_alike_however_the_bytes_arrive(cuts: list[int]) -> None:
    connection, wire, echo = connected()
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, stop in pairwise(edges):
        if start < stop:
            connection.data_received(STREAM[start:stop])
    assert [(r.method, r.path, r.query, r.body) for r in echo.seen] == [
        ("POST", "/one", "a=1", b"hello"),
        ("GET", "/two", "", b""),
        ("POST", "/three", "", b"abcde"),
    ]
    assert echo.seen[1].headers["x-mbx-apikey"] == "key"
    assert wire.sent.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_malformed_bytes_are_answered_once_and_closed(data: bytes) -> None:
    connection, wire, echo = connected()
    connection.data_received(data)
    assert wire.sent.startswith(b"HTTP/1.1 400")
    assert not wire.open
    assert not echo.seen


def test_a_connection_that_asks_to_be_closed_is_closed_after_its_reply() -> None:
    connection, wire, echo = connected()
    connection.data_received(b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
    assert [request.path for request in echo.seen] == ["/a"]
    assert not wire.open


def test_an_incomplete_chunked_body_waits() -> None:
    assert dechunk(b"5\r\nhel", 0) is None
    assert dechunk(b"3\r\nabc\r\n0\r\n\r\nrest", 0) == (b"abc", 13)


def test_weight_is_counted_by_address_and_minute_and_then_banned() -> None:
    limiter = Limiter(Limits(weight_per_minute=10, refusals_before_ban=1, ban_ms=90_000))
    assert limiter.take_weight("a", 10, 0) == 10
    assert limiter.take_weight("b", 1, 0) == 1
    with pytest.raises(Throttled) as first:
        limiter.take_weight("a", 1, 30_500)
    assert (first.value.retry_after_s, first.value.banned) == (30, False)
    with pytest.raises(Throttled) as second:
        limiter.take_weight("a", 1, 31_000)
    assert (second.value.retry_after_s, second.value.banned) == (90, True)
    with pytest.raises(Throttled):
        limiter.take_weight("a", 1, 120_999)
    assert limiter.take_weight("a", 1, 121_000) == 1


@pytest.mark.parametrize(
    ("limits", "wait"), [(Limits(orders_per_10s=2), 10), (Limits(orders_per_minute=2), 60)]
)
def test_orders_are_counted_in_two_windows(limits: Limits, wait: int) -> None:
    limiter = Limiter(limits)
    assert [limiter.take_order("a", 0), limiter.take_order("a", 0)] == [(1, 1), (2, 2)]
    with pytest.raises(Throttled) as caught:
        limiter.take_order("a", 0)
    assert (caught.value.retry_after_s, bool(caught.value.orders)) == (wait, True)
    assert limiter.take_order("a", wait * 1000)[0] == 1


def test_fault_rules_match_by_endpoint_account_event_and_count() -> None:
    book = FaultBook(1)
    book.add([Rule("POST /x", Kind.EMPTY, account_id="a", times=1), Rule("WS", Kind.DROP, event="E")])
    assert book.strike("GET /x", "a") is None
    assert book.strike("POST /x", "b") is None
    assert book.strike("POST /x", "a") is not None
    assert book.strike("POST /x", "a") is None
    assert book.strike("WS", "a", "F") is None
    assert book.strike("WS", "a", "E") is not None
    book.add([Rule("*", Kind.EMPTY)])
    assert book.strike("GET /anything", None) is not None
    assert book.strike("WS", None, "F") is None
