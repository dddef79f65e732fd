"""From recorded fills to what the simulated leader is booked: pure, and the same each time.

Rules.
 - Each coin becomes a simulated USDT perpetual of its own: `BTC` is BTCUSDT, the spot pair `@107` is SPOT107USDT. Its tick
   and step are the finest decimals that occur, at most 8 and 5, and a step is worth at most one dollar, so that small
   followers can trade it; sizes are cut to the step.
 - What the trader held before the first fill of a coin is booked before the watch begins, so nobody copies it.
 - Consecutive fills of one order go out together, the last of an order marked as final; the price is set to that of the
   newest fill that goes out.
 - A record has gaps (rounding, fees taken in coins, fills that it lacks). Where the recorded position before an order
   is not what the simulated leader holds, a gap of at most 1 % of the order is settled within it; a larger one waits
   while it is at most 0.1 % of the position, and is else settled by an order of its own. An order that ends within
   0.1 % of flat ends flat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import groupby
from statistics import median
from typing import Final

from app.domain.shared.market import Side
from app.domain.shared.money import ZERO
from app.presentation.demo.recording import RecordedFill, Recording

_PRICE_DECIMALS: Final = 8
_SIZE_DECIMALS: Final = 5
_WITHIN: Final = Decimal("0.01")
_FLAT: Final = Decimal("0.001")
_FILLS_AT_ONCE: Final = 400
_DEPTH_NOTIONAL: Final = Decimal(50_000)


@dataclass(frozen=True, slots=True)
class ReplayMarket:
    """One simulated market; `coin` is its name in the recording."""

    coin: str
    symbol: str
    tick: Decimal
    step: Decimal
    price: Decimal
    is_spot: bool

    def listing(self) -> Mapping[str, str]:
        """Return it as the operator API takes it."""
        depth = (_DEPTH_NOTIONAL / self.price / self.step).to_integral_value(ROUND_CEILING) * self.step
        return {
            "symbol": self.symbol,
            "price": f"{self.price:f}",
            "tick": f"{self.tick:f}",
            "step": f"{self.step:f}",
            "min_notional": "5",
            "max_qty": "1000000000000",
            "depth_qty": f"{depth:f}",
            "max_leverage": "50",
        }


@dataclass(frozen=True, slots=True)
class Booking:
    """One call of the exchange: fills (price, quantity) of one order; `order` is its client order id."""

    market: ReplayMarket
    side: Side
    order: str
    fills: tuple[tuple[Decimal, Decimal], ...]
    final: bool
    at: datetime


@dataclass(slots=True)
class Corrections:
    """How the replay differs from the record."""

    cut_sizes: int = 0
    dropped_fills: int = 0
    within_orders: int = 0
    own_orders: int = 0
    self_trades: int = 0


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """All that is to be booked, in order; `before` is the position of each market when the watch begins."""

    markets: Sequence[ReplayMarket]
    before: Mapping[str, Decimal]
    bookings: Sequence[Booking]
    recorded_fills: int
    recorded_orders: int
    order_notional: Decimal
    peak_notional: Decimal
    turnover: Decimal
    corrections: Corrections


@dataclass(slots=True)
class _Desk:
    """The simulated leader's positions while the plan is made."""

    markets: Mapping[str, ReplayMarket]
    positions: dict[str, Decimal] = field(default_factory=dict)
    corrections: Corrections = field(default_factory=Corrections)
    bookings: list[Booking] = field(default_factory=list)
    latest: dict[str, Decimal] = field(default_factory=dict)

    def gross_notional(self) -> Decimal:
        """Return the size of all positions at their newest prices."""
        prices = ((coin, self.latest.get(coin, self.markets[coin].price)) for coin in self.positions)
        return sum((abs(self.positions[coin]) * price for coin, price in prices), ZERO)

    def take(self, run: Sequence[RecordedFill], order: str, *, final: bool) -> None:
        """Book one run of consecutive fills of one order."""
        market = self.markets[run[0].coin]
        sign = run[0].side.sign
        fills = self._cut(run, market)
        if not fills:
            return
        held = self.positions[market.coin]
        gap = floor(run[0].start_position, market.step) - held
        total = sum((quantity for _, quantity in fills), ZERO)
        if abs(gap) > max(total * _WITHIN, 2 * market.step):
            if abs(gap) > abs(run[0].start_position) * _FLAT:
                held += self._bridge(market, gap, run[0])
            gap = ZERO  # else it is noise beside the position, and waits for an order that can bear it
        change = gap * sign
        end = held + (total + change) * sign
        if held * sign < 0 and end != 0 and abs(end) <= total * _FLAT:
            change -= end * sign
            end = ZERO
        if change and self._settle(fills, change):
            self.corrections.within_orders += 1
        self.positions[market.coin] = held + sign * sum((quantity for _, quantity in fills), ZERO)
        self.latest[market.coin] = fills[-1][0]
        for start in range(0, len(fills), _FILLS_AT_ONCE):
            part = tuple(fills[start : start + _FILLS_AT_ONCE])
            ends = final and start + _FILLS_AT_ONCE >= len(fills)
            self.bookings.append(Booking(market, run[0].side, order, part, ends, run[-1].at))

    def _bridge(self, market: ReplayMarket, gap: Decimal, fill: RecordedFill) -> Decimal:
        """Book a gap as an order of its own and return it."""
        self.corrections.own_orders += 1
        order = f"gap-{self.corrections.own_orders}"
        self.bookings.append(
            Booking(market, Side.of(gap), order, ((fill.price, abs(gap)),), final=True, at=fill.at)
        )
        return gap

    def _cut(self, run: Sequence[RecordedFill], market: ReplayMarket) -> list[tuple[Decimal, Decimal]]:
        fills = []
        for fill in run:
            quantity = floor(fill.quantity, market.step)
            self.corrections.cut_sizes += quantity != fill.quantity
            if quantity > 0:
                fills.append((fill.price, quantity))
            else:
                self.corrections.dropped_fills += 1
        return fills

    @staticmethod
    def _settle(fills: list[tuple[Decimal, Decimal]], change: Decimal) -> bool:
        """Change the largest fill's quantity; False when it cannot bear that."""
        place = max(range(len(fills)), key=lambda index: fills[index][1])
        price, quantity = fills[place]
        if quantity + change <= 0:
            return False
        fills[place] = (price, quantity + change)
        return True


def plan(source: Recording, pause: timedelta | None = None) -> ReplayPlan:
    """Return the plan of a recording; with `pause`, fills of one order further apart than it go out apart."""
    recording = source.fills
    markets = _markets(recording)
    first: dict[str, Decimal] = {}
    for fill in recording:
        first.setdefault(fill.coin, floor(fill.start_position, markets[fill.coin].step))
    names = {key: f"order-{number}" for number, key in enumerate(dict.fromkeys(map(_order, recording)), 1)}
    last = {_order(fill): place for place, fill in enumerate(recording)}
    desk = _Desk(markets, dict(first), Corrections(self_trades=source.self_trades))
    place = 0
    peak = ZERO
    for run in _runs(recording, pause):
        place += len(run)
        desk.take(run, names[_order(run[0])], final=last[_order(run[0])] < place)
        peak = max(peak, desk.gross_notional())
    notionals: dict[tuple[str, str], Decimal] = {}
    for fill in recording:
        notionals[_order(fill)] = notionals.get(_order(fill), ZERO) + fill.price * fill.quantity
    return ReplayPlan(
        markets=tuple(markets.values()),
        before={coin: position for coin, position in first.items() if position},
        bookings=tuple(desk.bookings),
        recorded_fills=len(recording),
        recorded_orders=len(names),
        order_notional=Decimal(median(notionals.values())),
        peak_notional=peak,
        turnover=sum(notionals.values(), ZERO),
        corrections=desk.corrections,
    )


def _runs(recording: Sequence[RecordedFill], pause: timedelta | None) -> Iterator[Sequence[RecordedFill]]:
    for _, together in groupby(recording, key=lambda fill: (_order(fill), fill.side)):
        run: list[RecordedFill] = []
        for fill in together:
            if run and pause is not None and fill.at - run[-1].at > pause:
                yield run
                run = []
            run.append(fill)
        yield run


def _order(fill: RecordedFill) -> tuple[str, str]:
    return fill.coin, fill.order_id


def _markets(recording: Sequence[RecordedFill]) -> dict[str, ReplayMarket]:
    found: dict[str, ReplayMarket] = {}
    taken: set[str] = set()
    for coin in dict.fromkeys(fill.coin for fill in recording):
        fills = [fill for fill in recording if fill.coin == coin]
        tick = _finest((fill.price for fill in fills), _PRICE_DECIMALS)
        step = min(
            _finest((fill.quantity for fill in fills), _SIZE_DECIMALS),
            Decimal(1).scaleb(-min(max(fills[0].price.adjusted() + 1, 0), _SIZE_DECIMALS)),
        )
        symbol = symbol_of(coin, taken)
        taken.add(symbol)
        price = max(floor(fills[0].price, tick), tick)
        found[coin] = ReplayMarket(coin, symbol, tick, step, price, fills[0].is_spot)
    return found


def symbol_of(coin: str, taken: set[str]) -> str:
    """Return the simulated symbol of a coin, another one than any that is `taken`."""
    base, _, quoted = coin.partition("/")
    words = f"SPOT{coin[1:]}" if coin.startswith("@") else f"{base}{'SPOT' if quoted else ''}"
    name = re.sub(r"[^A-Z0-9]", "", words.upper())[:16] or "COIN"
    number = 1
    while f"{name}{'' if number == 1 else f'N{number}'}USDT" in taken:
        number += 1
    return f"{name}{'' if number == 1 else f'N{number}'}USDT"


def floor(value: Decimal, unit: Decimal) -> Decimal:
    """Cut towards zero to a multiple of the unit."""
    return (abs(value) / unit).to_integral_value(ROUND_FLOOR) * unit * (1 if value > 0 else -1)


def _finest(values: Iterator[Decimal], most: int) -> Decimal:
    decimals = max(-int(value.normalize().as_tuple().exponent) for value in values)
    return Decimal(1).scaleb(-min(max(decimals, 0), most))
