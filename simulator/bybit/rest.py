"""The REST door: finds the endpoint, checks limits, key, timestamp and signature, and turns the outcome into an answer.

The signed text is timestamp, key, window and the query or body exactly as sent. With injected latency the validity
window is checked again when the request is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulator.auth import verify
from simulator.bybit.errors import ApiError, answer, from_refusal, refused
from simulator.bybit.limits import RollingLimits
from simulator.bybit.params import Params, of_body, of_query
from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.engine.refusal import Refusal
from simulator.http import Reply, Request

DEFAULT_WINDOW_MS = 5000
AHEAD_MS = 1000
Later = Callable[[int, Callable[[], None]], None]


@dataclass(slots=True)
class Context:
    """What an endpoint works on; `later` runs a call after so many ms, never before the answer is out."""

    exchange: Exchange
    params: Params
    caller: Account | None
    received_ms: int
    later: Later

    @property
    def account(self) -> Account:
        """Return the caller of a keyed endpoint."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table; `trades` asks for the right to trade and counts against the tighter limit."""

    run: Callable[[Context], object]
    keyed: bool = True
    trades: bool = False


@dataclass(slots=True)
class Call:
    """An admitted request, ready to execute."""

    endpoint: Endpoint
    context: Context
    headers: str = ""
    timestamp_ms: int = 0
    window_ms: int = 0


Routes = Mapping[tuple[str, str], Endpoint]


class BybitRest:
    """Answers every request of this dialect."""

    def __init__(self, exchange: Exchange, limits: RollingLimits, routes: Routes, later: Later) -> None:
        self._exchange = exchange
        self._limits = limits
        self._routes = routes
        self._later = later

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, verified or not."""
        return self._exchange.state.by_key.get(request.headers.get("x-bapi-api-key", ""))

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""
        now = self._exchange.state.now()
        if not self._limits.admits(request.peer, now):
            return Reply(403, b"403, access too frequent", content_type="text/plain")
        endpoint = self._routes.get((request.method, request.path))
        if endpoint is None:
            return Reply(404, b"404 page not found", content_type="text/plain")
        try:
            values = of_query(request.query) if request.method == "GET" else of_body(request.body)
            call = Call(endpoint, Context(self._exchange, Params(values), None, now, self._later))
            if endpoint.keyed:
                self._authenticate(request, call, now)
            return partial(self._execute, call)
        except ApiError as error:
            return refused(error, now)
        except UnicodeDecodeError:
            return refused(ApiError(10001, "params error: not UTF-8"), now)

    def _authenticate(self, request: Request, call: Call, now: int) -> None:
        headers = request.headers
        account = self.account_of(request)
        if account is None:
            raise ApiError(10003, "API key is invalid.")
        stamp, window = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", "")
        if not stamp.isdecimal() or len(stamp) > 15:
            raise ApiError(10001, "params error: X-BAPI-TIMESTAMP invalid")
        if window and (not window.isdecimal() or len(window) > 9):
            raise ApiError(10001, "params error: X-BAPI-RECV-WINDOW invalid")
        call.timestamp_ms, call.window_ms = int(stamp), int(window) if window else DEFAULT_WINDOW_MS
        check_window(call, now)
        payload = request.query if request.method == "GET" else request.body.decode()
        text = f"{stamp}{account.api_key}{window}{payload}"
        if not verify(account.secret, text, headers.get("x-bapi-sign", "")):
            raise ApiError(10004, "Error sign, please check your signature generation algorithm.")
        rights, spot = account.permissions, is_spot(call.context.params)
        may_trade = rights.spot if spot else rights.futures
        if not (may_trade if call.endpoint.trades else rights.reading):
            raise ApiError(10005, "Permission denied, please check your API key permissions.")
        standing = self._limits.take(
            account.account_id, request.path, now, trades=call.endpoint.trades, spot=spot
        )
        if standing.left < 0:
            raise ApiError(10006, "Too many visits. Exceeded the API Rate Limit.", standing.headers)
        call.context.caller, call.headers = account, standing.headers

    def _execute(self, call: Call, delayed: bool) -> Reply:
        now = self._exchange.state.now()
        try:
            if delayed and call.timestamp_ms:
                check_window(call, now)
            return answer(call.endpoint.run(call.context), now, call.headers)
        except Refusal as refusal:
            return refused(from_refusal(refusal, spot=is_spot(call.context.params)), now, call.headers)
        except ApiError as error:
            return refused(error, now, call.headers)


def is_spot(params: Params) -> bool:
    """Say whether a request is about spot, which has limits, rights and words of its own."""
    return params.values.get("category") == "spot"


def check_window(call: Call, now_ms: int) -> None:
    """Refuse unless server time - window <= timestamp < server time + 1 s."""
    if not now_ms - call.window_ms <= call.timestamp_ms < now_ms + AHEAD_MS:
        raise ApiError(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{call.timestamp_ms}],server_timestamp[{now_ms}],recv_window[{call.window_ms}]",
        )
