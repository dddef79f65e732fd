"""The vault opens what it sealed, for that account alone, and says nothing of a secret."""

from __future__ import annotations

import base64
import traceback

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.vault import AesGcmVault, VaultError, key_from_text

VENUE = Venue.BINANCE_USDM
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CANARIES = ApiKey(key="key-canary", secret="secret-canary", passphrase="phrase-canary")
ME = AccountId(7)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def vault() -> AesGcmVault:
    return AesGcmVault({"k1": OLD}, "k1")


@given(TEXTS, TEXTS, TEXTS, st.integers(1, 2**63 - 1))
def test_what_was_sealed_opens(key: str, secret: str, passphrase: str, account: int) -> None:
    opened = ApiKey(key, secret, passphrase)
    sealed = vault().seal(AccountId(account), VENUE, opened)
    assert vault().open(AccountId(account), VENUE, sealed) == opened


def test_sealing_twice_gives_two_blobs_without_a_readable_part() -> None:
    one, two = (vault().seal(ME, VENUE, CANARIES) for _ in range(2))
    assert one != two
    assert b"canary" not in one + two


def test_a_blob_moved_to_another_account_does_not_open() -> None:
    sealed = vault().seal(ME, VENUE, CANARIES)
    with pytest.raises(VaultError):
        vault().open(AccountId(8), VENUE, sealed)


def test_venue_and_key_name_are_bound_to_the_blob() -> None:
    sealed = vault().seal(ME, VENUE, CANARIES)
    for bound in (b"1|k1|binance-spot|7", b"1|k2|binance-usdm|7", b"2|k1|binance-usdm|7"):
        with pytest.raises(InvalidTag):
            AESGCM(OLD).decrypt(sealed[4:16], sealed[16:], bound)
    assert AESGCM(OLD).decrypt(sealed[4:16], sealed[16:], b"1|k1|binance-usdm|7")
    renamed = AesGcmVault({"k1": OLD, "k2": OLD}, "k1")
    with pytest.raises(VaultError):
        renamed.open(ME, VENUE, sealed.replace(b"k1", b"k2", 1))


@given(st.data())
def test_no_damaged_blob_opens_and_none_breaks_otherwise(data: st.DataObject) -> None:
    sealed = bytearray(vault().seal(ME, VENUE, CANARIES))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError):
        vault().open(ME, VENUE, bytes(sealed))
    with pytest.raises(VaultError):
        vault().open(ME, VENUE, bytes(sealed[:place]))


@given(st.binary(max_size=60))
def test_no_other_bytes_open(blob: bytes) -> None:
    with pytest.raises(VaultError):
        vault().open(ME, VENUE, blob)


def test_resealing_moves_a_blob_to_the_active_key() -> None:
    sealed = vault().seal(ME, VENUE, CANARIES)
    ring = AesGcmVault({"k1": OLD, "k2": NEW}, "k2")
    assert ring.open(ME, VENUE, sealed) == CANARIES
    assert not ring.is_current(sealed)
    moved = ring.reseal(ME, VENUE, sealed)
    assert ring.is_current(moved)
    assert ring.reseal(ME, VENUE, moved) == moved
    assert AesGcmVault({"k2": NEW}, "k2").open(ME, VENUE, moved) == CANARIES
    with pytest.raises(VaultError):
        AesGcmVault({"k2": NEW}, "k2").open(ME, VENUE, sealed)
    with pytest.raises(VaultError):
        ring.reseal(AccountId(8), VENUE, sealed)
    assert not ring.is_current(b"")


def test_no_text_of_the_vault_holds_a_secret() -> None:
    made = vault()
    sealed = made.seal(ME, VENUE, CANARIES)
    shown = [repr(made), str(made), repr(CANARIES), str(CANARIES)]
    for account, blob in ((AccountId(8), sealed), (ME, sealed[:-1])):
        with pytest.raises(VaultError) as caught:
            made.open(account, VENUE, blob)
        shown += ["".join(traceback.format_exception(caught.value)), repr(caught.value.context)]
        assert caught.value.code == "vault_error"
        assert caught.value.__cause__ is None
    for text in shown:
        assert "canary" not in text
        assert repr(OLD) not in text
        assert OLD.hex() not in text


@pytest.mark.parametrize(
    ("keys", "active"),
    [
        ({"k1": OLD}, "k2"),
        ({}, "k1"),
        ({"k1": OLD[:-1]}, "k1"),
        ({"K 1": OLD}, "K 1"),
        ({"": OLD}, ""),
        ({"k" * 33: OLD}, "k" * 33),
        ({"k1|": OLD}, "k1|"),
    ],
)
def test_a_malformed_ring_is_refused(keys: dict[str, bytes], active: str) -> None:
    with pytest.raises(InvalidValue):
        AesGcmVault(keys, active)


@pytest.mark.parametrize("padding", ["", "="])
def test_key_material_is_read_from_base64url(padding: str) -> None:
    key = bytes([251, 255] * 16)
    text = base64.urlsafe_b64encode(key).decode().rstrip("=") + padding
    assert key_from_text(text) == key


@pytest.mark.parametrize(
    "text", ["", "short", "A" * 42, "A" * 44, "+" * 43, "ä" * 43, "A" * 42 + " ", "A" * 43 + "\n"]
)
def test_other_key_material_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        key_from_text(text)
    assert text not in str(caught.value) or not text
