"""The two doors of Hyperliquid: /info answers anybody, /exchange takes what an account's agent has signed.

An action passes the address's limit, its form, its signer, its nonce and its expiry, in this order. With injected latency the
expiry is looked at again when the action is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.http import Reply, Request
from simulator.hyperliquid.actions import ACTIONS
from simulator.hyperliquid.addresses import Addresses
from simulator.hyperliquid.auth import BadSignature, connection_id, signers
from simulator.hyperliquid.errors import ActionError, Unprocessable, refused, unprocessable
from simulator.hyperliquid.info import QUESTIONS, Question
from simulator.hyperliquid.limits import Actions, Nonces, Weights, info_weight, rows_weight
from simulator.hyperliquid.params import Fields, Signed, canonical, of_body
from simulator.limits import Throttled

INFO, EXCHANGE = "/info", "/exchange"
BATCH_FREE = 40
EXPIRED_COSTS = 5


class HyperliquidRest:
    """Answers every request of this dialect."""

    def __init__(self, exchange: Exchange, weights: Weights, addresses: Addresses) -> None:
        self._exchange = exchange
        self._weights = weights
        self._addresses = addresses
        self.actions = Actions()
        self._nonces = Nonces()

    def account_of(self, request: Request) -> Account | None:
        """Return whom a request is about: who signed it, or whose address it asks for."""
        try:
            fields = of_body(request.body)
            if request.path == EXCHANGE:
                return self._signer(Signed.of(fields))[1]
            return self._addresses.user(fields.address("user"))
        except (Unprocessable, ActionError):
            return None

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""
        if request.method != "POST":
            return Reply(405, b"Method Not Allowed", content_type="text/plain")
        try:
            fields = of_body(request.body)
            if request.path == INFO:
                return self._asked(request, fields)
            return self._acted(request, Signed.of(fields))
        except Unprocessable:
            return unprocessable()
        except ActionError as error:
            return refused(error)
        except Throttled:
            return Reply(429, b"null")

    def _asked(self, request: Request, fields: Fields) -> Reply | Callable[[bool], Reply]:
        kind = fields.text("type")
        answer = QUESTIONS.get(kind)
        if answer is None:
            return unprocessable()
        self._weights.take(request.peer, info_weight(kind), self._exchange.state.now())
        return partial(self._answer, request.peer, kind, answer, fields)

    def _answer(
        self, peer: str, kind: str, answer: Callable[[Question], object], fields: Fields, delayed: bool
    ) -> Reply:
        try:
            found = answer(Question(self._exchange, self._addresses, self.actions, fields))
            self._weights.take(peer, rows_weight(kind, found), self._exchange.state.now())
        except Unprocessable:
            return unprocessable()
        except Throttled:
            return Reply(429, b"null")
        return Reply(200, orjson.dumps(found))

    def _acted(self, request: Request, signed: Signed) -> Reply | Callable[[bool], Reply]:
        now = self._exchange.state.now()
        kind = signed.action.text("type")
        rows = signed.action.values.get("orders" if kind == "order" else "cancels")
        count = len(rows) if isinstance(rows, list) and rows else 1
        self._weights.take(request.peer, 1 + count // BATCH_FREE, now)
        signer, account = self._signer(signed)
        self._nonces.take(signer, signed.nonce, now)
        if kind not in ACTIONS:
            raise ActionError(f"Action {kind} is not simulated.")
        late = signed.expires_after is not None and now > signed.expires_after
        self.actions.take(account, EXPIRED_COSTS if late else count, cancels=kind.startswith("cancel"))
        check_expiry(signed, now)
        return partial(self._carry_out, signed, account)

    def _signer(self, signed: Signed) -> tuple[str, Account]:
        """Return who signed and for whom; somebody unknown is refused under the address that was recovered."""
        action = canonical(signed.action)
        try:
            found = signers(
                connection_id(action, signed.nonce, signed.vault, signed.expires_after),
                signed.r,
                signed.s,
                signed.v,
            )
        except BadSignature:
            raise ActionError("Invalid signature.") from None
        for signer in found:
            account = self._addresses.signed_for(signer, signed.vault)
            if account is not None:
                return signer, account
        if signed.vault is not None and any(self._addresses.signed_for(signer, None) for signer in found):
            raise ActionError(f"Vault not registered: {signed.vault}")
        raise ActionError(f"User or API Wallet {found[0]} does not exist.")

    def _carry_out(self, signed: Signed, account: Account, delayed: bool) -> Reply:
        try:
            if delayed:
                check_expiry(signed, self._exchange.state.now())
            return ACTIONS[signed.action.text("type")](self._exchange, account, signed.action)
        except Unprocessable:
            return unprocessable()
        except ActionError as error:
            return refused(error)


def check_expiry(signed: Signed, now_ms: int) -> None:
    """Refuse an action later than it may be carried out."""
    if signed.expires_after is not None and now_ms > signed.expires_after:
        raise ActionError(f"Action expired: expiresAfter {signed.expires_after} is before {now_ms}.")
