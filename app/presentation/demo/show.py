"""The run from curtain to curtain: start everything, set the people up, play, compare the books, stay up, take down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from app.config.api_container import api_services
from app.config.demo import run_reader
from app.config.embedded import ServersUnavailable
from app.presentation.demo.books import ExchangeBooks, compare
from app.presentation.demo.cast import profiles
from app.presentation.demo.exchange import ExchangeError, LeaderTerminal
from app.presentation.demo.home import DemoHome
from app.presentation.demo.options import Options
from app.presentation.demo.people import CastFailed, Follower, Leader, People, exchange_ids
from app.presentation.demo.programs import ProgramFailed, Programs
from app.presentation.demo.screen import Screen
from app.presentation.demo.stack import CannotStart, Stack, running_stack
from app.presentation.demo.stage import BEFORE, Hands, Play
from app.presentation.demo.summary import Money, Summary, as_json, lines
from app.presentation.demo.watch import Watch

_STAY_TAPE_MS: Final = 1000
INTERRUPTED: Final = 130


class Show:
    """One run of the demo."""

    def __init__(self, options: Options, play: Play, screen: Screen) -> None:
        self._options = options
        self._play = play
        self._screen = screen
        self._home = DemoHome(Path(os.environ.get("COPYTRADE_HOME") or ".copytrade"))
        self._programs: Programs | None = None
        self._status: int | None = None
        self._stops = 0

    async def run(self) -> int:
        """Return the exit status: 0 the books agree, 1 they do not or something failed, 130 interrupted before."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupted, task)
        try:
            await self._whole()
        except asyncio.CancelledError:
            task.uncancel()
            return INTERRUPTED if self._status is None else self._status
        except (ProgramFailed, CannotStart, CastFailed, ExchangeError, ServersUnavailable, OSError) as error:
            self._screen.say(f"The demo failed: {error}")
            return 1
        return 1 if self._status is None else self._status

    def _interrupted(self, task: asyncio.Task[object]) -> None:
        self._stops += 1
        if self._stops == 1:
            self._screen.say("Stopping; once more to stop at once.")
            task.cancel()  # tidy: allow single-cancel the whole program is the task, and a second Ctrl-C ends it
            return
        if self._programs is not None:
            self._programs.kill()
        os._exit(INTERRUPTED)

    async def _whole(self) -> None:
        began = time.monotonic()
        self._home.make()
        run, logs = self._home.new_run()
        self._programs = Programs(logs)
        self._screen.say(f"Starting everything; logs: {logs}")
        instruments = list(self._play.instruments())
        async with running_stack(
            self._home, self._programs, run, seed=self._options.seed, instruments=instruments
        ) as stack:
            try:
                await self._on(stack, began)
            finally:
                self._screen.end()
                self._screen.say("Stopping the programs")

    async def _on(self, stack: Stack, began: float) -> None:
        people = People(api_services(stack.app), stack.exchange, stack.run)
        address = stack.start_workers()
        terminal = LeaderTerminal(stack.exchange, await people.open_leader(self._play.leader_balance()))
        await self._play.prepare(stack.exchange, terminal)
        leader = await people.leader(terminal.account)
        chosen = profiles(self._options.followers, self._options.seed, self._play.stage())
        followers = await people.followers(leader, chosen)
        await stack.ready(address)
        await self._watched(stack, leader)
        hands = Hands(
            stack.exchange,
            terminal,
            Watch(run_reader(stack.app), leader.whale_id, stack.programs),
            self._screen,
            frozenset(exchange_ids(followers)),
        )
        before = await hands.money()
        set_up = time.monotonic() - began
        self._screen.say(f"{len(followers)} followers are set up after {set_up:.1f} s; the leader trades")
        self._screen.begin()
        started = time.monotonic()
        fills = await self._play.perform(hands)
        await hands.watch.quiet(fills)
        trading = time.monotonic() - started
        self._screen.end()
        after = await hands.money()
        summary = await self._summary(stack, leader, followers, (before, after), (set_up, trading))
        self._report(summary)
        if not self._options.once and not self._screen.is_silent:
            await self._stay(stack, people, followers, address)

    async def _watched(self, stack: Stack, leader: Leader) -> None:
        while True:
            async with stack.app.uow() as work:
                if await work.leaders.watched_since(leader.whale_id) is not None:
                    return
            stack.programs.check()
            await asyncio.sleep(0.05)

    async def _summary(
        self,
        stack: Stack,
        leader: Leader,
        followers: Sequence[Follower],
        money: tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]],
        seconds: tuple[float, float],
    ) -> Summary:
        books = await run_reader(stack.app).books(leader.whale_id)
        theirs = ExchangeBooks(
            orders=await stack.exchange.ledger("orders"),
            fills=await self._watched_fills(stack, leader),
            positions=await stack.exchange.ledger("positions"),
            accounts=await stack.exchange.ledger("accounts"),
        )
        comparison = compare(books, theirs, exchange_ids(followers), leader.at_exchange.account_id)
        (leader_before, followers_before), (leader_after, followers_after) = money
        return Summary(
            run=stack.run,
            seed=self._options.seed,
            followers=len(followers),
            leader_fills=len(books.leader_fills),
            books=books,
            comparison=comparison,
            leader=Money(leader_before, leader_after),
            all_followers=Money(followers_before, followers_after),
            set_up_s=seconds[0],
            trading_s=seconds[1],
            notes=self._play.notes(),
        )

    async def _watched_fills(self, stack: Stack, leader: Leader) -> list[dict[str, object]]:
        """Return all executions but the leader's from before the watch: those were taken over as positions."""
        rows = await stack.exchange.ledger("fills")
        mine = leader.at_exchange.account_id
        return [
            row for row in rows if row["account_id"] != mine or not row["client_order_id"].startswith(BEFORE)
        ]

    def _report(self, summary: Summary) -> None:
        for line in lines(summary, with_signals=self._screen.was_live):
            self._screen.say(line)
        if self._options.report is not None:
            self._options.report.write_text(json.dumps(as_json(summary), indent=1) + "\n", encoding="utf-8")
        self._status = 0 if summary.agrees else 1

    async def _stay(self, stack: Stack, people: People, followers: Sequence[Follower], address: str) -> None:
        operator, follower = await people.operator_token(), await people.token(followers[0])
        await stack.exchange.settings(tape_ms=_STAY_TAPE_MS)
        self._screen.say()
        self._screen.say(f"The API stays up at {address} until Ctrl-C; its documentation: {address}/docs")
        self._screen.say(f"  operator's token: {operator}")
        self._screen.say(f"  follower's token: {follower}")
        self._screen.say(f"  curl -H 'Authorization: Bearer {follower}' {address}/v1/me")
        while True:
            stack.programs.check()
            await asyncio.sleep(1)
