from __future__ import annotations

import traceback

import pytest

from app.domain.shared.errors import IllegalTransition
from app.domain.shared.ids import AccountId, UserId
from app.domain.shared.market import Venue
from app.domain.users.account import (
    KEY_LIFECYCLE,
    ApiKey,
    KeyChange,
    KeyPermissions,
    KeyState,
    TradingAccount,
)
from app.domain.users.events import KeyRefused
from tests.unit.domain.builders import NOW, check_step, every_pair

U, V, R, X = KeyState.UNVERIFIED, KeyState.VERIFIED, KeyState.REFUSED, KeyState.REVOKED
ROWS = [
    *((state, KeyChange.VERIFY, V) for state in (U, V, R)),
    *((state, KeyChange.REFUSE, R) for state in (U, V, R)),
    *((state, KeyChange.REVOKE, X) for state in (U, V, R)),
]
SECRETS = ("the-key-itself", "the-secret-itself", "the-passphrase-itself")


def account(state: KeyState = U) -> TradingAccount:
    return TradingAccount(
        AccountId(4), UserId(2), Venue.BINANCE_USDM, "main", b"sealed-blob", key_state=state
    )


@pytest.mark.parametrize(("state", "change", "after"), every_pair(KEY_LIFECYCLE, ROWS))
def test_each_change_of_a_key(state: KeyState, change: KeyChange, after: KeyState | None) -> None:
    check_step(KEY_LIFECYCLE, state, change, after)


@pytest.mark.parametrize("state", [U, V, R])
@pytest.mark.parametrize(
    ("trade", "withdraw", "bound", "after", "word"),
    [
        (True, False, True, V, ""),
        (True, False, False, V, "not bound to an IP"),
        (True, True, True, R, "may withdraw"),
        (False, True, True, R, "may withdraw"),
        (False, False, True, R, "may not trade"),
        (False, False, False, R, "may not trade"),
    ],
)
def test_a_key_is_judged_by_what_it_may_do(
    state: KeyState, after: KeyState, word: str, *, trade: bool, withdraw: bool, bound: bool
) -> None:
    one = account(state)
    one.judge(KeyPermissions(can_trade=trade, can_withdraw=withdraw, ip_restricted=bound), NOW)
    assert one.key_state is after
    assert word in one.key_reason
    assert (one.key_reason == "") is (word == "")
    events = one.events.take()
    assert events == ((KeyRefused(at=NOW, account_id=one.id, reason=one.key_reason),) if after is R else ())


def test_a_revoked_key_is_gone_and_is_never_judged_again() -> None:
    one = account(V)
    one.revoke()
    assert (one.key_state, one.sealed) == (X, b"")
    for harmless in (True, False):
        with pytest.raises(IllegalTransition):
            one.judge(KeyPermissions(can_trade=True, can_withdraw=not harmless, ip_restricted=True), NOW)
    assert one.key_state is X
    assert one.events.take() == ()


def test_an_opened_key_never_shows_its_parts() -> None:
    key = ApiKey(*SECRETS)
    try:
        raise RuntimeError(f"failed with {key} and {key!r} in {[key]} and {(key,)!s}")
    except RuntimeError as error:
        shown = "".join(traceback.format_exception(error))
    for secret in SECRETS:
        assert secret not in f"{key} {key!r}"
        assert secret not in shown
    assert key.secret == SECRETS[1]


def test_an_account_does_not_show_its_sealed_key() -> None:
    assert "sealed-blob" not in repr(account())
    assert "sealed-blob" not in str([account()])
