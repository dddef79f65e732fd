"""The recorded play: a real trader's fills become the leader's, at the recorded prices."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.domain.shared.market import Side, symbol
from app.domain.shared.money import ZERO
from app.presentation.demo.cast import Stage
from app.presentation.demo.exchange import Exchange, LeaderTerminal
from app.presentation.demo.recording import Recording
from app.presentation.demo.replay_plan import Booking, floor, plan
from app.presentation.demo.stage import BEFORE, Hands, pause

_APART_S: Final = Decimal("0.1")
_PAUSE_MAX: Final = timedelta(days=3650)
_BALANCE_MIN: Final = Decimal(100_000)
_BALANCE_SHARES: Final = (Decimal(3), Decimal("0.05"))  # of the largest position, of the turnover
_WEALTH: Final = Decimal(20)
_LEVERAGE: Final = 1


class RecordedPlay:
    """Plays a recording; `speed` is how many times as fast, None for as fast as the system keeps up."""

    def __init__(self, name: str, recording: Recording, speed: Decimal | None) -> None:
        self._name = name
        self._speed = speed
        apart = None if speed is None else _seconds(_APART_S * speed)
        self._plan = plan(recording, apart)

    def instruments(self) -> Sequence[Mapping[str, str]]:
        """Return one simulated market for each coin."""
        return [market.listing() for market in self._plan.markets]

    def stage(self) -> Stage:
        """Return what the followers are chosen for: no borrowed money, and twenty times the usual wallets, to bear months of prices."""
        markets = [symbol(f"{market.symbol.removesuffix('USDT')}-USDT") for market in self._plan.markets]
        return Stage(markets, self._plan.order_notional, _LEVERAGE, _WEALTH)

    def leader_balance(self) -> Decimal:
        """Return a wallet that bears every position and loss of the record."""
        sizes = (self._plan.peak_notional, self._plan.turnover)
        wanted = sum((size * share for size, share in zip(sizes, _BALANCE_SHARES, strict=True)), ZERO)
        return max(wanted.quantize(Decimal(1)), _BALANCE_MIN)

    async def prepare(self, exchange: Exchange, leader: LeaderTerminal) -> None:
        """Give the leader what the trader held before the record begins."""
        for market in self._plan.markets:
            held = self._plan.before.get(market.coin, ZERO)
            if held:
                fills = ((market.price, abs(held)),)
                order = f"{BEFORE}{market.symbol}"
                side = Side.of(held).value
                await exchange.book_fills(leader.account, market.symbol, side, fills, order=order, final=True)

    async def perform(self, hands: Hands) -> int:
        """Book everything; after each order wait until it is copied and settled."""
        bookings = self._plan.bookings
        pace = _Pace(bookings[0].at, self._speed)
        fills = 0
        for number, booking in enumerate(bookings, 1):
            await pace.reach(booking.at)
            hands.screen.doing(
                f"{number} of {len(bookings)}: {booking.side} {booking.market.symbol}, "
                f"{len(booking.fills)} fills of {booking.at:%Y-%m-%d %H:%M}"
            )
            await self._book(hands, booking)
            fills += len(booking.fills)
            following = bookings[number] if number < len(bookings) else None
            if following is None or not _goes_on(booking, following):
                await hands.watch.quiet(fills)
                await hands.show_news()
        return fills

    async def _book(self, hands: Hands, booking: Booking) -> None:
        market = booking.market
        price = max(floor(booking.fills[-1][0], market.tick), market.tick)
        await hands.exchange.set_price(market.symbol, price)
        await hands.exchange.book_fills(
            hands.leader.account,
            market.symbol,
            booking.side.value,
            booking.fills,
            order=booking.order,
            final=booking.final,
        )

    def notes(self) -> Sequence[str]:
        """Return what was replayed and how it differs from the record."""
        done, made = self._plan, self._plan.corrections
        coins = ", ".join(
            f"{market.coin} as {market.symbol}{' (spot, simulated as a contract)' if market.is_spot else ''}"
            for market in done.markets
        )
        what = (
            f"replayed {self._name}: {done.recorded_fills} fills of {done.recorded_orders} orders, "
            f"{done.turnover:,.0f} USD turnover; {coins}"
        )
        differences = (
            (made.self_trades, "trades with itself left out"),
            (made.cut_sizes, "sizes cut to the step"),
            (made.dropped_fills, "fills below it"),
            (made.within_orders, "orders adjusted by less than 1 %"),
            (made.own_orders, "gaps settled by orders of their own"),
            (len(done.before), "positions taken over at the start"),
        )
        words = ", ".join(f"{number} {name}" for number, name in differences)
        return (what, f"differences from the record: {words}")


class _Pace:
    """Maps recorded time to ours."""

    def __init__(self, first: datetime, speed: Decimal | None) -> None:
        self._first = first
        self._speed = speed
        self._began = time.monotonic()

    async def reach(self, at: datetime) -> None:
        """Wait until the compressed time of a moment has come; never waits for one that has passed."""
        if self._speed is None:
            return
        due = (at - self._first).total_seconds() / float(self._speed)
        left = self._began + due - time.monotonic()
        if left > 0:
            await pause(left)


def _goes_on(booking: Booking, following: Booking) -> bool:
    """Whether the next booking belongs to the same order at the same moment: both are one decision."""
    same = (booking.market, booking.order, booking.at) == (following.market, following.order, following.at)
    return same and not booking.final


def _seconds(amount: Decimal) -> timedelta:
    return timedelta(seconds=min(float(amount), _PAUSE_MAX.total_seconds()))
