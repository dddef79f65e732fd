"""What a run came to, as figures: for people in lines, for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.config.demo import OrderLine, RunBooks, SignalLine
from app.presentation.demo.books import Comparison
from app.presentation.demo.screen import signal_line
from app.presentation.demo.watch import counts, percentile

_SHARES: Final = {"p50": Decimal("0.5"), "p99": Decimal("0.99")}
_DIFFERENCES_SHOWN: Final = 20
_SIGNALS_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Money:
    """Equity (wallet and unrealised profit, quote currency) at the start and at the end."""

    before: Decimal
    after: Decimal

    @property
    def gain(self) -> Decimal:
        """What was won or lost, fees included."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that is reported of one run; times in seconds."""

    run: str
    seed: int
    followers: int
    leader_fills: int
    books: RunBooks
    comparison: Comparison
    leader: Money
    all_followers: Money
    set_up_s: float
    trading_s: float
    notes: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether our books and the exchange's are the same."""
        return not self.comparison.differences

    def outcomes(self) -> dict[str, int]:
        """Return all decisions by outcome."""
        found: dict[str, int] = {}
        for signal in self.books.signals:
            for outcome, number in counts(signal.outcomes).items():
                found[outcome] = found.get(outcome, 0) + number
        return found

    def reasons(self) -> dict[str, int]:
        """Return the decisions that were not plain copies by outcome and code, the most frequent first."""
        found: dict[str, int] = {}
        for signal in self.books.signals:
            for (outcome, code), number in signal.outcomes.items():
                if code != "AS_ASKED":
                    name = f"{outcome} {code}"
                    found[name] = found.get(name, 0) + number
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def latencies_ms(self, leg: str | None = None) -> dict[str, float | None]:
        """Return the quantiles from the leader's fill to the acknowledged order, of one leg or of both."""
        values = _latencies(self.books.orders, leg)
        return {name: percentile(values, share) for name, share in _SHARES.items()}


def lines(summary: Summary, *, with_signals: bool) -> Iterator[str]:
    """Yield the summary as a person reads it; `with_signals` unless each signal was said when it came."""
    if with_signals:
        yield from _signal_lines(summary.books.signals)
    done = summary.outcomes()
    yield ""
    yield (
        f"{len(summary.books.signals)} signals from {summary.leader_fills} leader fills, "
        f"{summary.followers} followers, {len(summary.books.orders)} orders"
    )
    yield "decisions: " + (", ".join(f"{name} {number}" for name, number in sorted(done.items())) or "none")
    for name, number in summary.reasons().items():
        yield f"  {number:>7}  {name}"
    for name, leg in (("all orders", None), ("entries", "ENTRY"), ("exits", "EXIT")):
        found = summary.latencies_ms(leg)
        if found["p50"] is not None:
            yield (
                f"leader's fill to follower's acknowledged order, {name}: "
                + ", ".join(f"{share} {value:.0f} ms" for share, value in found.items())
            )
    yield f"leader's equity {_money(summary.leader)}; all followers' {_money(summary.all_followers)}"
    yield f"set-up {summary.set_up_s:.1f} s, trading {summary.trading_s:.1f} s, seed {summary.seed}, run {summary.run}"
    yield from summary.notes
    yield from _comparison_lines(summary)


def _signal_lines(signals: Sequence[SignalLine]) -> Iterator[str]:
    yield "signal by signal:"
    for signal in signals[:_SIGNALS_SHOWN]:
        yield f"  {signal_line(signal)}"
    if len(signals) > _SIGNALS_SHOWN:
        yield f"  and {len(signals) - _SIGNALS_SHOWN} more (--report FILE has them all)"


def _comparison_lines(summary: Summary) -> Iterator[str]:
    found = summary.comparison
    yield (
        f"compared with the exchange's ledger: {found.orders} orders, {found.fills} fills, {found.positions} positions, "
        f"{found.wallets} wallets, {found.leader_fills} leader fills"
    )
    if summary.agrees:
        yield "the books agree, one for one"
        return
    yield f"THE BOOKS DO NOT AGREE: {len(found.differences)} differences"
    for sentence in found.differences[:_DIFFERENCES_SHOWN]:
        yield f"  {sentence}"
    if len(found.differences) > _DIFFERENCES_SHOWN:
        yield f"  and {len(found.differences) - _DIFFERENCES_SHOWN} more (--report FILE has them all)"


def as_json(summary: Summary) -> dict[str, object]:
    """Return the summary as JSON values; amounts are text."""
    found = summary.comparison
    return {
        "run": summary.run,
        "seed": summary.seed,
        "followers": summary.followers,
        "leader_fills": summary.leader_fills,
        "orders": len(summary.books.orders),
        "set_up_s": round(summary.set_up_s, 3),
        "trading_s": round(summary.trading_s, 3),
        "decisions": summary.outcomes(),
        "reasons": summary.reasons(),
        "latency_ms": {
            "all": summary.latencies_ms(),
            "entries": summary.latencies_ms("ENTRY"),
            "exits": summary.latencies_ms("EXIT"),
        },
        "equity": {"leader": _money_json(summary.leader), "followers": _money_json(summary.all_followers)},
        "signals": [_signal_json(signal) for signal in summary.books.signals],
        "notes": list(summary.notes),
        "compared": {
            "orders": found.orders,
            "fills": found.fills,
            "positions": found.positions,
            "wallets": found.wallets,
            "leader_fills": found.leader_fills,
        },
        "books_agree": summary.agrees,
        "differences": list(found.differences),
    }


def _signal_json(signal: SignalLine) -> Mapping[str, object]:
    return {
        "id": str(signal.signal_id),
        "symbol": signal.symbol,
        "action": signal.action,
        "side": signal.side,
        "quantity": f"{signal.quantity.normalize():f}",
        "reference_price": f"{signal.reference_price.normalize():f}",
        "leader_at": signal.leader_at.isoformat(),
        "state": signal.state,
        "decisions": [
            {"outcome": outcome, "code": code, "followers": number}
            for (outcome, code), number in sorted(signal.outcomes.items())
        ],
    }


def _money_json(money: Money) -> Mapping[str, str]:
    return {"before": f"{money.before:f}", "after": f"{money.after:f}", "gain": f"{money.gain:f}"}


def _money(money: Money) -> str:
    return f"{money.before:,.2f} -> {money.after:,.2f} ({money.gain:+,.2f}) USDT"


def _latencies(orders: Sequence[OrderLine], leg: str | None) -> list[float]:
    return [order.latency_ms for order in orders if order.latency_ms is not None and leg in {None, order.leg}]
