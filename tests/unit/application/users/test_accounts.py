"""Adding and verifying accounts: what the venue says decides, and only about the key it was asked about."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.application.users.accounts import AddAccount, VerifyAccount
from app.application.users.keys import KeyRejected, RotateKey
from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable, VenueUnsupported
from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import AccountId, UserId
from app.domain.shared.market import Venue
from app.domain.users.account import RIGHTS_UNTOLD, ApiKey, KeyState, TradingAccount
from app.domain.users.user import Role
from tests.fakes.clock import FakeClock
from tests.fakes.memory_people import ACCOUNTS
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork
from tests.unit.application.users.venue import GOOD, UNKNOWN_KEY, UNTOLD, PlainVault, PretendedVenue, Wallets

KEY = ApiKey("key", "secret")


class World:
    def __init__(self) -> None:
        self.store, self.clock = Store(), FakeClock()
        self.venue, self.vault, self.wallets = PretendedVenue(), PlainVault(), Wallets()
        self.verify = VerifyAccount(self.unit, self.clock, self.venue, self.wallets)
        self.add = AddAccount(self.unit, self.vault, self.verify)
        self.rotate = RotateKey(self.unit, self.clock, self.vault, self.venue)

    def unit(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.store)

    async def user(self) -> UserId:
        async with self.unit() as work:
            user = await work.users.add("Ada", Role.FOLLOWER)
            await work.commit()
        return user.id

    async def account(self, account_id: AccountId) -> TradingAccount:
        async with self.unit() as work:
            return await work.accounts.get(account_id)


@pytest.mark.parametrize(
    ("facts", "state", "has_key", "has_wallet"),
    [
        (GOOD, KeyState.VERIFIED, True, True),
        (KeyFacts(can_trade=True, can_withdraw=True, ip_restricted=True), KeyState.REFUSED, False, False),
        (KeyFacts(can_trade=False, can_withdraw=True, ip_restricted=True), KeyState.REFUSED, False, False),
        (KeyFacts(can_trade=False, can_withdraw=False, ip_restricted=True), KeyState.REFUSED, True, False),
    ],
)
async def test_only_a_key_that_trades_and_cannot_withdraw_is_verified(
    facts: KeyFacts, state: KeyState, has_key: bool, has_wallet: bool
) -> None:
    world = World()
    world.venue.facts = facts
    made = await world.add(await world.user(), Venue.BINANCE_USDM, "main", KEY)
    stored = await world.account(made.id)
    assert (stored.key_state, bool(stored.sealed)) == (state, has_key)
    assert world.wallets.written == ({made.id: Decimal(100)} if has_wallet else {})


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (VenueUnavailable("Silence."), KeyState.UNVERIFIED),
        (VenueRefused("Odd.", RefusalKind.CLOCK, "-1021"), KeyState.UNVERIFIED),
        (UNKNOWN_KEY, KeyState.REFUSED),
    ],
)
async def test_no_answer_leaves_a_key_unverified_and_a_refusal_refuses_it(
    error: VenueUnavailable | VenueRefused, state: KeyState
) -> None:
    world = World()
    world.venue.error = error
    made = await world.add(await world.user(), Venue.BINANCE_USDM, "main", KEY)
    assert (await world.account(made.id)).key_state is state


@pytest.mark.parametrize(
    ("unread", "state", "reason"),
    [
        (None, KeyState.VERIFIED, RIGHTS_UNTOLD),
        (UNKNOWN_KEY, KeyState.REFUSED, "The venue does not accept the key."),
        (VenueUnavailable("Silence."), KeyState.UNVERIFIED, ""),
        (VenueRefused("Odd.", RefusalKind.CLOCK, "-1021"), KeyState.UNVERIFIED, ""),
    ],
)
async def test_where_the_rights_of_a_key_are_not_told_a_private_read_decides(
    unread: VenueUnavailable | VenueRefused | None, state: KeyState, reason: str
) -> None:
    world = World()
    world.venue.error, world.venue.unread = UNTOLD, unread
    made = await world.add(await world.user(), Venue.CCXT_GATE, "main", KEY)
    stored = await world.account(made.id)
    assert (stored.key_state, stored.key_reason, bool(stored.sealed)) == (state, reason, True)
    assert world.wallets.written == ({made.id: Decimal(100)} if unread is None else {})


async def test_a_position_mode_that_is_not_told_is_one_way_only_where_no_other_is_served() -> None:
    world = World()
    world.venue.error, world.venue.mode = UNTOLD, None
    owner = await world.user()
    made = await world.add(owner, Venue.CCXT_HTX, "main", KEY)
    assert (made.key_state, made.hedged) == (KeyState.VERIFIED, False)
    other = await world.add(owner, Venue.CCXT_MEXC, "main", KEY)
    assert other.key_state is KeyState.UNVERIFIED
    with pytest.raises(VenueUnsupported):
        await world.verify(owner, other.id)


async def test_a_new_key_whose_rights_are_not_told_replaces_the_old_one_when_it_can_read() -> None:
    world = World()
    owner = await world.user()
    made = await world.add(owner, Venue.CCXT_GATE, "main", KEY)
    world.venue.error, world.venue.unread = UNTOLD, UNKNOWN_KEY
    with pytest.raises(VenueRefused):
        await world.rotate(owner, made.id, ApiKey("other", "secret"))
    assert await world.account(made.id) == made
    world.venue.unread = None
    rotated = await world.rotate(owner, made.id, ApiKey("other", "secret"))
    assert (rotated.key_state, rotated.key_reason) == (KeyState.VERIFIED, RIGHTS_UNTOLD)
    assert rotated.sealed != made.sealed


async def test_an_answer_about_a_key_that_was_replaced_meanwhile_changes_nothing() -> None:
    world = World()
    owner = await world.user()
    made = await world.add(owner, Venue.BINANCE_USDM, "main", KEY)

    def replaced() -> None:
        place = (ACCOUNTS.name, made.id)
        now = world.store.rows[place]
        assert isinstance(now, TradingAccount)
        now.sealed = b"another key"

    world.venue.meanwhile = replaced
    world.venue.error = UNKNOWN_KEY
    verified = await world.verify(owner, made.id)
    assert (verified.key_state, verified.sealed) == (KeyState.VERIFIED, b"another key")


async def test_a_rejected_new_key_leaves_the_account_as_it_was() -> None:
    world = World()
    owner = await world.user()
    made = await world.add(owner, Venue.BINANCE_USDM, "main", KEY)
    before = await world.account(made.id)
    world.venue.facts = KeyFacts(can_trade=True, can_withdraw=True, ip_restricted=True)
    with pytest.raises(KeyRejected):
        await world.rotate(owner, made.id, ApiKey("other", "secret"))
    assert await world.account(made.id) == before


async def test_anothers_account_is_not_found_whatever_is_asked_of_it() -> None:
    world = World()
    made = await world.add(await world.user(), Venue.BINANCE_USDM, "main", KEY)
    stranger = await world.user()
    with pytest.raises(NotFound):
        await world.verify(stranger, made.id)
    with pytest.raises(NotFound):
        await world.rotate(stranger, made.id, KEY)
