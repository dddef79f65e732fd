"""What may be subscribed to on each of the three sockets, and by whom."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.engine.account import Account
from simulator.engine.instrument import Kind
from simulator.engine.refusal import Refusal
from simulator.engine.state import State
from simulator.okx.auth import PASSPHRASE, WINDOW_MS, verify
from simulator.okx.names import KINDS, OTHERS, instrument_of

PRIVATE, BUSINESS, PUBLIC = "/ws/v5/private", "/ws/v5/business", "/ws/v5/public"
CHANNELS: Mapping[str, frozenset[str]] = {
    PRIVATE: frozenset({"orders", "balance_and_position", "account", "positions"}),
    BUSINESS: frozenset({"orders-algo"}),
    PUBLIC: frozenset({"mark-price", "tickers"}),
}
BY_TYPE = frozenset({"orders", "orders-algo", "positions"})


class Refused(Exception):
    """The venue's code and text for a wish that it does not grant."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def login(state: State, argument: Mapping[str, object]) -> Account:
    """Return whose login it is, or raise Refused."""
    key, passphrase, stamp, proof = (
        str(argument.get(name, "")) for name in ("apiKey", "passphrase", "timestamp", "sign")
    )
    account = state.by_key.get(key)
    if account is None:
        raise Refused(60005, "Invalid apiKey")
    seconds = stamp.partition(".")[0]
    if not seconds.isascii() or not seconds.isdecimal() or len(seconds) > 12:
        raise Refused(60004, "Invalid timestamp")
    if abs(state.now() - int(seconds) * 1000) > WINDOW_MS:
        raise Refused(60006, "Timestamp request expired")
    if not verify(account.secret, f"{stamp}GET/users/self/verify", proof):
        raise Refused(60007, "Invalid sign")
    if passphrase != PASSPHRASE:
        raise Refused(60024, "Wrong passphrase")
    return account


def checked(state: State, path: str, argument: Mapping[str, object], *, known: bool) -> None:
    """Raise Refused unless this may be subscribed to; `known` says that the session logged in."""
    channel = str(argument.get("channel", ""))
    if channel not in CHANNELS[path]:
        raise Refused(60018, f"Wrong URL or channel:{channel[:40]} doesn't exist.")
    if path != PUBLIC and not known:
        raise Refused(60011, "Please log in")
    word = argument.get("instType")
    if channel in BY_TYPE and word not in KINDS and word not in OTHERS:
        raise Refused(60012, "Invalid request: instType")
    if path == PUBLIC or argument.get("instId"):
        try:
            found = instrument_of(state, str(argument.get("instId", "")))
        except Refusal:
            raise Refused(60018, "The instId doesn't exist.") from None
        if channel == "mark-price" and found.kind is Kind.SPOT:
            raise Refused(60018, "The instId doesn't exist.")


def concerns(argument: Mapping[str, object], channel: str, inst_type: str, inst_id: str) -> bool:
    """Say whether a subscription hears of a market on a channel."""
    if argument.get("channel") != channel:
        return False
    kind, name = argument.get("instType", "ANY"), argument.get("instId", inst_id)
    return kind in ("ANY", inst_type) and name == inst_id
