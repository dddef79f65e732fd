"""The signal: one thing to copy, asked once.

Invariants: the id is a function of what asked for it, so asking twice is one signal; an exit never expires; a
signal has one direction (a leader's flip is two signals, close then open); signals of one leader and market are
carried out in the order of their sequence number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final

from app.domain.shared.errors import InvalidValue
from app.domain.shared.events import Recorder
from app.domain.shared.execution import Action, Leg
from app.domain.shared.ids import FollowId, SignalId, WhaleId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.signals.events import SignalAccepted
from app.domain.signals.priority import Lane, Priority, lane_of


class SignalSource(StrEnum):
    """Who asked: a leader's fills, an operator by hand, a follower who closes a position, a protection that triggered
    or could not stand, or the venue itself (a liquidation, the owner's own trade).
    """

    LEADER = "LEADER"
    OPERATOR = "OPERATOR"
    FOLLOWER = "FOLLOWER"
    PROTECTION = "PROTECTION"
    EXTERNAL = "EXTERNAL"


class SignalState(StrEnum):
    """Where a signal stands. DONE: each follower has a decision. EXPIRED: likewise, some because it was too old."""

    PENDING = "PENDING"
    DISPATCHING = "DISPATCHING"
    DONE = "DONE"
    EXPIRED = "EXPIRED"


class SignalStep(Enum):
    """What moves a signal on."""

    CLAIM = "claim"
    RELEASE = "release"
    FINISH = "finish"
    EXPIRE = "expire"
    REOPEN = "reopen"


SIGNAL_LIFECYCLE: Final = Lifecycle[SignalState, SignalStep](
    "signal",
    {
        (SignalState.PENDING, SignalStep.CLAIM): SignalState.DISPATCHING,
        (SignalState.DISPATCHING, SignalStep.CLAIM): SignalState.DISPATCHING,  # a dead worker's lease ran out
        (SignalState.DISPATCHING, SignalStep.RELEASE): SignalState.PENDING,
        (SignalState.DISPATCHING, SignalStep.FINISH): SignalState.DONE,
        (SignalState.DISPATCHING, SignalStep.EXPIRE): SignalState.EXPIRED,
        (SignalState.DONE, SignalStep.REOPEN): SignalState.PENDING,  # deferred decisions can now be taken
        (SignalState.EXPIRED, SignalStep.REOPEN): SignalState.PENDING,
    },
)


@dataclass(slots=True)  # tidy: allow frozen an aggregate changes under its version
class Signal:
    """One copyable step.

    `side` is the side of the orders to send. `quantity` (base units) and `reference_price` are the leader's.
    `fraction` is the share of the position that an exit closes (0 < f <= 1). `leader_equity` is the leader's wallet
    in quote currency, None when unknown. `scope` restricts the signal to one follow (a follower's own close).
    `leader_at` is the venue's time of the leader's last fill: latency is counted from it.
    """

    id: SignalId
    source: SignalSource
    whale_id: WhaleId
    venue: Venue
    symbol: Symbol
    action: Action
    side: Side
    quantity: Quantity
    fraction: Decimal
    reference_price: Price
    priority: Priority
    leader_at: datetime
    created_at: datetime
    trace_id: str
    leader_equity: Money | None = None
    leader_leverage: int | None = None
    expires_at: datetime | None = None
    scope: FollowId | None = None
    flip: bool = False
    state: SignalState = SignalState.PENDING
    version: int = 1
    events: Recorder = field(default_factory=Recorder, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.action is Action.FLIP:
            raise InvalidValue("A flip is two signals: a close, then an open.")
        if self.is_exit and self.expires_at is not None:
            raise InvalidValue("An exit never expires.")
        if not Decimal(0) < self.fraction <= Decimal(1):
            raise InvalidValue("The fraction must lie above 0 and at most at 1.")
        if not self.is_exit and self.fraction != 1:
            raise InvalidValue("Only an exit has a fraction below 1.")

    @property
    def is_exit(self) -> bool:
        """Whether the signal only takes risk off."""
        return self.action.is_exit

    @property
    def is_of_late_entry(self) -> bool:
        """Whether it is the exit of an entry that appeared late: the leader speaks to one follow in no other case."""
        return self.source is SignalSource.LEADER and self.scope is not None

    @property
    def leg(self) -> Leg:
        """The leg of each follower's intent."""
        return Leg.EXIT if self.is_exit else Leg.ENTRY

    @property
    def lane(self) -> Lane:
        """The queue in which the signal waits."""
        return lane_of(self.action, self.priority)

    def accepted(self) -> None:
        """Record that the signal is new and wants a worker."""
        self.events.record(SignalAccepted(at=self.created_at, signal_id=self.id, lane=self.lane.value))

    def is_expired(self, now: datetime) -> bool:
        """Return whether new risk may no longer be taken on this signal."""
        return self.expires_at is not None and now >= self.expires_at
