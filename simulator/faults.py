"""Injected faults: rules that an operator sets, matched by endpoint and account, drawn from seeded chance."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong. The first group belongs to REST endpoints, the second to the stream (endpoint WS)."""

    HTTP_STATUS = "http_status"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    RESET_MIDWAY = "reset_midway"
    GARBAGE = "garbage"
    HTML = "html"
    EMPTY = "empty"
    DUPLICATE_REPLY = "duplicate_reply"
    LATENCY = "latency"
    SLOW_REPLY = "slow_reply"

    DROP = "drop"
    SILENCE = "silence"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    DISCONNECT = "disconnect"
    EXPIRE = "expire"


STREAM_KINDS = frozenset(
    {Kind.DROP, Kind.SILENCE, Kind.DUPLICATE, Kind.REORDER, Kind.DELAY, Kind.DISCONNECT, Kind.EXPIRE}
)
STREAM_ENDPOINT = "WS"


@dataclass(slots=True)
class Rule:
    """One rule. `endpoint` is "METHOD /path", "*" for every REST endpoint, or "WS".

    `times` bounds how often it strikes (None: no bound); `ms` belongs to the kinds that delay; `executes` says whether
    the request is carried out before the reply goes wrong; `event` narrows a stream rule to one event type.
    """

    endpoint: str
    kind: Kind
    status: int = 0
    body: str | None = None
    retry_after: int | None = None
    ms: int = 0
    probability: float = 1.0
    times: int | None = None
    account_id: str | None = None
    event: str | None = None
    executes: bool = False
    struck: int = 0


class FaultBook:
    """The rules in force, first match first; the same seed and the same requests strike alike."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = random.Random(f"{seed}:faults")
        self.rules: list[Rule] = []
        self.client_rules = False
        self.stream_rules = False

    def add(self, rules: list[Rule]) -> None:
        """Append rules."""
        self.rules.extend(rules)
        self._note()

    def clear(self) -> None:
        """Remove every rule and start the chance anew."""
        self.rules.clear()
        self._rng = random.Random(f"{self._seed}:faults")
        self._note()

    def _note(self) -> None:
        self.stream_rules = any(rule.endpoint == STREAM_ENDPOINT for rule in self.rules)
        self.client_rules = any(rule.endpoint != STREAM_ENDPOINT for rule in self.rules)

    def strike(self, endpoint: str, account_id: str | None, event: str | None = None) -> Rule | None:
        """Return the rule that strikes this request or event, and count it; None when all goes well."""
        for rule in self.rules:
            if rule.times is not None and rule.struck >= rule.times:
                continue
            if rule.endpoint != endpoint and (rule.endpoint != "*" or endpoint == STREAM_ENDPOINT):
                continue
            if rule.account_id is not None and rule.account_id != account_id:
                continue
            if rule.event is not None and rule.event != event:
                continue
            if rule.probability < 1 and self._rng.random() >= rule.probability:
                continue
            rule.struck += 1
            return rule
        return None
