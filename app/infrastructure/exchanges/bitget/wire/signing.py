"""Signatures: HMAC-SHA256, in base64, over timestamp, method, path with query, and exactly the body that is sent."""

from __future__ import annotations

import base64
import hmac
from typing import Final

KEY_HEADER: Final = "ACCESS-KEY"


def signature(secret: bytes, text: str) -> str:
    """Return the base64 digest that proves `text`."""
    return base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()


def signed_headers(
    api_key: str, secret: bytes, passphrase: str, *, method: str, target: str, body: str, timestamp_ms: int
) -> dict[str, str]:
    """Return the headers of a request; `target` is the path with its query. The venue takes it for 30 s."""
    return {
        KEY_HEADER: api_key,
        "ACCESS-SIGN": signature(secret, f"{timestamp_ms}{method}{target}{body}"),
        "ACCESS-TIMESTAMP": str(timestamp_ms),
        "ACCESS-PASSPHRASE": passphrase,
        "locale": "en-US",
        "Content-Type": "application/json",
    }
