"""What every play has at hand: the exchange, the leader's terminal, the watch and the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from app.presentation.demo.cast import Stage
from app.presentation.demo.exchange import Exchange, LeaderTerminal
from app.presentation.demo.screen import Screen
from app.presentation.demo.watch import Watch

BEFORE: Final = "before-"
"""How the client order id of what the leader did before the watch begins."""


@dataclass(frozen=True, slots=True)
class Hands:
    """`followers` are the exchange's account ids."""

    exchange: Exchange
    leader: LeaderTerminal
    watch: Watch
    screen: Screen
    followers: frozenset[str]

    async def positions(self) -> Mapping[str, Decimal]:
        """Return the leader's signed positions at the exchange, by symbol."""
        rows = await self.exchange.ledger("positions", self.leader.account.account_id)
        return {row["symbol"]: Decimal(row["quantity"]) for row in rows}

    async def money(self) -> tuple[Decimal, Decimal]:
        """Return the equity of the leader and of all followers: wallet and unrealised profit."""
        leader = followers = Decimal(0)
        for row in await self.exchange.ledger("accounts"):
            equity = Decimal(row["wallet"]) + Decimal(row["unrealised_pnl"])
            if row["account_id"] == self.leader.account.account_id:
                leader = equity
            elif row["account_id"] in self.followers:
                followers += equity
        return leader, followers

    async def show_news(self, *, money: bool = True) -> None:
        """Read what is new and show it."""
        news = await self.watch.news()
        self.screen.show(news.signals, self.watch.totals, await self.money() if money else None)


class Play(Protocol):
    """What the leader does in a run."""

    def instruments(self) -> Sequence[Mapping[str, str]]:
        """Return the markets to list before anything starts."""
        ...

    def stage(self) -> Stage:
        """Return what the followers are chosen for."""
        ...

    def leader_balance(self) -> Decimal:
        """Return what the leader's account begins with, in quote currency."""
        ...

    async def prepare(self, exchange: Exchange, leader: LeaderTerminal) -> None:
        """Do what comes before the leader is watched."""
        ...

    async def perform(self, hands: Hands) -> int:
        """Let the leader trade; return how many fills the leader had while it was watched."""
        ...

    def notes(self) -> Sequence[str]:
        """Return what a reader of the report should know of this play."""
        ...


async def pause(seconds: float) -> None:
    """Give a person time to watch."""
    await asyncio.sleep(seconds)
