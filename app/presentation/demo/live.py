"""The scripted play: the leader's own orders at the exchange's book, while the tape walks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from app.domain.shared.market import symbol
from app.presentation.demo.cast import Stage
from app.presentation.demo.exchange import Exchange, LeaderTerminal
from app.presentation.demo.scenario import (
    LEADER_BALANCE,
    LEADER_LEVERAGE,
    MARKETS,
    ORDER_NOTIONAL,
    Move,
    change_of,
    script,
)
from app.presentation.demo.stage import Hands, pause

_WATCHABLE_S: Final = 1.0
_RUNS_AWAY: Final = Decimal("0.001")


class ScriptedPlay:
    """Plays the script of a seed; `fast` leaves out the pauses that let a person watch."""

    def __init__(self, seed: int, *, fast: bool) -> None:
        self._moves = script(seed)
        self._fast = fast

    def instruments(self) -> Sequence[Mapping[str, str]]:
        """Return the three markets, with a book thin enough that the leader walks it."""
        return [market.listing() for market in MARKETS]

    def stage(self) -> Stage:
        """Return what the followers are chosen for."""
        markets = [symbol(f"{market.symbol.removesuffix('USDT')}-USDT") for market in MARKETS]
        return Stage(markets, ORDER_NOTIONAL, LEADER_LEVERAGE)

    def leader_balance(self) -> Decimal:
        """Return the leader's first wallet."""
        return LEADER_BALANCE

    async def prepare(self, exchange: Exchange, leader: LeaderTerminal) -> None:
        """Choose the leader's leverage."""
        for market in MARKETS:
            await leader.set_leverage(market.symbol, LEADER_LEVERAGE)

    async def perform(self, hands: Hands) -> int:
        """Play every move and wait after each until the system is quiet."""
        fills = 0
        for number, move in enumerate(self._moves, 1):
            await hands.exchange.tick(move.ticks)
            hands.screen.doing(f"move {number} of {len(self._moves)}: {move.intent} {move.market.symbol}")
            order = f"leader-{number}"
            if move.runs_away:
                await self._run_away(hands, move, order)
            else:
                position, price = await _facts(hands, move)
                change = change_of(move, position, price)
                await hands.leader.market(move.market.symbol, _side(change), abs(change), order)
            fills = await hands.exchange.fill_count(hands.leader.account)
            await hands.watch.quiet(fills)
            if move.runs_away:
                await hands.leader.cancel(move.market.symbol, order)
            await hands.show_news()
            if not self._fast:
                await pause(_WATCHABLE_S)
        return fills

    async def _run_away(self, hands: Hands, move: Move, order: str) -> None:
        """Take the best level by a limit order; before its burst is decided the price leaves for good."""
        position, price = await _facts(hands, move)
        change = change_of(move, position, price)
        away = 1 if change > 0 else -1
        best = price + move.market.tick if change > 0 else price
        quantity = max(abs(change), 2 * move.market.depth)
        await hands.leader.limit(move.market.symbol, _side(change), quantity, best, order)
        ticks = (price * _RUNS_AWAY // move.market.tick) * move.market.tick
        await hands.exchange.set_price(move.market.symbol, price + away * ticks)

    def notes(self) -> Sequence[str]:
        """Return what a reader of the report should know."""
        return ()


async def _facts(hands: Hands, move: Move) -> tuple[Decimal, Decimal]:
    positions = await hands.positions()
    return positions.get(move.market.symbol, Decimal(0)), await hands.exchange.mark(move.market.symbol)


def _side(change: Decimal) -> str:
    return "BUY" if change > 0 else "SELL"
