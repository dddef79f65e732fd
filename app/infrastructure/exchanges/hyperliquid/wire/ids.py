"""Our client order ids as the venue's cloids, and back: 128 bits, written 0x and 32 hexadecimal digits.

An id of ours is `c`, 24 characters of base 36 that write 120 bits, and two characters that tell the leg and the attempt.
The first byte of a cloid tells how the other fifteen are to be read, so that every id of our own form comes back as it
was. An id of another form is hashed: it is found by whoever asks for it, but a report cannot name it. What the owner's
other programs use as cloids is passed on as it stands, and is nobody's id here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from app.domain.shared.ids import ClientOrderId

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEGS: Final = "exstplr"
"""Letters that tell a leg: entry and exit are in use, stop-loss and take-profit and others have room."""

_COUNTED: Final = 255
"""The fifteen bytes are all 26 characters: ids that count instead of being digests."""

_HASHED: Final = 254
_ROOM: Final = 1 << 120
_OURS: Final = re.compile(r"c[0-9a-z]{26}")
_CLOID: Final = re.compile(r"0x[0-9a-fA-F]{32}")


def _base36(number: int, width: int) -> str:
    letters = []
    for _ in range(width):
        number, rest = divmod(number, 36)
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))


def cloid_of(client_order_id: str) -> str:
    """Return the cloid that stands for a client order id, the same each time."""
    if _OURS.fullmatch(client_order_id):
        number, leg = int(client_order_id[1:25], 36), _LEGS.find(client_order_id[25])
        if number < _ROOM and leg >= 0:
            return _written(leg * 36 + _ALPHABET.index(client_order_id[26]), number)
        whole = int(client_order_id[1:], 36)
        if whole < _ROOM:
            return _written(_COUNTED, whole)
    digest = hashlib.blake2b(client_order_id.encode(), digest_size=15, person=b"hyperliquid").digest()
    return _written(_HASHED, int.from_bytes(digest, "big"))


def _written(kind: int, number: int) -> str:
    return f"0x{kind:02x}{number:030x}"


def id_of(cloid: str | None) -> ClientOrderId:
    """Return the client order id that a cloid stands for; the cloid itself when it is none of ours, empty for none."""
    if cloid is None or not _CLOID.fullmatch(cloid):
        return ClientOrderId(cloid or "")
    value = int(cloid, 16)
    kind, number = value >> 120, value & (_ROOM - 1)
    if kind == _COUNTED:
        found = "c" + _base36(number, 26)
    elif kind < len(_LEGS) * 36:
        leg, attempt = divmod(kind, 36)
        found = "c" + _base36(number, 24) + _LEGS[leg] + _ALPHABET[attempt]
    else:
        return ClientOrderId(cloid)
    return ClientOrderId(found if cloid_of(found) == cloid.lower() else cloid)
