"""Signatures: an action is packed, hashed with its nonce and expiry, and the hash signed as EIP-712 data.

The signed hash is keccak(msgpack(action) + nonce + vault + expiry); the order of the action's fields is part of it. The
domain is the same for every action of every account, so its hash is made once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey
from Crypto.Hash import keccak

from app.infrastructure.exchanges.reading import Unreadable

_ORDER_OF_CURVE: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_KEY: Final = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})")
_EIP712: Final = b"\x19\x01"
MAINNET: Final = "a"
TESTNET: Final = "b"


@dataclass(frozen=True, slots=True)
class Signature:
    """The three parts of a signature as the venue reads them: r and s as 0x and 64 digits, v 27 or 28."""

    r: str
    s: str
    v: int


def keccak256(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256, which differs from SHA3-256 in its padding."""
    return keccak.new(data=data, digest_bits=256).digest()


def _domain() -> bytes:
    kinds = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    parts = (keccak256(kinds), keccak256(b"Exchange"), keccak256(b"1"), (1337).to_bytes(32, "big"), bytes(32))
    return keccak256(b"".join(parts))


_DOMAIN: Final = _domain()
_AGENT: Final = keccak256(b"Agent(string source,bytes32 connectionId)")
_SOURCES: Final = {source: keccak256(source.encode()) for source in (MAINNET, TESTNET)}


def source_of(base_url: str) -> str:
    """Return which of the venue's two chains an address serves: the test chain's host names say `testnet`."""
    return TESTNET if "testnet" in base_url else MAINNET


def action_hash(packed: bytes, *, nonce: int, expires_ms: int | None, vault: str | None) -> bytes:
    """Return the hash of a packed action; `vault` is an address, `expires_ms` the venue's time after which it refuses."""
    data = packed + nonce.to_bytes(8, "big")
    data += b"\x00" if vault is None else b"\x01" + address_bytes(vault)
    if expires_ms is not None:
        data += b"\x00" + expires_ms.to_bytes(8, "big")
    return keccak256(data)


def signature(secret: bytes, hashed: bytes, source: str) -> Signature:
    """Sign an action's hash; `secret` is the private key in hexadecimal. Raises Unreadable when it is none."""
    agent = keccak256(_AGENT + _SOURCES[source] + hashed)
    proof = private_key(secret).sign_recoverable(keccak256(_EIP712 + _DOMAIN + agent), hasher=None)
    return Signature(f"0x{proof[:32].hex()}", f"0x{proof[32:64].hex()}", 27 + proof[64])


def private_key(secret: bytes) -> PrivateKey:
    """Read a private key of 64 hexadecimal digits, with or without 0x; Unreadable when it is none."""
    found = _KEY.fullmatch(secret)
    number = int(found[1], 16) if found is not None else 0
    if not 0 < number < _ORDER_OF_CURVE:
        raise Unreadable("the secret is no private key")
    return PrivateKey(number.to_bytes(32, "big"))


def address_of(secret: bytes) -> str:
    """Return the address of a private key, in lower case; Unreadable when it is none."""
    public = private_key(secret).public_key.format(compressed=False)
    return f"0x{keccak256(public[1:])[12:].hex()}"


def address_bytes(text: str) -> bytes:
    """Read an address: 0x and 40 hexadecimal digits; Unreadable when it is none."""
    try:
        found = bytes.fromhex(text[2:]) if text.startswith("0x") and len(text) == 42 else b""
    except ValueError:
        found = b""
    if len(found) != 20:
        raise Unreadable("an address that is none")
    return found
