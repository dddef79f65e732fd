"""The API's services on a real database, a real vault and a pretended venue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.api_services import ApiServices
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
from app.domain.risk.limits import Limits
from app.infrastructure.clock import SystemClock
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from app.infrastructure.postgres.readers_health import PostgresHealthReader
from app.infrastructure.postgres.readers_people import PostgresHaltReader, PostgresPeopleReader
from app.infrastructure.postgres.readers_signals import PostgresSignalReader, PostgresWhaleReader
from app.infrastructure.postgres.readers_trading import PostgresHeldMarkets, PostgresTradingReader
from app.infrastructure.postgres.token_revocation import TokenRevocation
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from app.infrastructure.telemetry import CONTENT_TYPE, PrometheusMetrics
from app.infrastructure.vault import AesGcmVault
from tests.integration.api.venue import PretendedVenue, RecordingBell

PLATFORM = Limits(leverage_max=20, order_notional_max=Decimal(10_000))


@dataclass(slots=True)
class Outside:
    """What the services meet outside the process, for a test to set and to look at."""

    venue: PretendedVenue = field(default_factory=PretendedVenue)
    bell: RecordingBell = field(default_factory=RecordingBell)
    probe_fault: str | None = None
    probe_error: Exception | None = None

    async def probe(self) -> str | None:
        if self.probe_error is not None:
            raise self.probe_error
        return self.probe_fault


def make_services(engine: AsyncEngine, outside: Outside) -> ApiServices:
    clock, metrics = SystemClock(), PrometheusMetrics()

    def uow() -> PostgresUnitOfWork:
        return PostgresUnitOfWork(engine, clock)

    venue, bell = outside.venue, outside.bell
    vault = AesGcmVault({"k1": b"v" * 32}, "k1")
    verify = VerifyAccount(uow, clock, venue, PostgresExecutionBook(engine, clock))
    held, trading = PostgresHeldMarkets(engine), PostgresTradingReader(engine)
    return ApiServices(
        authenticate=Authenticate(uow),
        issue_token=IssueToken(uow),
        revoke_tokens=RevokeTokens(uow, TokenRevocation(engine)),
        register_user=RegisterUser(uow),
        suspend_user=SuspendUser(uow, clock),
        restore_user=RestoreUser(uow),
        add_account=AddAccount(uow, vault, verify),
        verify_account=verify,
        rotate_key=RotateKey(uow, clock, vault, venue),
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
        submit_signal=SubmitSignal(uow, clock, bell, MarketCheck(venue), timedelta(seconds=10)),
        close_position=ClosePosition(uow, clock, bell, held),
        read_limits=ReadLimits(uow, PLATFORM),
        set_limits=SetLimits(uow, PLATFORM),
        raise_halt=RaiseHalt(uow, clock),
        clear_halt=ClearHalt(uow),
        read_portfolio=ReadPortfolio(trading, VenueMarks(venue)),
        people=PostgresPeopleReader(engine),
        whales=PostgresWhaleReader(engine),
        signals=PostgresSignalReader(engine),
        trading=trading,
        halts=PostgresHaltReader(engine),
        health=PostgresHealthReader(engine),
        metrics=metrics,
        render_metrics=lambda: (metrics.render(), CONTENT_TYPE),
        probes={"database": outside.probe},
    )
