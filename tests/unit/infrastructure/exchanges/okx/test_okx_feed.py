"""The feed over two sockets: live when both are, live again when either comes back, and silent about secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from app.domain.exchanges.ports import BalanceUpdate, Connected, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.shared.ids import AccountId
from app.domain.shared.money import money
from app.infrastructure.exchanges.okx.feed import OkxFeed
from tests.unit.infrastructure.exchanges.okx import okx_rows as rows
from tests.unit.infrastructure.exchanges.okx.okx_sockets import (
    BUSINESS,
    PRIVATE,
    ScriptedSocket,
    ScriptedVenue,
    shared_of,
)


class Listener:
    """A feed and its consumer."""

    def __init__(self, venue: ScriptedVenue, queue: int = 100) -> None:
        self.feed = OkxFeed(shared_of(venue, queue=queue), AccountId(1), b"sealed")
        self._events: AsyncIterator[StreamEvent] = self.feed.events()

    async def next(self) -> StreamEvent:
        return await asyncio.wait_for(anext(self._events), 5)


@pytest.fixture
async def venue() -> ScriptedVenue:
    return ScriptedVenue()


@pytest.fixture
async def listener(venue: ScriptedVenue) -> AsyncIterator[Listener]:
    made = Listener(venue)
    yield made
    await made.feed.close()


async def live(venue: ScriptedVenue, listener: Listener) -> tuple[ScriptedSocket, ScriptedSocket]:
    venue.open()
    assert isinstance(await listener.next(), Connected)
    return venue.opened[PRIVATE][-1], venue.opened[BUSINESS][-1]


async def until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]  # a callable without arguments
            await asyncio.sleep(0)


@pytest.mark.parametrize("last", [PRIVATE, BUSINESS])
async def test_one_socket_alone_is_not_live(venue: ScriptedVenue, listener: Listener, last: str) -> None:
    first = BUSINESS if last == PRIVATE else PRIVATE
    venue.gates[first].set()
    waiting = asyncio.ensure_future(listener.next())
    await until(lambda: bool(venue.opened[first]) and len(venue.opened[first][0].heard) == 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    venue.gates[last].set()
    assert isinstance(await waiting, Connected)


@pytest.mark.parametrize("path", [PRIVATE, BUSINESS])
async def test_either_socket_that_comes_back_means_catching_up(
    venue: ScriptedVenue, listener: Listener, path: str
) -> None:
    await live(venue, listener)
    venue.opened[path][-1].drop()
    assert isinstance(await listener.next(), Connected)
    assert [len(venue.opened[name]) for name in (PRIVATE, BUSINESS)] == (
        [2, 1] if path == PRIVATE else [1, 2]
    )


async def test_both_sockets_bring_their_events(venue: ScriptedVenue, listener: Listener) -> None:
    private, business = await live(venue, listener)
    private.say(rows.pushed("orders", rows.streamed()).decode())
    assert isinstance(await listener.next(), OrderUpdate)
    business.say(rows.pushed("orders-algo", rows.algo()).decode())
    assert isinstance(await listener.next(), ProtectionUpdate)
    private.say(rows.pushed("balance_and_position", rows.holdings()).decode())
    assert isinstance(await listener.next(), BalanceUpdate)


async def test_what_a_wallet_held_before_is_remembered_from_its_snapshot(
    venue: ScriptedVenue, listener: Listener
) -> None:
    private, _ = await live(venue, listener)
    for event, held in (("snapshot", "100"), ("transferred", "150")):
        row = rows.holdings(eventType=event, balData=[{"ccy": "USDT", "cashBal": held}])
        private.say(rows.pushed("balance_and_position", row).decode())
    update = await listener.next()
    assert isinstance(update, BalanceUpdate)
    assert (update.reason, update.change) == ("DEPOSIT", money(50))


async def test_an_unreadable_message_means_catching_up(venue: ScriptedVenue, listener: Listener) -> None:
    private, _ = await live(venue, listener)
    private.say(rows.pushed("orders", {"instId": "BTC-USDT-SWAP"}).decode())
    assert isinstance(await listener.next(), Connected)
    assert len(venue.opened[PRIVATE]) == 1


async def test_the_venues_notice_makes_it_reconnect(venue: ScriptedVenue, listener: Listener) -> None:
    private, _ = await live(venue, listener)
    private.say('{"event":"notice","code":"64008","msg":"The connection will soon be closed."}')
    assert isinstance(await listener.next(), Connected)
    assert len(venue.opened[PRIVATE]) == 2


@pytest.mark.parametrize("op", ["login", "subscribe", "leave subscribe"])
async def test_a_refusal_is_tried_again_and_tells_no_secret(
    venue: ScriptedVenue, listener: Listener, op: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    venue.refusals.append(op)
    await live(venue, listener)
    assert len(venue.opened[PRIVATE]) + len(venue.opened[BUSINESS]) == 3
    assert f"refused to {op.rsplit(maxsplit=1)[-1]}" in caplog.text
    assert not any(word in caplog.text for word in ("the-key", "the-secret", "the-words"))


async def test_each_socket_asks_for_its_own_channels(venue: ScriptedVenue, listener: Listener) -> None:
    sockets = await live(venue, listener)
    asked = [json.loads(socket.heard[1])["args"] for socket in sockets]
    assert asked == [
        [{"channel": "orders", "instType": "SWAP"}, {"channel": "balance_and_position"}],
        [{"channel": "orders-algo", "instType": "SWAP"}],
    ]


async def test_a_closed_feed_ends_however_full_it_is(venue: ScriptedVenue) -> None:
    listener = Listener(venue, queue=1)
    private, _ = await live(venue, listener)
    for number in range(20):
        private.say(rows.pushed("orders", rows.streamed(tradeId=str(number + 1))).decode())
    assert isinstance(await listener.next(), OrderUpdate)
    await asyncio.wait_for(listener.feed.close(), 5)
    with pytest.raises(StopAsyncIteration):
        await listener.next()
    assert [event async for event in listener.feed.events()] == []


async def test_a_fault_of_our_own_does_not_look_like_an_end(
    venue: ScriptedVenue, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, _ = await live(venue, listener)
    monkeypatch.setattr("app.infrastructure.exchanges.okx.feed.read_facts", lambda *_: 1 / 0)
    private.say("{}")
    with pytest.raises(ZeroDivisionError):
        await listener.next()
