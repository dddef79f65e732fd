"""Nonces: numbers that a signer uses once, near the time in ms. The venue keeps the highest ones of each signer and
refuses one that it has seen, or that is lower than all it keeps.

The nonce of an order is its committed timestamp, so that the same order sent again, by whomever, is refused as a copy.
Two orders of one signer may share a millisecond: the later one takes the next that is free within its window, and keeps
it, should it be sent once more. What bounds a late execution is the expiry, which never moves.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from app.infrastructure.exchanges.reading import Unreadable

_KEPT: Final = 20
"""As many as the venue keeps of a signer at least: what is older cannot be on its way any more."""

_SIGNERS: Final = 20_000


class Nonces:
    """The nonces that this process has given out, the latest of each signer."""

    def __init__(self, kept: int = _KEPT, signers: int = _SIGNERS) -> None:
        self._kept = kept
        self._signers = signers
        self._used: OrderedDict[bytes, dict[int, str]] = OrderedDict()

    def take(self, secret: bytes, wanted_ms: int, until_ms: int, name: str = "") -> int:
        """Return `wanted_ms`, or the next ms that the signer has not used; the one it had when `name` asks again.

        Raises Unreadable when none is free up to `until_ms`.
        """
        used = self._of(hashlib.blake2b(secret, digest_size=16).digest())
        if name:
            earlier = next((nonce for nonce, known in used.items() if known == name), None)
            if earlier is not None:
                return earlier
        nonce = wanted_ms
        while nonce in used:
            nonce += 1
        if nonce > until_ms:
            raise Unreadable("no nonce is free within the window")
        used[nonce] = name
        while len(used) > self._kept:
            del used[next(iter(used))]
        return nonce

    def _of(self, signer: bytes) -> dict[int, str]:
        found = self._used.setdefault(signer, {})
        self._used.move_to_end(signer)
        while len(self._used) > self._signers:
            self._used.popitem(last=False)
        return found


NONCES: Final = Nonces()
"""Of the whole process: a signer is one, whichever account or pool it signs for."""
