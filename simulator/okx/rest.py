"""The REST door: finds the endpoint, checks limits, key, timestamp, signature and expiry, and turns the outcome into an
answer. With injected latency the expiry is checked again when the request is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.engine.refusal import Refusal
from simulator.http import Reply, Request
from simulator.okx.auth import authenticated
from simulator.okx.errors import ApiError, Rows, answer, from_refusal, refused
from simulator.okx.limits import EndpointLimits
from simulator.okx.params import Params, of_body, of_query

Later = Callable[[int, Callable[[], None]], None]


@dataclass(slots=True)
class Context:
    """What an endpoint works on; `orders` are the rows of a body that is a list; `later` runs a call after so many ms,
    never before the answer is out; `expires_ms` is the bound that the request set for itself, 0 for none.
    """

    exchange: Exchange
    params: Params
    caller: Account | None
    received_ms: int
    later: Later
    orders: list[Params] = field(default_factory=list)
    expires_ms: int = 0

    @property
    def account(self) -> Account:
        """Return the caller of a keyed endpoint."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table; `most` is what the documentation allows in two seconds; `trades` asks for the right
    to trade; `places` counts each order on its market and heeds the expiry.
    """

    run: Callable[[Context], object]
    most: int
    keyed: bool = True
    trades: bool = False
    places: bool = False


Routes = Mapping[tuple[str, str], Endpoint]


class OkxRest:
    """Answers every request of this dialect."""

    def __init__(self, exchange: Exchange, limits: EndpointLimits, routes: Routes, later: Later) -> None:
        self._exchange = exchange
        self._limits = limits
        self._routes = routes
        self._later = later

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, verified or not."""
        return self._exchange.state.by_key.get(request.headers.get("ok-access-key", ""))

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""
        now = self._exchange.state.now()
        endpoint = self._routes.get((request.method, request.path))
        if endpoint is None:
            return Reply(404, b'{"msg":"Not Found","code":"404","data":[]}')
        try:
            return partial(self._execute, endpoint, self._admitted(request, endpoint, now))
        except ApiError as error:
            return refused(error, now)
        except UnicodeDecodeError:
            return refused(ApiError(50002, "JSON syntax error"), now)

    def _admitted(self, request: Request, endpoint: Endpoint, now: int) -> Context:
        state, caller = self._exchange.state, None
        if endpoint.keyed:
            target = request.path + (f"?{request.query}" if request.query else "")
            caller = authenticated(state, request.headers, request.method, target, request.body)
        rows = [of_query(request.query)] if request.method == "GET" else of_body(request.body)
        orders = [Params(row) for row in rows]
        context = Context(self._exchange, orders[0], caller, now, self._later, orders)
        self._count(endpoint, context, request, now)
        if (
            caller is not None
            and endpoint.trades
            and not (caller.permissions.futures and caller.permissions.spot)
        ):
            raise ApiError(50120, "This API key doesn't have permission to use this function")
        if caller is not None and not caller.permissions.reading:
            raise ApiError(50120, "This API key doesn't have permission to use this function")
        if endpoint.places:
            context.expires_ms = _expiry(request.headers.get("exptime", ""))
            if context.expires_ms and now > context.expires_ms:
                raise ApiError(50036, "The expTime can't be earlier than the current system time.")
        return context

    def _count(self, endpoint: Endpoint, context: Context, request: Request, now: int) -> None:
        if context.caller is None:
            within = self._limits.takes_public(request.peer, request.path, endpoint.most, now)
        elif endpoint.places:
            ids = [str(row.values.get("instId", "")) for row in context.orders]
            who = context.caller.account_id
            within = all(
                self._limits.takes_order(who, name, request.path, ids.count(name), now) for name in set(ids)
            )
        else:
            within = self._limits.takes_private(context.caller.account_id, request.path, endpoint.most, now)
        if not within:
            raise ApiError(50011, "Too Many Requests")

    def _execute(self, endpoint: Endpoint, context: Context, delayed: bool) -> Reply:
        state = self._exchange.state
        try:
            if delayed and context.expires_ms and state.now() > context.expires_ms:
                raise ApiError(50037, "Order expired.")
            return answer(endpoint.run(context), state.now())
        except Rows as failed:
            return answer(
                failed.rows, state.now(), failed.code, "All operations failed" if failed.code == 1 else ""
            )
        except ApiError as error:
            return refused(error, state.now())
        except Refusal as refusal:
            return refused(from_refusal(refusal), state.now())


def _expiry(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise ApiError(51000, "Parameter expTime  error")
    return int(text)
