"""The REST door: finds the endpoint, checks limits, key, timestamp and signature, and turns the outcome into an answer.

A request is good for thirty seconds after its timestamp; with injected latency that is checked again when it is carried
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulator.bitget.auth import PASSPHRASE, proves
from simulator.bitget.errors import ApiError, answer, from_refusal, refused
from simulator.bitget.limits import BitgetLimits
from simulator.bitget.params import Params, of_body, of_query
from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.engine.instrument import Kind
from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply, Request

WINDOW_MS = 30_000
Later = Callable[[int, Callable[[], None]], None]


@dataclass(slots=True)
class Context:
    """What an endpoint works on; `later` runs a call after so many ms, never before the answer is out."""

    exchange: Exchange
    params: Params
    caller: Account | None
    received_ms: int
    later: Later
    signed_ms: int = 0

    @property
    def account(self) -> Account:
        """Return the caller of a keyed endpoint."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table; `trades` names the right it asks for and counts against the tighter limit."""

    run: Callable[[Context], object]
    keyed: bool = True
    trades: Kind | None = None


@dataclass(slots=True)
class Call:
    """An admitted request, ready to execute."""

    endpoint: Endpoint
    context: Context
    headers: str = ""


Routes = Mapping[tuple[str, str], Endpoint]


class BitgetRest:
    """Answers every request of this dialect."""

    def __init__(self, exchange: Exchange, limits: BitgetLimits, routes: Routes, later: Later) -> None:
        self._exchange = exchange
        self._limits = limits
        self._routes = routes
        self._later = later

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, verified or not."""
        return self._exchange.state.by_key.get(request.headers.get("access-key", ""))

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""
        now = self._exchange.state.now()
        if not self._limits.admits(request.peer, now):
            return Reply(429, b"Too Many Requests", content_type="text/plain")
        endpoint = self._routes.get((request.method, request.path))
        if endpoint is None:
            return refused(ApiError("40404", "Request URL NOT FOUND", 404), now)
        try:
            values = of_query(request.query) if request.method == "GET" else of_body(request.body)
            call = Call(endpoint, Context(self._exchange, Params(values), None, now, self._later))
            if endpoint.keyed:
                self._authenticate(request, call, now)
            return partial(self._execute, call)
        except ApiError as error:
            return refused(error, now)
        except UnicodeDecodeError:
            return refused(ApiError("40017", "Parameter verification failed: not UTF-8"), now)

    def _authenticate(self, request: Request, call: Call, now: int) -> None:
        headers = request.headers
        if not headers.get("access-key"):
            raise ApiError("40001", "ACCESS_KEY cannot be empty")
        account = self.account_of(request)
        if account is None:
            raise ApiError("40006", "Invalid ACCESS_KEY")
        stamp = headers.get("access-timestamp", "")
        if not stamp.isdecimal() or len(stamp) > 15:
            raise ApiError("40005", "Invalid ACCESS_TIMESTAMP")
        call.context.signed_ms = int(stamp)
        check_time(call.context, now)
        target = request.path + (f"?{request.query}" if request.query else "")
        text = f"{stamp}{request.method}{target}{request.body.decode()}"
        if not proves(account.secret, text, headers.get("access-sign", "")):
            raise ApiError("40009", "sign signature error")
        if headers.get("access-passphrase") != PASSPHRASE:
            raise ApiError("40012", "apikey/password is incorrect")
        rights, wanted = account.permissions, call.endpoint.trades
        allowed = rights.reading if wanted is None else rights.spot if wanted is Kind.SPOT else rights.futures
        if not allowed:
            raise ApiError("40014", "Incorrect permissions")
        left = self._limits.take(account.account_id, request.path, now, trades=wanted is not None)
        if left < 0:
            raise ApiError("429", "Too Many Requests", 429)
        call.context.caller, call.headers = account, f"x-mbx-used-remain-limit: {left}\r\n"

    def _execute(self, call: Call, delayed: bool) -> Reply:
        now = self._exchange.state.now()
        try:
            if delayed and call.context.caller is not None:
                check_time(call.context, now)
            return answer(call.endpoint.run(call.context), now, call.headers)
        except Refusal as refusal:
            if refusal.reason is Reason.MODE_UNCHANGED:
                return answer(None, now, call.headers)
            return refused(from_refusal(refusal), now, call.headers)
        except ApiError as error:
            return refused(error, now, call.headers)


def check_time(ctx: Context, now_ms: int) -> None:
    """Refuse a timestamp more than thirty seconds away, and a request that outlived the window it asks for itself."""
    if not now_ms - WINDOW_MS <= ctx.signed_ms <= now_ms + WINDOW_MS:
        raise ApiError("40008", "Request timestamp expired")
    window = ctx.params.integer("receiveWindow", 0)
    if window > 60_000:
        raise ApiError("40079", "The receiveWindow should be less than 60 seconds")
    if window and now_ms - ctx.params.integer("requestTime", ctx.signed_ms) > window:
        raise ApiError("40911", "Request timestamp expired")
