"""Signatures: HMAC-SHA256, in base64, over the ISO timestamp, the method, the path with its query, and the body."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Final

from app.domain.shared.clock import from_epoch_ms

KEY_HEADER: Final = "OK-ACCESS-KEY"
EXPIRY_HEADER: Final = "expTime"


def iso(at_ms: int) -> str:
    """Return the venue's spelling of a time: UTC with milliseconds, `2020-12-08T09:08:57.715Z`."""
    return from_epoch_ms(at_ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def signature(secret: bytes, text: str) -> str:
    """Return what proves `text`."""
    return b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()


def signed_headers(
    api_key: str, secret: bytes, passphrase: str, *, method: str, target: str, body: str, timestamp_ms: int
) -> dict[str, str]:
    """Return the headers of a request; `target` is the path with its query. The venue takes it within 30 s."""
    stamp = iso(timestamp_ms)
    return {
        KEY_HEADER: api_key,
        "OK-ACCESS-SIGN": signature(secret, f"{stamp}{method}{target}{body}"),
        "OK-ACCESS-TIMESTAMP": stamp,
        "OK-ACCESS-PASSPHRASE": passphrase,
    }


def expiry(signed_ms: int, valid_ms: int) -> dict[str, str]:
    """Return the header behind which the venue no longer carries an order out: the fence."""
    return {EXPIRY_HEADER: str(signed_ms + valid_ms)}
