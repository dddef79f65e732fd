"""The API's part of the composition root: its use cases, readers and probes, on a running App."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from app.application.api_services import ApiServices, Probe
from app.application.risk.halts import ClearHalt, RaiseHalt
from app.application.risk.limits import ReadLimits, SetLimits
from app.application.signals.market_check import MarketCheck
from app.application.signals.submit import CloseFollowMarkets, ClosePosition, SubmitSignal
from app.application.users.accounts import AddAccount, VerifyAccount
from app.application.users.follows import ChangeTerms, PauseFollow, ResumeFollow, StartFollow
from app.application.users.keys import RevokeKey, RotateKey
from app.application.users.people import RegisterUser, RestoreUser, SuspendUser
from app.application.users.portfolio import ReadPortfolio, VenueMarks
from app.application.users.stop_follow import StopFollow
from app.application.users.tokens import Authenticate, IssueToken, RevokeTokens
from app.application.whales.manage import BanWhale, PauseWhale, RegisterWhale, ResumeWhale
from app.config.container import App, build
from app.config.database import behind
from app.config.heartbeat import is_alive
from app.config.logging import configure_logging
from app.config.settings import load
from app.infrastructure.postgres.readers_health import PostgresHealthReader
from app.infrastructure.postgres.readers_people import PostgresHaltReader, PostgresPeopleReader
from app.infrastructure.postgres.readers_signals import PostgresSignalReader, PostgresWhaleReader
from app.infrastructure.postgres.readers_trading import PostgresHeldMarkets, PostgresTradingReader
from app.infrastructure.postgres.token_revocation import TokenRevocation

_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def build_api() -> AsyncIterator[ApiServices]:
    """Build the App from the environment and yield what the API needs of it."""
    settings = load()
    configure_logging(level=settings.log_level, as_json=settings.log_format == "json")
    async with build(settings) as app:
        yield api_services(app)


def api_services(app: App) -> ApiServices:
    """Wire the API's use cases to a running App."""
    uow, clock, bell, venues, vault = app.uow, app.clock, app.bell, app.venues, app.vault
    held = PostgresHeldMarkets(app.engine)
    trading = PostgresTradingReader(app.engine)
    verify = VerifyAccount(uow, clock, venues, app.executions)
    limits = app.settings.platform_limits
    return ApiServices(
        authenticate=Authenticate(uow),
        issue_token=IssueToken(uow),
        revoke_tokens=RevokeTokens(uow, TokenRevocation(app.engine)),
        register_user=RegisterUser(uow),
        suspend_user=SuspendUser(uow, clock),
        restore_user=RestoreUser(uow),
        add_account=AddAccount(uow, vault, verify),
        verify_account=verify,
        rotate_key=RotateKey(uow, clock, vault, venues),
        revoke_key=RevokeKey(uow, held),
        start_follow=StartFollow(uow, clock),
        pause_follow=PauseFollow(uow, clock),
        resume_follow=ResumeFollow(uow, clock),
        stop_follow=StopFollow(uow, clock, held, CloseFollowMarkets(clock), bell),
        change_terms=ChangeTerms(uow),
        register_whale=RegisterWhale(uow),
        pause_whale=PauseWhale(uow, clock),
        resume_whale=ResumeWhale(uow, clock),
        ban_whale=BanWhale(uow, clock),
        submit_signal=SubmitSignal(uow, clock, bell, MarketCheck(venues), app.settings.entry_ttl),
        close_position=ClosePosition(uow, clock, bell, held),
        read_limits=ReadLimits(uow, limits),
        set_limits=SetLimits(uow, limits),
        raise_halt=RaiseHalt(uow, clock),
        clear_halt=ClearHalt(uow),
        read_portfolio=ReadPortfolio(trading, VenueMarks(venues)),
        people=PostgresPeopleReader(app.engine),
        whales=PostgresWhaleReader(app.engine),
        signals=PostgresSignalReader(app.engine),
        trading=trading,
        halts=PostgresHaltReader(app.engine),
        health=PostgresHealthReader(app.engine),
        metrics=app.metrics,
        render_metrics=lambda: (app.metrics.render(), _EXPOSITION),
        probes=_probes(app),
    )


def _probes(app: App) -> Mapping[str, Probe]:
    async def database() -> str | None:
        return await behind(app.engine)

    async def valkey() -> str | None:
        await app.redis.ping()
        return None

    async def worker() -> str | None:
        return (
            None
            if await is_alive(app.redis)
            else "No worker has been heard of for 15 seconds: run `copytrade work`."
        )

    return {"database": database, "valkey": valkey, "worker": worker}
