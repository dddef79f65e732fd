"""Signatures: HMAC-SHA256, in hexadecimal, over timestamp, key, window and exactly the query or body that is sent."""

from __future__ import annotations

import hmac
from typing import Final

KEY_HEADER: Final = "X-BAPI-API-KEY"


def signature(secret: bytes, text: str) -> str:
    """Return the 64 hexadecimal digits that prove `text`."""
    return hmac.digest(secret, text.encode(), "sha256").hex()


def signed_headers(
    api_key: str, secret: bytes, payload: str, *, timestamp_ms: int, window_ms: int
) -> dict[str, str]:
    """Return the headers of a request whose query (GET) or JSON body (POST) is `payload`.

    The venue takes it while server time - window <= timestamp < server time + 1 s.
    """
    return {
        KEY_HEADER: api_key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(window_ms),
        "X-BAPI-SIGN": signature(secret, f"{timestamp_ms}{api_key}{window_ms}{payload}"),
    }
