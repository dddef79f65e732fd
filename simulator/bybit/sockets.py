"""What a client says on a socket: login, subscriptions, pings; and which topics each socket has."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from simulator.auth import verify
from simulator.bybit.categories import WORDS, engine_symbol
from simulator.bybit.wire import Json
from simulator.engine.account import Account
from simulator.engine.instrument import Kind
from simulator.engine.state import State
from simulator.sessions import Outbox

PRIVATE_PATH = "/v5/private"
PUBLIC_PATHS = {f"/v5/public/{word}": kind for kind, word in WORDS.items()}
CATEGORISED = {"order", "execution", "position"}
SPOT_TOPICS_AT_ONCE = 10


class Session(Outbox):
    """One connection, public when it has a `kind`; `account` is whose events it may hear, None before its login."""

    def __init__(self, kind: Kind | None) -> None:
        super().__init__()
        self.kind = kind
        self.account: Account | None = None
        self.topics: set[str] = set()

    @property
    def private(self) -> bool:
        """Say whether it is for the events of an account."""
        return self.kind is None

    def topic(self, base: str, category: str) -> str | None:
        """Return the name under which this session asked for a private topic, None when it did not."""
        return next((name for name in (base, f"{base}.{category}") if name in self.topics), None)


class Hearing:
    """Answers what is said; `refuses` tells whether an injected fault keeps an account from logging in, `joined` is
    called once a session has topics of its account.
    """

    def __init__(
        self, state: State, refuses: Callable[[Account], bool], joined: Callable[[Session, Account], None]
    ) -> None:
        self._state = state
        self._refuses = refuses
        self._joined = joined

    def answer(self, session: Session, text: str) -> Json:
        """Carry out one message and return the answer to it."""
        try:
            message = orjson.loads(text)
            op, args = str(message["op"]), list(message.get("args") or [])
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._said("", ok=False, why="Params Error")
        number = str(message.get("req_id", ""))
        if op == "ping":
            if session.private:
                return {"req_id": number, "op": "pong", "args": [str(self._state.now())], "conn_id": "sim"}
            return self._said(op, why="pong", number=number)
        if op == "auth":
            return self._login(session, args, number)
        topics = [str(name) for name in args]
        if op == "subscribe":
            why = self._subscribe(session, topics)
            return self._said(op, ok=not why, why=why, number=number)
        if op == "unsubscribe":
            session.topics.difference_update(topics)
            return self._said(op, number=number)
        return self._said(op, ok=False, why="Request not supported", number=number)

    def _said(self, op: str, *, ok: bool = True, why: str = "", number: str = "") -> Json:
        return {"success": ok, "ret_msg": why, "conn_id": "sim", "req_id": number, "op": op}

    def _login(self, session: Session, args: list[object], number: str) -> Json:
        key, expires, proof = (str(arg) for arg in args) if len(args) == 3 else ("", "", "")
        account = self._state.by_key.get(key)
        valid = account is not None and expires.isdecimal() and int(expires) > self._state.now()
        if account is None or not valid or self._refuses(account) or not session.private:
            return self._said("auth", ok=False, why="Request not authorized", number=number)
        if not verify(account.secret, f"GET/realtime{expires}", proof):
            return self._said("auth", ok=False, why="Invalid signature", number=number)
        session.account = account
        return self._said("auth", number=number)

    def _subscribe(self, session: Session, topics: list[str]) -> str:
        """Add topics, all or none; return why not."""
        if session.private and session.account is None:
            return "Request not authorized"
        if session.kind is Kind.SPOT and len(topics) > SPOT_TOPICS_AT_ONCE:
            return "args size >10"
        for name in topics:
            base, _, rest = name.partition(".")
            if not (self._private(base, rest) if session.private else self._public(session, base, rest)):
                return f"Invalid topic: {name}"
        session.topics.update(topics)
        if session.account is not None:
            self._joined(session, session.account)
        return ""

    @staticmethod
    def _private(base: str, rest: str) -> bool:
        return (base == "wallet" and not rest) or (base in CATEGORISED and rest in {"", *WORDS.values()})

    def _public(self, session: Session, base: str, rest: str) -> bool:
        assert session.kind is not None
        return base == "tickers" and engine_symbol(session.kind, rest) in self._state.instruments
