"""Proofs of the dialect: base64 HMAC-SHA256 over timestamp, method, path with query, and body; and the passphrase.

The engine keeps no passphrase: every account's is the same constant.
"""

from __future__ import annotations

import base64
import hmac

PASSPHRASE = "passphrase"  # noqa: S105 - what every pretended account answers to


def proves(secret: bytes, text: str, signature: str) -> bool:
    """Compare in constant time."""
    digest = base64.b64encode(hmac.digest(secret, text.encode(), "sha256"))
    return hmac.compare_digest(digest, signature.encode())
