"""Signatures: HMAC-SHA256, in hexadecimal, over exactly the text that is sent; `signature` is its last pair."""

from __future__ import annotations

import hmac
from urllib.parse import quote


def signature(secret: bytes, text: str) -> str:
    """Return the 64 hexadecimal digits that prove `text`."""
    return hmac.digest(secret, text.encode(), "sha256").hex()


def signed(secret: bytes, text: str) -> str:
    """Return `text` followed by its signature."""
    return f"{text}&signature={hmac.digest(secret, text.encode(), 'sha256').hex()}"


def encoded(value: str) -> str:
    """Percent-encode one value; it is encoded before it is signed, so what is signed is what is sent."""
    return value if value.isalnum() and value.isascii() else quote(value, safe="")
