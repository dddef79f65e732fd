"""The front door: sends each request to the operator API or the dialect, and lets injected faults strike on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulator.doors import Dialect
from simulator.faults import FaultBook, Kind, Rule
from simulator.http import Connection, Reply, Request
from simulator.operator.api import OperatorApi

FLUSH_S = 0.01
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = b'{"orderId": 10\xff\xfe'
# No venue's error number: whoever reads one here would take an outcome for known that is not.
UNKNOWN_OUTCOME = b'{"error":"unavailable","message":"The service is unavailable. Please try again later."}'


class Front:
    """Implements the HTTP handler."""

    def __init__(self, operator: OperatorApi, dialect: Dialect, faults: FaultBook) -> None:
        self._operator = operator
        self._dialect = dialect
        self._faults = faults

    def handle(self, request: Request, connection: Connection) -> Reply | None:
        """Answer at once when nothing is injected; otherwise now, later or never."""
        if request.path.startswith("/sim/"):
            return self._operator.handle(request)
        rule = None
        if self._faults.client_rules:
            account = self._dialect.account_of(request)
            rule = self._faults.strike(
                f"{request.method} {request.path}", account.account_id if account else None
            )
        delay_ms = self._operator.timing.latency_ms
        if rule is None and not delay_ms:
            begun = self._dialect.begin(request)
            return begun if isinstance(begun, Reply) else begun(False)
        if rule is not None:
            return self._strike(rule, request, connection, delay_ms)
        self._later(request, delay_ms, connection.reply)
        return None

    def _later(self, request: Request, delay_ms: int, answer: Callable[[Reply], None]) -> None:
        """Check the request now, carry it out after the delay, then pass the reply on."""
        begun = self._dialect.begin(request)

        def finish() -> None:
            answer(begun if isinstance(begun, Reply) else begun(True))

        if delay_ms:
            asyncio.get_running_loop().call_later(delay_ms / 1000, finish)
        else:
            answer(begun if isinstance(begun, Reply) else begun(False))

    def _strike(self, rule: Rule, request: Request, connection: Connection, delay_ms: int) -> Reply | None:
        kind = rule.kind
        if kind is Kind.TIMEOUT_BEFORE:
            return None
        if kind is Kind.RESET_BEFORE:
            connection.reset()
            return None
        if kind is Kind.RESET_MIDWAY and not rule.executes:
            _deliver(rule, Reply(200, UNKNOWN_OUTCOME), connection)
            return None
        mangled = _mangled(rule)
        if mangled is not None and not rule.executes:
            return mangled
        extra = rule.ms if kind is Kind.LATENCY else 0
        self._later(request, delay_ms + extra, lambda reply: _deliver(rule, mangled or reply, connection))
        return None


def _deliver(rule: Rule, reply: Reply, connection: Connection) -> None:
    """Send the reply of a request that was carried out, the way the rule wants it."""
    kind = rule.kind
    if kind is Kind.TIMEOUT_AFTER:
        return
    if kind is Kind.RESET_AFTER:
        connection.reset()
        return
    if kind is Kind.RESET_MIDWAY:
        whole = reply.encode()
        connection.write(whole[: len(whole) - (len(reply.body) + 1) // 2])
        # Only what has left the transport's own buffer arrives: the reset waits for the loop's next rounds.
        asyncio.get_running_loop().call_later(FLUSH_S, connection.reset)
        return
    if kind is Kind.SLOW_REPLY:
        asyncio.get_running_loop().call_later(rule.ms / 1000, connection.reply, reply)
        return
    if kind is Kind.DUPLICATE_REPLY:
        connection.write(reply.encode())
    connection.reply(reply)


def _mangled(rule: Rule) -> Reply | None:
    """Return the reply that replaces the true one, or None when the true one goes out."""
    retry = f"Retry-After: {rule.retry_after}\r\n" if rule.retry_after is not None else ""
    body = rule.body.encode() if rule.body is not None else None
    if rule.kind is Kind.HTTP_STATUS:
        return Reply(rule.status, UNKNOWN_OUTCOME if body is None else body, retry)
    if rule.kind is Kind.GARBAGE:
        return Reply(rule.status or 200, GARBAGE if body is None else body, retry)
    if rule.kind is Kind.HTML:
        return Reply(rule.status or 502, HTML if body is None else body, retry, "text/html")
    if rule.kind is Kind.EMPTY:
        return Reply(rule.status or 200, b"", retry)
    return None
