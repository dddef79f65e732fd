"""The people of a rehearsal, seen from outside: which errands are still to be done, and what was promised by those that are.

What a killed child was in the middle of is asked again by the next one, in the same words and with the same key.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from app.domain.shared.ids import WhaleId
from app.domain.users.user import Role
from tools.chaos.counts import Leaving
from tools.chaos.errands import Errand, errands, settling
from tools.chaos.nursery import Child
from tools.chaos.plan import Round
from tools.chaos.stage import Stage

_AT_A_TIME: Final = 15
_SETTLE_S: Final = 60.0
_IDLE_MAX: Final = 3
_RIVAL_TRADES: Final = 20
_BETWEEN_S: Final = 0.4
_MARKET: Final = "BTCUSDT"


@dataclass
class Crowd:
    """The people of one round."""

    stage: Stage
    plan: Round
    answers: Counter[str] = field(default_factory=Counter)
    leavings: list[Leaving] = field(default_factory=list)
    _waiting: deque[Errand] = field(default_factory=deque)
    _asked: Iterator[Errand] = field(init=False)
    _rivals: list[asyncio.Task[None]] = field(default_factory=list)
    _cast: Mapping[str, Any] = field(default_factory=dict)
    _coming: asyncio.Task[Child] | None = None
    _stopped: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._asked = errands(self.plan, len(self.stage.followers))

    async def begin(self) -> None:
        """Say who is who; the operator is new in each round."""
        people = [[one.user_id, one.account_id] for one in self.stage.followers]
        async with self.stage.system.app.uow() as work:
            desk = await work.users.add("desk", Role.OPERATOR)
            await work.commit()
        self._cast = {"people": people, "whale": self.stage.whale, "operator": desk.id}

    async def next(self, trap: str) -> Child:
        """Return a new child that goes on with what is left to be done, and then with what comes next."""
        for errand in islice(self._asked, max(0, _AT_A_TIME - len(self._waiting))):
            self._waiting.append(await self._equipped(errand))
        return await self._born(trap)

    def heard(self, child: Child) -> None:
        """Take note of what a dead child has done."""
        self._coming = None
        for result in child.done:
            errand = self._waiting.popleft()
            self.answers[f"{errand['do']}: {result['answer']}"] += 1
            if "stopped" in result and result["stopped"] not in self._stopped:
                # Only who stops it says whether what it holds is closed; to ask again changes nothing.
                self._stopped.add(result["stopped"])
                if errand["close"]:
                    self.leavings.append(Leaving(follow=result["stopped"]))
            if "left_at" in result:
                self.leavings.append(
                    Leaving(at=datetime.fromisoformat(result["left_at"]), user=result["user"])
                )

    async def settle(self) -> None:
        """Let everything be done that is left, and then whatever brings everybody back; without a trap."""
        await asyncio.gather(*self._rivals)
        if self._coming is not None:  # born when nobody waited for it any more
            child = await self._coming
            child.signal(signal.SIGKILL)
            await child.dead.wait()
            self.heard(child)
        self._waiting.extend(settling(len(self.stage.followers)))
        idle = 0
        while self._waiting:
            left = len(self._waiting)
            child = await self._born("")
            try:
                async with asyncio.timeout(_SETTLE_S):
                    await child.dead.wait()
            except TimeoutError:
                child.signal(signal.SIGKILL)
                await child.dead.wait()
                raise AssertionError(f"people wait for an answer: {list(self._waiting)[:3]}") from None
            finally:
                self.heard(child)
            idle = idle + 1 if len(self._waiting) == left else 0
            if idle == _IDLE_MAX:
                raise AssertionError(f"people end before they have asked: {list(self._waiting)[:3]}")

    async def _born(self, trap: str) -> Child:
        work = [self._cast, *self._waiting]
        self._coming = asyncio.create_task(self.stage.nursery.born("people", trap, work=work))
        return await asyncio.shield(self._coming)

    async def _equipped(self, errand: Errand) -> Errand:
        """Return the errand with the account that it needs at the exchange: only who leads anew needs one."""
        if errand["do"] != "lead":
            return errand
        operator = self.stage.system.simulator.operator
        opened = await asyncio.to_thread(operator.open_account, f"rival-{errand['number']}", "100000")
        self.stage.system.leaders[WhaleId(-errand["number"])] = opened
        self._rivals.append(asyncio.create_task(self._trade(opened["account_id"])))
        return {**errand, "account": opened}

    async def _trade(self, rival: str) -> None:
        """Let a new leader trade while the watch of it begins, and hold nothing in the end."""
        operator = self.stage.system.simulator.operator
        for number in range(_RIVAL_TRADES):
            fill = {"price": f"{self.stage.home[_MARKET]:f}", "quantity": "0.010"}
            side = "BUY" if number % 2 == 0 else "SELL"
            order = {"account_id": rival, "symbol": _MARKET, "side": side, "fills": [fill], "final": True}
            await asyncio.to_thread(operator.post, "/sim/fills", order)
            await asyncio.sleep(_BETWEEN_S)
