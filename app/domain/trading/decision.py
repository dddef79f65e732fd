"""The decision: what became of one signal for one follower, and why.

Invariant: each (signal, follow) has exactly one decision. It is made when the signal is planned; a deferred one is
made again when what it waited for is known, and a copied one becomes FAILED if the venue refuses the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.ids import FollowId


class DecisionOutcome(StrEnum):
    """What became of it. REDUCED was copied at a smaller size than the terms asked for."""

    COPIED = "COPIED"
    REDUCED = "REDUCED"
    SKIPPED = "SKIPPED"
    DEFERRED = "DEFERRED"
    FAILED = "FAILED"


class DecisionCode(StrEnum):
    """Stable codes of trading's own reasons; risk's denial codes stand beside them in a stored decision."""

    AS_ASKED = "AS_ASKED"
    USER_SUSPENDED = "USER_SUSPENDED"
    WHALE_PAUSED = "WHALE_PAUSED"
    FOLLOW_PAUSED = "FOLLOW_PAUSED"
    FOLLOW_STOPPED = "FOLLOW_STOPPED"
    KEY_NOT_USABLE = "KEY_NOT_USABLE"
    SIGNAL_EXPIRED = "SIGNAL_EXPIRED"
    LEADER_ALREADY_OUT = "LEADER_ALREADY_OUT"
    SYMBOL_NOT_WANTED = "SYMBOL_NOT_WANTED"
    SIDE_NOT_WANTED = "SIDE_NOT_WANTED"
    MARKET_NOT_AT_VENUE = "MARKET_NOT_AT_VENUE"
    VENUE_NOT_COPIED = "VENUE_NOT_COPIED"
    VENUE_AWAY = "VENUE_AWAY"
    SPOT_HAS_NO_SHORTS = "SPOT_HAS_NO_SHORTS"
    ADD_WITHOUT_POSITION = "ADD_WITHOUT_POSITION"
    LEADER_EQUITY_UNKNOWN = "LEADER_EQUITY_UNKNOWN"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    RAISED_TO_MINIMUM = "RAISED_TO_MINIMUM"
    TERMS_MAXIMUM = "TERMS_MAXIMUM"
    VENUE_MAXIMUM = "VENUE_MAXIMUM"
    NOTHING_TO_CLOSE = "NOTHING_TO_CLOSE"
    OPENED_LATER = "OPENED_LATER"
    MARKET_UNLISTED = "MARKET_UNLISTED"
    COINS_MISSING = "COINS_MISSING"
    ENTRY_STILL_OPEN = "ENTRY_STILL_OPEN"
    EXIT_STILL_OPEN = "EXIT_STILL_OPEN"
    PROTECTION_STILL_RESTS = "PROTECTION_STILL_RESTS"
    OTHER_MAY_OVERSELL = "OTHER_MAY_OVERSELL"
    VENUE_REFUSED = "VENUE_REFUSED"
    ORDER_ABSENT = "ORDER_ABSENT"
    APPEARED_LATE = "APPEARED_LATE"
    PROTECTION_TRIGGERED = "PROTECTION_TRIGGERED"
    CLOSED_EXTERNALLY = "CLOSED_EXTERNALLY"
    LIQUIDATED = "LIQUIDATED"
    DELEVERAGED = "DELEVERAGED"
    WRITTEN_OFF = "WRITTEN_OFF"
    MARKET_FROZEN = "MARKET_FROZEN"


DECISION_SENTENCES: Final[Mapping[DecisionCode, str]] = MappingProxyType(
    {
        DecisionCode.AS_ASKED: "Copied at the size that the terms ask for.",
        DecisionCode.USER_SUSPENDED: "The user is suspended; entries are not copied.",
        DecisionCode.WHALE_PAUSED: "The leader is paused; entries are not copied.",
        DecisionCode.FOLLOW_PAUSED: "The follow is paused; entries are not copied.",
        DecisionCode.FOLLOW_STOPPED: "The follow was stopped; entries are not copied.",
        DecisionCode.KEY_NOT_USABLE: "The account's API key is not verified; add a key that can trade and not withdraw.",
        DecisionCode.SIGNAL_EXPIRED: "The signal was too old to take new risk when its turn came.",
        DecisionCode.LEADER_ALREADY_OUT: "The leader has left again before this entry's turn came.",
        DecisionCode.SYMBOL_NOT_WANTED: "The terms do not copy this market.",
        DecisionCode.SIDE_NOT_WANTED: "The terms do not copy this side.",
        DecisionCode.MARKET_NOT_AT_VENUE: "{market} is not traded at {venue}, where the follower's account is.",
        DecisionCode.VENUE_NOT_COPIED: "Followers are not served at {venue}: its margin is in coins.",
        DecisionCode.VENUE_AWAY: "The venue ({venue}) cannot be asked now; the exit goes out as soon as it can.",
        DecisionCode.SPOT_HAS_NO_SHORTS: "The leader went short; a spot account can only hold coins.",
        DecisionCode.ADD_WITHOUT_POSITION: "The leader added to a position that this follow did not join.",
        DecisionCode.LEADER_EQUITY_UNKNOWN: "The leader's equity is not known, so a proportional size cannot be found.",
        DecisionCode.BELOW_MINIMUM: "The size is below the venue's minimum of {minimum}.",
        DecisionCode.RAISED_TO_MINIMUM: "The size was raised to the venue's minimum, as the terms allow.",
        DecisionCode.TERMS_MAXIMUM: "The size was cut to the terms' largest order.",
        DecisionCode.VENUE_MAXIMUM: "The size was cut to the venue's largest order.",
        DecisionCode.NOTHING_TO_CLOSE: "The follow holds nothing on this market.",
        DecisionCode.OPENED_LATER: "All that the follow holds on this market was opened by signals later than this exit.",
        DecisionCode.MARKET_UNLISTED: "{market} is not in the listing of {venue}, where the follow holds a position on it; the "
        "exit goes out as soon as the venue lists it again.",
        DecisionCode.COINS_MISSING: "The account holds fewer coins than its follows; a sale whose reply was lost is not sent "
        "again, for it might sell coins that are not the follow's.",
        DecisionCode.ENTRY_STILL_OPEN: "An entry's outcome is not known yet; the exit follows as soon as it is.",
        DecisionCode.EXIT_STILL_OPEN: "An exit's outcome is not known yet; the entry waits for it.",
        DecisionCode.PROTECTION_STILL_RESTS: "A protection of the follow could still sell beside this exit; it is being "
        "withdrawn, and the exit follows as soon as it is over.",
        DecisionCode.OTHER_MAY_OVERSELL: "Orders of another follow of this account could still close more than it holds on "
        "this market; the entry waits until they cannot.",
        DecisionCode.VENUE_REFUSED: "The venue refused the order: {venue}.",
        DecisionCode.APPEARED_LATE: "The order was found at the venue after it had been given up; it is copied after all.",
        DecisionCode.PROTECTION_TRIGGERED: "The price reached a protection of the follow; it was closed by it.",
        DecisionCode.CLOSED_EXTERNALLY: "The position was closed at the venue by an order that is not ours.",
        DecisionCode.LIQUIDATED: "The venue liquidated the position.",
        DecisionCode.DELEVERAGED: "The venue closed the position against a bankrupt account (auto-deleveraging).",
        DecisionCode.WRITTEN_OFF: "The venue holds less and no execution explains it; an operator accepted the venue's word.",
        DecisionCode.MARKET_FROZEN: "The account holds less on this market than its books say and nothing explains it; "
        "no new risk is taken there until they agree.",
        DecisionCode.ORDER_ABSENT: "The order's fate was unknown and the venue does not have it; it was not sent again.",
    }
)


@dataclass(frozen=True, slots=True)
class Decision:
    """One follower's decision with what it was made of: `inputs` are figures as plain text, by name."""

    follow_id: FollowId
    outcome: DecisionOutcome
    code: str
    reason: str
    inputs: Mapping[str, str]


def decision(
    follow_id: FollowId,
    outcome: DecisionOutcome,
    code: DecisionCode,
    inputs: Mapping[str, str],
    **words: str,
) -> Decision:
    """Make a decision with one of trading's own codes; `words` fill the sentence."""
    return Decision(follow_id, outcome, code.value, DECISION_SENTENCES[code].format(**words), inputs)
