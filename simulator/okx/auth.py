"""Who asks: key, passphrase, timestamp and signature of a request or of a login."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime

from simulator.engine.account import Account
from simulator.engine.state import State
from simulator.okx.errors import ApiError

PASSPHRASE = "passphrase"  # noqa: S105 - a stated constant of a pretended exchange, no secret
"""The passphrase of every simulated account."""

WINDOW_MS = 30_000
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def sign(secret: bytes, text: str) -> str:
    """Return the base64 HMAC-SHA256 of `text`."""
    return b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()


def verify(secret: bytes, text: str, signature: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(sign(secret, text).encode(), signature.encode())


def epoch_ms(stamp: str) -> int | None:
    """Read an ISO timestamp in UTC as epoch ms, None for another text."""
    if not _ISO.fullmatch(stamp):
        return None
    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1000)
    except ValueError:
        return None


def authenticated(state: State, headers: Mapping[str, str], method: str, target: str, body: bytes) -> Account:
    """Return whose request it is, or raise ApiError."""
    names = ("ok-access-key", "ok-access-passphrase", "ok-access-sign", "ok-access-timestamp")
    for code, name in zip((50103, 50104, 50106, 50107), names, strict=True):
        if not headers.get(name):
            raise ApiError(code, f'Request header "{name.upper()}" cannot be empty.')
    key, passphrase, signature, stamp = (headers[name] for name in names)
    account = state.by_key.get(key)
    if account is None:
        raise ApiError(50111, "Invalid OK-ACCESS-KEY.")
    at_ms = epoch_ms(stamp)
    if at_ms is None:
        raise ApiError(50112, "Invalid OK-ACCESS-TIMESTAMP.")
    if abs(state.now() - at_ms) > WINDOW_MS:
        raise ApiError(50102, "Timestamp request expired.")
    if not verify(account.secret, f"{stamp}{method}{target}{body.decode()}", signature):
        raise ApiError(50113, "Invalid signature.")
    if passphrase != PASSPHRASE:
        raise ApiError(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
    return account
