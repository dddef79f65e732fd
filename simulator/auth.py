"""HMAC signatures over the text exactly as sent."""

from __future__ import annotations

import hmac


def sign(secret: bytes, text: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of `text`."""
    return hmac.digest(secret, text.encode(), "sha256").hex()


def verify(secret: bytes, text: str, signature: str) -> bool:
    """Compare in constant time; hex digits count in either case."""
    return hmac.compare_digest(sign(secret, text).encode(), signature.lower().encode())


def cut_signature(query: str, body: str) -> tuple[str, str | None]:
    """Return the signed text (query and body joined, without the signature pair) and the signature, or None.

    The pair may stand in either part and anywhere in it; nothing else is decoded or reordered.
    """
    query, found = _cut(query)
    if found is None and body:
        body, found = _cut(body)
    return query + body, found


def _cut(text: str) -> tuple[str, str | None]:
    start = text.rfind("signature=")
    if start < 0 or (start > 0 and text[start - 1] != "&"):
        return text, None
    stop = text.find("&", start)
    if stop < 0:
        return text[: max(0, start - 1)], text[start + 10 :]
    return text[:start] + text[stop + 1 :], text[start + 10 : stop]
