"""Trading accounts and their API keys. A key comes in and never goes out."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator, Field, SecretStr

from app.application.readers import PeopleReader
from app.application.users.accounts import AddAccount, VerifyAccount
from app.application.users.keys import RevokeKey, RotateKey
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey, KeyState, TradingAccount
from app.presentation.api.deps import Asking, PageQuery, Seeing, Services, admit, by_id, cursor_of
from app.presentation.api.fields import AddressId, Incoming, Label, Moment, Outgoing, example
from app.presentation.api.operations import ASKING_VENUE, CHANGING, OF_ONE, SIGNED_IN, failures, rules

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[Depends(admit)])

_ACCOUNT: Final[dict[str, Any]] = {
    "id": 7,
    "user_id": 5,
    "venue": "binance-usdm",
    "label": "main account",
    "key_state": "VERIFIED",
    "key_reason": "",
    "created_at": "2026-03-01T12:00:00Z",
}
_KEY: Final[dict[str, Any]] = {"key": "the key of the venue", "secret": "its secret"}
AccountInPath = Annotated[AddressId, Path(alias="account_id", description="The account's id.", examples=[7])]


def _printable_ascii(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable():
        raise ValueError("It must be printable ASCII.")
    return value


_Secret = Annotated[SecretStr, Field(min_length=1, max_length=4096), AfterValidator(_printable_ascii)]
_MaybeSecret = Annotated[SecretStr, Field(max_length=4096), AfterValidator(_printable_ascii)]


class AccountOut(Outgoing):
    """A trading account. Nothing is copied on it unless `key_state` is VERIFIED; `key_reason` says what is wrong."""

    model_config = example(**_ACCOUNT)

    id: int
    user_id: int
    venue: Venue
    label: str
    key_state: KeyState
    key_reason: str
    created_at: Moment


class AccountPage(Outgoing):
    """Trading accounts, newest first."""

    model_config = example(items=[_ACCOUNT], next="7")

    items: list[AccountOut]
    next: str | None


class KeyIn(Incoming):
    """An API key of the venue. It must be able to trade and unable to withdraw."""

    model_config = example(**_KEY)

    key: _Secret
    secret: _Secret
    passphrase: _MaybeSecret = SecretStr("")

    def opened(self) -> ApiKey:
        """Return the key as the domain knows it."""
        return ApiKey(
            self.key.get_secret_value(), self.secret.get_secret_value(), self.passphrase.get_secret_value()
        )


class NewAccount(Incoming):
    """A venue, a name for the account, and its key."""

    model_config = example(venue="binance-usdm", label="main account", api_key=_KEY)

    venue: Venue
    label: Label
    api_key: KeyIn


@router.get(
    "",
    operation_id="list_accounts",
    summary="List trading accounts",
    description=rules(PeopleReader.accounts),
    responses=failures(SIGNED_IN),
)
async def list_accounts(
    services: Services, seeing: Seeing, query: Annotated[PageQuery, Query()]
) -> AccountPage:
    page = await services.people.accounts(seeing, limit=query.limit, after=by_id(query.cursor))
    return AccountPage(
        items=[AccountOut.model_validate(row) for row in page.rows], next=cursor_of(page.after)
    )


@router.get(
    "/{account_id}",
    operation_id="read_account",
    summary="Read one trading account",
    description=rules(PeopleReader.account),
    responses=failures(OF_ONE),
)
async def read_account(services: Services, seeing: Seeing, account_id: AccountInPath) -> AccountOut:
    return AccountOut.model_validate(await services.people.account(seeing, AccountId(account_id)))


@router.post(
    "",
    operation_id="add_account",
    status_code=201,
    summary="Add a trading account with its key",
    description=rules(AddAccount),
    responses=failures(ASKING_VENUE),
)
async def add_account(services: Services, caller: Asking, body: NewAccount, response: Response) -> AccountOut:
    account = await services.add_account(caller.user_id, body.venue, body.label, body.api_key.opened())
    response.headers["Location"] = f"/v1/accounts/{account.id}"
    return await _changed(services, account)


@router.post(
    "/{account_id}/verify",
    operation_id="verify_account",
    summary="Verify an account's key",
    description=rules(VerifyAccount),
    responses=failures(ASKING_VENUE),
)
async def verify_account(services: Services, caller: Asking, account_id: AccountInPath) -> AccountOut:
    return await _changed(services, await services.verify_account(caller.user_id, AccountId(account_id)))


@router.put(
    "/{account_id}/key",
    operation_id="rotate_key",
    summary="Replace an account's key",
    description=rules(RotateKey),
    responses=failures(ASKING_VENUE),
)
async def rotate_key(
    services: Services, caller: Asking, account_id: AccountInPath, body: KeyIn
) -> AccountOut:
    rotated = await services.rotate_key(caller.user_id, AccountId(account_id), body.opened())
    return await _changed(services, rotated)


@router.delete(
    "/{account_id}/key",
    operation_id="revoke_key",
    summary="Give up an account's key",
    description=rules(RevokeKey),
    responses=failures(CHANGING),
)
async def revoke_key(services: Services, caller: Asking, account_id: AccountInPath) -> AccountOut:
    return await _changed(services, await services.revoke_key(caller.user_id, AccountId(account_id)))


async def _changed(services: Services, account: TradingAccount) -> AccountOut:
    return AccountOut.model_validate(await services.people.account(account.user_id, account.id))
