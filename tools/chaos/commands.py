"""What each errand of a rehearsal's people is: one call of the use case behind the API, or one command of the CLI."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import typer
from sqlalchemy import text

from app.application.api_services import ApiServices
from app.application.signals.submit import RequestedSignal
from app.config.container import App
from app.domain.risk.halts import HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.errors import IllegalTransition
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.users.account import ApiKey
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from app.presentation.cli.operator import operator
from tools.chaos.market import PROTECTIONS
from tools.chaos.stage import terms_of

Result = Mapping[str, object]
Do = Callable[["Hands", Mapping[str, Any]], Awaitable[Result | None]]

_VENUE: Final = Venue.BINANCE_USDM
_TRACE: Final = "rehearsal"
_LIVE: Final = (
    "SELECT id FROM follows WHERE account_id = :account AND state <> 'STOPPED' ORDER BY id DESC LIMIT 1"
)
_LAST: Final = "SELECT id FROM follows WHERE account_id = :account ORDER BY id DESC LIMIT 1"
_LED: Final = "SELECT id FROM whales WHERE name = :name"
_OPENED: Final = "SELECT id FROM accounts WHERE label = :label ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Hands:
    """What the people have at hand; `cast` says who they are, in plain values."""

    app: App
    services: ApiServices
    cast: Mapping[str, Any]

    def person(self, errand: Mapping[str, Any]) -> tuple[UserId, AccountId]:
        """Return the user and the account of who asks."""
        user, account = self.cast["people"][errand["who"]]
        return UserId(user), AccountId(account)

    @property
    def whale(self) -> WhaleId:
        """The leader of all."""
        return WhaleId(self.cast["whale"])

    @property
    def desk(self) -> UserId:
        """The operator."""
        return UserId(self.cast["operator"])

    async def value(self, statement: str, **values: object) -> Any:
        """Return one value of the database."""
        async with self.app.engine.connect() as connection:
            return await connection.scalar(text(statement), values)

    async def follow(self, errand: Mapping[str, Any]) -> FollowId:
        """Return the person's follow that lives, else the last one."""
        account = self.person(errand)[1]
        return FollowId(await self.value(_LIVE, account=account) or await self.value(_LAST, account=account))


async def _close(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    user, _ = hands.person(errand)
    follow = await hands.follow(errand)
    fraction, symbol = Decimal(errand["fraction"]), Symbol(errand["symbol"])
    await hands.services.close_position(user, errand["key"], follow, symbol, fraction, _TRACE)
    return None


async def _stop(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    user, _ = hands.person(errand)
    follow = await hands.follow(errand)
    # One that is stopped already was stopped by the same errand, whose child did not live to tell.
    with contextlib.suppress(IllegalTransition):
        await hands.services.stop_follow(user, follow, close_positions=errand["close"], trace_id=_TRACE)
    return {"stopped": follow}


async def _start(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    user, account = hands.person(errand)
    terms = terms_of(errand["who"], PROTECTIONS)
    await hands.services.start_follow(user, hands.whale, account, terms)
    return None


async def _pause(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.pause_follow(hands.person(errand)[0], await hands.follow(errand))
    return None


async def _resume(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.resume_follow(hands.person(errand)[0], await hands.follow(errand))
    return None


async def _terms(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    terms = terms_of(errand["terms"], PROTECTIONS)
    await hands.services.change_terms(hands.person(errand)[0], await hands.follow(errand), terms)
    return None


async def _suspend(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.suspend_user(hands.person(errand)[0], "a rehearsal")
    return None


async def _restore(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.restore_user(hands.person(errand)[0])
    return None


async def _limits(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.set_limits(hands.person(errand)[0], Limits(positions_max=errand.get("positions")))
    return None


def _target(hands: Hands, errand: Mapping[str, Any]) -> tuple[HaltScope, str]:
    scope = HaltScope[errand["scope"]]
    return (
        scope,
        {
            HaltScope.PLATFORM: "",
            HaltScope.VENUE: _VENUE.value,
            HaltScope.USER: str(hands.person(errand)[0]),
        }[scope],
    )


async def _halt(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    scope, target = _target(hands, errand)
    halt = await hands.services.raise_halt(scope, target, "a rehearsal", close_positions=errand["close"])
    if not errand["close"]:
        return None
    return {
        "left_at": halt.at.isoformat(),
        "user": int(target) if scope is HaltScope.USER else None,
    }


async def _clear(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.clear_halt(*_target(hands, errand))
    return None


async def _pause_leader(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    del errand
    await hands.services.pause_whale(hands.whale, "a rehearsal")
    return None


async def _resume_leader(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    del errand
    await hands.services.resume_whale(hands.whale)
    return None


async def _submit(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    asked = RequestedSignal(
        whale_id=hands.whale,
        symbol=Symbol(errand["symbol"]),
        action=Action.REDUCE,
        side=Side(errand["side"]),
        quantity=Quantity(Decimal(1)),
        reference_price=Price(Decimal(1)),
        fraction=Decimal("0.5"),
    )
    await hands.services.submit_signal(hands.desk, errand["key"], asked, _TRACE)
    return None


async def _rotate(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    user, account = hands.person(errand)
    async with hands.app.uow() as work:
        held = await work.accounts.get(account)
    key = hands.app.vault.open(account, _VENUE, held.sealed)
    await hands.services.rotate_key(user, account, key)
    return None


async def _verify(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    await hands.services.verify_account(*hands.person(errand))
    return None


async def _token(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    user, _ = hands.person(errand)
    await hands.services.issue_token(user, "rehearsal")
    await hands.services.revoke_tokens(user, "rehearsal")
    return None


async def _register(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    del errand
    await hands.services.register_user("passer-by", Role.FOLLOWER)
    return None


async def _operator(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    """Run the CLI's command as it is; it prints a token, which nobody needs."""
    del hands, errand

    def run() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(typer.Exit):
            operator("rehearsal")

    await asyncio.to_thread(run)
    return None


async def _redrive(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    del errand
    for number in [event.id for event in await hands.app.relay.parked()] or [0]:
        await hands.app.relay.redrive(number)
    return None


def _rival(hands: Hands, errand: Mapping[str, Any]) -> str:
    del hands
    return f"rival-{errand['number']}"


async def _lead(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    name, opened = _rival(hands, errand), errand["account"]
    if await hands.value(_LED, name=name) is None:
        if await hands.value(_OPENED, label=name) is None:
            key = ApiKey(opened["api_key"], opened["api_secret"])
            await hands.services.add_account(hands.desk, _VENUE, name, key)
        account = AccountId(await hands.value(_OPENED, label=name))
        await hands.services.verify_account(hands.desk, account)
        await hands.services.register_whale(name, account, WhaleTier.STANDARD)
    return {"leads": opened["account_id"]}


async def _ban(hands: Hands, errand: Mapping[str, Any]) -> Result | None:
    name = _rival(hands, errand)
    led, account = await hands.value(_LED, name=name), await hands.value(_OPENED, label=name)
    if led is not None:
        with contextlib.suppress(IllegalTransition):
            await hands.services.ban_whale(WhaleId(led), "a rehearsal")
    if account is not None:
        await hands.services.revoke_key(hands.desk, AccountId(account))
    return None


COMMANDS: Final[Mapping[str, Do]] = {
    "close": _close,
    "stop": _stop,
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "terms": _terms,
    "suspend": _suspend,
    "restore": _restore,
    "limits": _limits,
    "halt": _halt,
    "clear": _clear,
    "pause leader": _pause_leader,
    "resume leader": _resume_leader,
    "submit": _submit,
    "rotate": _rotate,
    "verify": _verify,
    "token": _token,
    "register": _register,
    "operator": _operator,
    "redrive": _redrive,
    "lead": _lead,
    "ban": _ban,
}
