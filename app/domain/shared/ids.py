"""Identities, and ids that are functions of what they name.

A deterministic id lets a crashed or repeated run find what it already did: the same leader fill is the same
signal, the same (signal, follow, leg, attempt) is the same client order id, on any worker and after any restore.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NewType
from uuid import UUID

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Leg
from app.domain.shared.market import Symbol, Venue

UserId = NewType("UserId", int)
WhaleId = NewType("WhaleId", int)
AccountId = NewType("AccountId", int)
FollowId = NewType("FollowId", int)
SignalId = NewType("SignalId", UUID)
ClientOrderId = NewType("ClientOrderId", str)

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEG_LETTER: Final[Mapping[Leg, str]] = MappingProxyType({Leg.ENTRY: "e", Leg.EXIT: "x"})
_OUR_FORM: Final = re.compile(r"c[0-9a-z]{24}[ex][0-9a-z]")
ATTEMPTS_MAX: Final = 10_000


def derived_uuid(purpose: str, *parts: str) -> UUID:
    """Return the UUID that stands for `parts` under `purpose`: equal parts, equal id."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16, person=purpose.encode()[:16])
    number = int.from_bytes(digest.digest(), "big")
    # Version 8 and the RFC variant by hand: uuid.UUID takes `version=8` only from Python 3.14 on.
    number = number & ~(0xF << 76) | 8 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def leader_signal_id(whale: WhaleId, sym: Symbol, first_trade_id: str, part: int) -> SignalId:
    """Name the signal made of a leader's fills by the first of them; `part` tells a flip's two halves apart."""
    return SignalId(derived_uuid("leader-signal", str(whale), sym, first_trade_id, str(part)))


def requested_signal_id(requester: str, key: str) -> SignalId:
    """Name a signal that a person or program asked for by the requester and its idempotency key."""
    return SignalId(derived_uuid("asked-signal", requester, key))


def client_order_id(
    secret: bytes, signal: SignalId, follow: FollowId, leg: Leg, attempt: int
) -> ClientOrderId:
    """Return the 27 characters `[0-9a-z]` that name one attempt at the venue.

    `c` + 24 characters of a keyed 120-bit digest + leg letter + last digit of the attempt. It fits every venue's rule (the tightest,
    OKX, allows 32 letters and digits); the key keeps two deployments on one exchange account apart.
    """
    if not 0 <= attempt < ATTEMPTS_MAX:
        raise InvalidValue(f"An intent has at most {ATTEMPTS_MAX} attempts.", attempt=attempt)
    text = signal.bytes + follow.to_bytes(8, "big") + _LEG_LETTER[leg].encode() + attempt.to_bytes(2, "big")
    digest = hashlib.blake2b(text, digest_size=15, key=secret[:64], person=b"client-order-id")
    number = int.from_bytes(digest.digest(), "big")
    letters = []
    for _ in range(24):
        number, rest = divmod(number, 36)
        letters.append(_ALPHABET[rest])
    return ClientOrderId("c" + "".join(reversed(letters)) + _LEG_LETTER[leg] + _ALPHABET[attempt % 36])


def is_ours(name: str) -> bool:
    """Return whether an order's name at the venue has the form of `client_order_id`."""
    return _OUR_FORM.fullmatch(name) is not None


def stream_key(whale: WhaleId, venue: Venue, sym: Symbol) -> str:
    """Name the line in which one leader's signals on one market are carried out in order."""
    return f"{whale}:{venue}:{sym}"
