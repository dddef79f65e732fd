"""What a venue's gateway says of a key, whatever happens: nothing. No header, no frame, no error object, down to DEBUG and before
any masking.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from app.domain.exchanges.ports import Connected
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.triggers import TriggerKind
from app.domain.users.account import ApiKey
from tests.contract.exchanges.cards import card
from tests.contract.exchanges.conftest import PlainVault, Trader
from tests.contract.exchanges.dialects import Dialect
from tests.contract.exchanges.said import Said
from tests.contract.exchanges.test_streams import upcoming
from tests.support.leaks import Search
from tests.support.simulator import SimulatorProcess

OURS = "app.infrastructure.exchanges"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    caplog.set_level(logging.DEBUG)
    return Said(caplog)


def opened(trader: Trader) -> ApiKey:
    return PlainVault().open(trader.account, trader.venue, trader.sealed)


async def everything(trader: Trader, dialect: Dialect, said: Said) -> None:
    """Ask for all that a gateway can be asked for."""
    gateway = trader.gateway
    said.answers += [repr(gateway), str(gateway), repr(trader.pool)]
    await said.of(gateway.place(trader.order()))
    await said.of(gateway.place(trader.order(size=dialect.poor)))
    await said.of(gateway.cancel(trader.instrument, trader.order().client_order_id))
    for read in (
        gateway.positions(),
        gateway.fills(trader.instrument),
        gateway.open_orders(trader.instrument),
    ):
        await said.of(read)
    await said.of(gateway.balance(dialect.asset))
    await said.of(gateway.key_facts())
    await said.of(gateway.set_leverage(trader.instrument, 3))
    if CAPABILITIES[trader.venue].protects:
        await said.of(gateway.protect(trader.protection(TriggerKind.STOP_LOSS, "60000")))


@card("KEY-01")
async def test_a_key_that_works_is_told_to_nobody_even_when_its_orders_and_its_stream_fail(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, said: Said
) -> None:
    stream = trader.stream()
    said.answers.append(repr(stream))
    simulator.operator.post("/sim/faults", {"rules": [{**dialect.stream_refusal, "times": 2}]})
    await upcoming(stream.events(), Connected)
    await everything(trader, dialect, said)
    for kind in ("garbage", "html", "reset_after", "timeout_after"):
        simulator.operator.add_fault(dialect.create, kind, times=1, account_id=trader.account_id)
        await said.of(trader.gateway.place(trader.order()))
    await stream.close()
    key, text = opened(trader), said.text()
    parts = [key.secret] if dialect.public_reads else [key.key, key.secret]
    assert Search(tuple(parts)).found_in(text) == []
    assert "passphrase" not in text.lower(), "neither the pretended exchange's one nor the name of its header"


@card("KEY-02")
async def test_a_key_that_is_refused_is_told_to_nobody(trader: Trader, dialect: Dialect, said: Said) -> None:
    right = opened(trader)
    wrong = ApiKey(
        right.key,
        f"0x{0x5EC2E7:064x}" if dialect.public_reads else "canary-secret-01",
        "canary-phrase-02" if right.passphrase else "",
    )
    stranger = replace(trader, sealed=PlainVault().seal(trader.account, trader.venue, wrong))
    await everything(stranger, dialect, said)
    assert "KEY" in "\n".join(said.answers), "the venue did refuse it"
    stream = stranger.stream()
    hearing = asyncio.ensure_future(upcoming(stream.events(), Connected))
    async with asyncio.timeout(20):
        while not hearing.done() and not any(each.name.startswith(OURS) for each in said.log.records):
            await asyncio.wait({hearing}, timeout=0.05)
    await stream.close()
    await asyncio.gather(hearing, return_exceptions=True)
    parts = [each for each in (wrong.secret, wrong.passphrase) if each]
    parts += [] if dialect.public_reads else [wrong.key]
    assert Search(tuple(parts)).found_in(said.text()) == []
