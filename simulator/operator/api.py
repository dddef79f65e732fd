"""The operator's HTTP door: token, routes, and errors with a code and a sentence."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from urllib.parse import parse_qs

import orjson

from simulator.clock import Clock
from simulator.engine.exchange import Exchange
from simulator.engine.refusal import Refusal
from simulator.engine.state import State
from simulator.faults import FaultBook
from simulator.http import Reply, Request
from simulator.limits import Limiter
from simulator.operator import commands, ledger_views
from simulator.operator.inputs import BadInput, Input

Answer = dict[str, object]
View = Callable[[State, int, str | None, int], list[dict[str, object]]]

VIEWS: dict[str, View] = {
    "/sim/ledger/orders": ledger_views.orders,
    "/sim/ledger/fills": ledger_views.fills,
    "/sim/ledger/balances": ledger_views.balances,
    "/sim/ledger/events": ledger_views.events,
    "/sim/ledger/positions": ledger_views.positions,
    "/sim/ledger/accounts": ledger_views.accounts,
}
COMMANDS: dict[str, Callable[[Exchange, Input], Answer]] = {
    "/sim/accounts": commands.open_accounts,
    "/sim/deposits": commands.deposit,
    "/sim/instruments": commands.list_instruments,
    "/sim/prices": commands.set_prices,
    "/sim/tape/tick": commands.tick,
    "/sim/fills": commands.book_fills,
    "/sim/funding": commands.fund,
}


class Uniqueness(StrEnum):
    """When a client order id may be used again; VENUE leaves it to each dialect."""

    VENUE = "venue"
    OPEN = "open"
    ALWAYS = "always"
    NONE = "none"


@dataclass(slots=True)
class Timing:
    """Settings that belong to the door: added latency before matching and the tape's own period (0: none), in ms."""

    latency_ms: int = 0
    tape_ms: int = 0


class OperatorApi:
    """Answers everything under /sim; every call but /sim/health needs the token."""

    def __init__(
        self,
        exchange: Exchange,
        limiter: Limiter,
        faults: FaultBook,
        clock: Clock,
        token: str,
        disconnect: Callable[[str | None], int],
        listen_key_validity: Callable[[int], None],
    ) -> None:
        self._exchange = exchange
        self._limiter = limiter
        self._faults = faults
        self._clock = clock
        self._token = token.encode()
        self._disconnect = disconnect
        self._listen_key_validity = listen_key_validity
        self.timing = Timing()

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        try:
            if (request.method, request.path) == ("GET", "/sim/health"):
                return _reply(200, self._health())
            given = request.headers.get("x-operator-token", "").encode("latin-1")
            if not hmac.compare_digest(given, self._token):
                raise BadInput("the X-Operator-Token header is missing or wrong", 401, "UNAUTHORISED")
            return _reply(200, self._route(request))
        except BadInput as error:
            return _reply(error.status, {"code": error.code, "message": str(error)})
        except Refusal as refusal:
            absent = refusal.reason.name.startswith("UNKNOWN_")
            return _reply(404 if absent else 422, {"code": refusal.reason.name, "message": str(refusal)})

    def _route(self, request: Request) -> Answer:
        method, path = request.method, request.path
        if method == "GET" and path in VIEWS:
            return self._view(path, request.query)
        if method == "POST" and path in COMMANDS:
            return COMMANDS[path](self._exchange, Input.from_body(request.body))
        if path == "/sim/faults":
            return self._change_faults(method, request.body)
        if path == "/sim/settings" and method in {"GET", "POST"}:
            if method == "POST":
                self.change_settings(Input.from_body(request.body))
            return self._settings()
        if (method, path) == ("POST", "/sim/disconnect"):
            given = Input.from_body(request.body)
            given.only("account_id")
            account_id = given.text("account_id") if given.has("account_id") else None
            return {"disconnected": self._disconnect(account_id)}
        known = (
            path in VIEWS or path in COMMANDS or path in {"/sim/faults", "/sim/settings", "/sim/disconnect"}
        )
        raise BadInput(f"no {method} {path} here", 405 if known else 404, "NO_SUCH_ROUTE")

    def _view(self, path: str, query: str) -> Answer:
        pairs = Input({name: values[-1] for name, values in parse_qs(query).items()}, "the query")
        pairs.only("after_seq", "account_id", "limit")
        limit = min(pairs.integer("limit", 1000, 1), ledger_views.MOST_ROWS)
        account_id = pairs.text("account_id") if pairs.has("account_id") else None
        if account_id is not None:
            self._exchange.state.account(account_id)
        state = self._exchange.state
        rows = VIEWS[path](state, pairs.integer("after_seq", 0), account_id, limit)
        return {path.rpartition("/")[2]: rows, "last_seq": state.ledger.last_seq}

    def _change_faults(self, method: str, body: bytes) -> Answer:
        if method == "POST":
            rules = commands.read_rules(Input.from_body(body))
            for rule in rules:
                if rule.account_id is not None:
                    self._exchange.state.account(rule.account_id)
            self._faults.add(rules)
        elif method == "DELETE":
            self._faults.clear()
        elif method != "GET":
            raise BadInput(f"no {method} /sim/faults here", 405, "NO_SUCH_ROUTE")
        return {"rules": [asdict(rule) for rule in self._faults.rules]}

    def change_settings(self, given: Input) -> None:
        """Apply settings; those not named keep their value."""
        given.only("visibility_lag_ms", "latency_ms", "matching_delay_ms", "client_id_uniqueness", "clock_skew_ms", "limits", "tape_ms",
                   "listen_key_valid_ms")  # fmt: skip
        limits = given.object("limits")
        names = tuple(asdict(self._limiter.limits))
        limits.only(*names)
        rules, timing = self._exchange.state.rules, self.timing
        fresh = {name: limits.integer(name, getattr(self._limiter.limits, name), 1) for name in names}
        lag = given.integer("visibility_lag_ms", rules.visibility_lag_ms)
        latency = given.integer("latency_ms", timing.latency_ms)
        matching = given.integer("matching_delay_ms", rules.matching_delay_ms)
        tape = given.integer("tape_ms", timing.tape_ms)
        skew = given.integer("clock_skew_ms", self._clock.skew_ms, None)
        uniqueness = given.choice("client_id_uniqueness", Uniqueness, Uniqueness(rules.client_id_uniqueness))
        if given.has("listen_key_valid_ms"):
            self._listen_key_validity(given.integer("listen_key_valid_ms", least=1))
        rules.visibility_lag_ms, rules.client_id_uniqueness = lag, uniqueness.value
        rules.matching_delay_ms = matching
        timing.latency_ms, timing.tape_ms, self._clock.skew_ms = latency, tape, skew
        for name, value in fresh.items():
            setattr(self._limiter.limits, name, value)
        if limits.values:
            self._limiter.forgive()

    def _settings(self) -> Answer:
        rules = self._exchange.state.rules
        return {
            "visibility_lag_ms": rules.visibility_lag_ms,
            "latency_ms": self.timing.latency_ms,
            "matching_delay_ms": rules.matching_delay_ms,
            "client_id_uniqueness": rules.client_id_uniqueness,
            "clock_skew_ms": self._clock.skew_ms,
            "tape_ms": self.timing.tape_ms,
            "limits": asdict(self._limiter.limits),
        }

    def _health(self) -> Answer:
        state = self._exchange.state
        return {
            "status": "ok",
            "server_ms": state.now(),
            "accounts": len(state.accounts),
            "orders": len(state.ledger.orders),
            "fills": len(state.ledger.fills),
            "last_seq": state.ledger.last_seq,
        }


def _reply(status: int, answer: Answer) -> Reply:
    return Reply(status, orjson.dumps(answer))
