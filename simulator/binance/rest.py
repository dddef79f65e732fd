"""The REST door: finds the endpoint, checks limits, key, timestamp and signature, and turns the outcome into a reply.

A request passes twice: `admit` when it arrives, `execute` when it is matched. With injected latency between the two,
the validity window is checked again, as the venue does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

import orjson

from simulator.auth import cut_signature, verify
from simulator.binance.errors import ApiError, from_refusal, from_throttle, missing
from simulator.binance.families import Family
from simulator.binance.listen_keys import ListenKeys
from simulator.binance.params import Params, parse
from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.engine.instrument import Instrument
from simulator.engine.refusal import Refusal
from simulator.http import Reply, Request
from simulator.limits import Limiter, Throttled

DEFAULT_WINDOW_MS = 5000
MAX_WINDOW_MS = 60_000
AHEAD_MS = 1000


class Security(Enum):
    """What a request must prove."""

    PUBLIC = 0
    KEY = 1
    READ = 2
    TRADE = 3


@dataclass(slots=True)
class Context:
    """What an endpoint works on; `account` is None for public ones."""

    exchange: Exchange
    family: Family
    listen_keys: ListenKeys
    params: Params
    caller: Account | None
    received_ms: int

    @property
    def account(self) -> Account:
        """Return the caller of a keyed endpoint."""
        assert self.caller is not None
        return self.caller

    @property
    def instrument(self) -> Instrument:
        """Return the instrument that the parameter `symbol` names."""
        return self.family.instrument(self.exchange.state, self.params.text("symbol"))

    @property
    def instruments(self) -> list[Instrument]:
        """Return the instrument that `symbol` names, or all of this market without it."""
        if self.params.optional("symbol") is not None:
            return [self.instrument]
        return self.exchange.state.listed(self.family.kind)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table; `counts` marks what the order limits count; `weight` is the address weight."""

    run: Callable[[Context], object]
    security: Security
    weight: int = 1
    counts: bool = False


@dataclass(slots=True)
class Call:
    """An admitted request, ready to execute."""

    endpoint: Endpoint
    context: Context
    headers: str
    timestamp_ms: int = 0
    window_ms: int = 0


Routes = Mapping[tuple[str, str], Endpoint]


class Rest:
    """Answers every request of one market."""

    def __init__(
        self, exchange: Exchange, limiter: Limiter, listen_keys: ListenKeys, routes: Routes, family: Family
    ) -> None:
        self._exchange = exchange
        self._family = family
        self._limiter = limiter
        self._listen_keys = listen_keys
        self._routes = routes

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, verified or not."""
        return self._exchange.state.by_key.get(request.headers.get("x-mbx-apikey", ""))

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""
        admitted = self.admit(request)
        return admitted if isinstance(admitted, Reply) else partial(self.execute, admitted)

    def admit(self, request: Request) -> Call | Reply:
        """Check everything that is checked at the door."""
        now = self._exchange.state.now()
        endpoint = self._routes.get((request.method, request.path))
        if endpoint is None:
            return self._unknown(request)
        headers = ""
        try:
            used = self._limiter.take_weight(request.peer + self._family.limits, endpoint.weight, now)
            headers = f"X-MBX-USED-WEIGHT-1M: {used}\r\n"
            values: dict[str, str] = {}
            body = request.body.decode() if request.body else ""
            if request.query:
                parse(request.query, values)
            if body:
                parse(body, values)
            call = Call(
                endpoint,
                Context(self._exchange, self._family, self._listen_keys, Params(values), None, now),
                headers,
            )
            if endpoint.security is not Security.PUBLIC:
                self._authenticate(request, body, call, now)
            return call
        except Throttled as throttled:
            return from_throttle(throttled).reply(headers)
        except ApiError as error:
            return error.reply(headers)
        except UnicodeDecodeError:
            return ApiError(-1000, "The request body is not valid UTF-8.").reply(headers)

    def _authenticate(self, request: Request, body: str, call: Call, now: int) -> None:
        key = request.headers.get("x-mbx-apikey", "")
        if not key or not key.isalnum() or len(key) > 128:
            raise ApiError(-2014, "API-key format invalid.", 401)
        account = self._exchange.state.by_key.get(key)
        if account is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        call.context.caller = account
        security = call.endpoint.security
        if security is Security.KEY:
            return
        params = call.context.params
        call.timestamp_ms = params.integer("timestamp")
        window = params.optional_integer("recvWindow")
        call.window_ms = DEFAULT_WINDOW_MS if window is None else window
        if not 0 < call.window_ms <= MAX_WINDOW_MS:
            raise ApiError(-1131, "recvWindow must be less than 60000.")
        check_window(call, now)
        text, signature = cut_signature(request.query, body)
        if not signature:
            raise missing("signature")
        if not verify(account.secret, text, signature):
            raise ApiError(-1022, "Signature for this request is not valid.")
        may = account.permissions
        if not (self._family.allows(may) if security is Security.TRADE else may.reading):
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        if call.endpoint.counts:
            in_10s, in_minute = self._limiter.take_order(account.account_id + self._family.limits, now)
            call.headers += f"X-MBX-ORDER-COUNT-10S: {in_10s}\r\nX-MBX-ORDER-COUNT-1M: {in_minute}\r\n"

    def execute(self, call: Call, delayed: bool) -> Reply:
        """Carry an admitted request out; `delayed` checks its validity window once more."""
        try:
            if delayed and call.timestamp_ms:
                check_window(call, self._exchange.state.now())
            return Reply(200, orjson.dumps(call.endpoint.run(call.context)), call.headers)
        except Refusal as refusal:
            return from_refusal(refusal, self._family.refusals).reply(call.headers)
        except ApiError as error:
            return error.reply(call.headers)

    def _unknown(self, request: Request) -> Reply:
        if any(path == request.path for _, path in self._routes):
            return ApiError(-1000, f"Request method '{request.method}' is not supported.", 405).reply()
        return Reply(404, b"<html><body>404 Not Found</body></html>", content_type="text/html")


def check_window(call: Call, now_ms: int) -> None:
    """Refuse a request outside its window; see `check_times`."""
    check_times(call.timestamp_ms, call.window_ms, now_ms)


def check_times(timestamp_ms: int, window_ms: int, now_ms: int) -> None:
    """Refuse a timestamp more than a second ahead, or older than the request's own window."""
    if timestamp_ms > now_ms + AHEAD_MS:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp_ms > window_ms:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")
