"""What a person sees: a live view at a terminal, plain lines elsewhere; a closed pipe silences it and stops nothing."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.config.demo import SignalLine
from app.presentation.demo.watch import Totals, counts, percentile

_ROWS: Final = 14
_COLOURS: Final = {"COPIED": "green", "REDUCED": "yellow", "SKIPPED": "cyan", "FAILED": "red"}


class _Pipe(Console):
    """A console that reports a closed pipe instead of ending the program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Screen:
    """Says lines and, between `begin` and `end`, shows the run as it goes."""

    def __init__(self) -> None:
        self._console = _Pipe(highlight=False, soft_wrap=True, file=sys.stdout)
        self._live: Live | None = None
        self._silent = False
        self.was_live = False
        self._doing = ""
        self._signals: deque[SignalLine] = deque(maxlen=_ROWS)
        self._totals = Totals()
        self._money: tuple[Decimal, Decimal] | None = None

    @property
    def is_silent(self) -> bool:
        """Whether nobody reads any more."""
        return self._silent

    def say(self, line: str = "") -> None:
        """Write one line."""
        self._safely(lambda: self._console.print(Text(line)))
        self._safely(self._console.file.flush)

    def begin(self) -> None:
        """Begin the live view; at no terminal there is none."""
        if self._console.is_terminal and not self._silent:
            self.was_live = True
            self._live = Live(self._view(), console=self._console, refresh_per_second=8, transient=True)
            self._safely(self._live.start)

    def end(self) -> None:
        """End the live view."""
        if self._live is not None:
            self._safely(self._live.stop)
            self._live = None

    def doing(self, what: str) -> None:
        """Tell what the leader does now."""
        self._doing = what
        self._refresh()

    def show(
        self, signals: Sequence[SignalLine], totals: Totals, money: tuple[Decimal, Decimal] | None
    ) -> None:
        """Tell what came of it; `money` is the leader's and all followers' equity, in quote currency."""
        self._signals.extend(signals)
        self._totals, self._money = totals, money
        if self._live is not None:
            self._refresh()
            return
        for signal in signals:
            self.say(signal_line(signal))

    def _refresh(self) -> None:
        if self._live is not None:
            live = self._live
            self._safely(lambda: live.update(self._view()))

    def _view(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, title=None)
        for name in ("signal", "leader", "price", "copied", "reduced", "skipped", "failed"):
            table.add_column(name, justify="left" if name in {"signal", "leader"} else "right")
        for signal in self._signals:
            done = counts(signal.outcomes)
            table.add_row(
                f"{signal.action} {signal.symbol}",
                f"{signal.side} {signal.quantity.normalize():f}",
                f"{signal.reference_price:.2f}",
                *(Text(str(done.get(name, 0)), style=colour) for name, colour in _COLOURS.items()),
            )
        reasons = sorted(self._totals.reasons.items(), key=lambda item: -item[1])[:6]
        lines = [
            Text(
                f"signals {self._totals.signals}   orders {self._totals.orders}   {latency_line(self._totals)}"
            ),
            Text("why not in full: " + (", ".join(f"{n} {name}" for name, n in reasons) or "-")),
        ]
        if self._money is not None:
            lines.append(
                Text(f"equity: leader {self._money[0]:,.2f}   all followers {self._money[1]:,.2f} USDT")
            )
        return Group(table, Text(), *lines, Text(f"> {self._doing}", style="bold"))

    def _safely(self, write: Callable[[], object]) -> None:
        if self._silent:
            return
        try:
            write()
        except (BrokenPipeError, ValueError):  # the reader has gone, or rich met the closed file
            self._silent = True
            # Python flushes standard output once more at exit, and would complain about the broken pipe then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def signal_line(signal: SignalLine) -> str:
    """Return one signal and what became of it, in one line."""
    done = counts(signal.outcomes)
    reasons = sorted(
        (f"{number} {code}" for (outcome, code), number in signal.outcomes.items() if outcome != "COPIED"),
        key=lambda words: (-int(words.split()[0]), words),
    )
    head = (
        f"{signal.action:<6} {signal.symbol:<9} {signal.side:<4} {f'{signal.quantity.normalize():f}':>12} "
        f"@ {signal.reference_price:>12.4f}"
    )
    tally = "  ".join(f"{name.lower()} {done[name]}" for name in (*_COLOURS, "DEFERRED") if done.get(name))
    return f"{head}   {tally or 'nobody'}" + (f"  ({', '.join(reasons)})" if reasons else "")


def latency_line(totals: Totals) -> str:
    """Return the latencies from the leader's fill to the follower's acknowledged order, in one line."""
    middle = percentile(totals.latencies_ms, Decimal("0.5"))
    high = percentile(totals.latencies_ms, Decimal("0.99"))
    if middle is None or high is None:
        return "latency -"
    return f"latency p50 {middle:.0f} ms, p99 {high:.0f} ms"
