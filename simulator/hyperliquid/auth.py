"""Who signed: an action's hash is rebuilt from the request and the signer's address recovered from the signature.

The two chains of the venue sign with different sources; this exchange stands for both, so either is right.
"""

from __future__ import annotations

import msgspec
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

SOURCES = ("a", "b")
HEX_DIGITS = 64


def digest(data: bytes) -> bytes:
    """Return Keccak-256."""
    return keccak.new(data=data, digest_bits=256).digest()


def word(text: str) -> bytes:
    """Return the hash of a text, as EIP-712 has texts."""
    return digest(text.encode())


DOMAIN = digest(
    word("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + word("Exchange")
    + word("1")
    + (1337).to_bytes(32, "big")
    + bytes(32)
)
AGENT = word("Agent(string source,bytes32 connectionId)")


class BadSignature(Exception):
    """The signature is none."""


def connection_id(action: object, nonce: int, vault: str | None, expires_after: int | None) -> bytes:
    """Return the hash that stands for an action; `vault` is an address in hexadecimal."""
    parts = [msgspec.msgpack.encode(action), nonce.to_bytes(8, "big")]
    parts += [b"\x00"] if vault is None else [b"\x01", bytes.fromhex(vault[2:])]
    if expires_after is not None:
        parts += [b"\x00", expires_after.to_bytes(8, "big")]
    return digest(b"".join(parts))


def signers(connection: bytes, r: str, s: str, v: int) -> list[str]:
    """Return the addresses that may have signed, one for each chain; raise BadSignature when it proves nothing."""
    try:
        proof = int(r, 16).to_bytes(32, "big") + int(s, 16).to_bytes(32, "big") + bytes([v - 27])
        return [address(_recovered(connection, source, proof)) for source in SOURCES]
    except Exception as error:  # the library raises plain ones
        raise BadSignature from error


def _recovered(connection: bytes, source: str, proof: bytes) -> PublicKey:
    message = digest(b"\x19\x01" + DOMAIN + digest(AGENT + word(source) + connection))
    return PublicKey.from_signature_and_message(proof, message, hasher=None)


def address(key: PublicKey) -> str:
    """Return the address of a public key."""
    return f"0x{digest(key.format(compressed=False)[1:])[-20:].hex()}"


def address_of(secret: bytes) -> str:
    """Return the address of a private key in hexadecimal; empty when the secret is none."""
    text = secret.decode(errors="replace").removeprefix("0x")
    try:
        return address(PrivateKey(bytes.fromhex(text)).public_key) if len(text) == HEX_DIGITS else ""
    except ValueError:
        return ""
