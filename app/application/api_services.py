"""What the API needs: every use case, reader and probe by name; the container fills it, the routes read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.application.readers import (
    HaltReader,
    HealthReader,
    PeopleReader,
    SignalReader,
    TradingReader,
    WhaleReader,
)
from app.application.risk.halts import ClearHalt, RaiseHalt
from app.application.risk.limits import ReadLimits, SetLimits
from app.application.shared.telemetry import Metrics
from app.application.signals.submit import ClosePosition, SubmitSignal
from app.application.users.accounts import AddAccount, VerifyAccount
from app.application.users.follows import ChangeTerms, PauseFollow, ResumeFollow, StartFollow
from app.application.users.keys import RevokeKey, RotateKey
from app.application.users.people import RegisterUser, RestoreUser, SuspendUser
from app.application.users.portfolio import ReadPortfolio
from app.application.users.stop_follow import StopFollow
from app.application.users.tokens import Authenticate, IssueToken, RevokeTokens
from app.application.whales.manage import BanWhale, PauseWhale, RegisterWhale, ResumeWhale

Probe: TypeAlias = Callable[[], Awaitable[str | None]]
"""Asks whether something that the API depends on is well: None when it is, else a sentence that says what is wrong.

It may raise or take long: the route bounds it in time and counts an error as not ready.
"""

RenderMetrics: TypeAlias = Callable[[], tuple[bytes, str]]
"""Returns all metrics in an exposition format, and its content type."""


@dataclass(frozen=True, slots=True)
class ApiServices:
    """The API's dependencies; each is ready to be called and shared by all requests.

    `probes` are by name (`database`, `valkey`, `worker`): all must be well for /readyz to say so.
    """

    authenticate: Authenticate
    issue_token: IssueToken
    revoke_tokens: RevokeTokens
    register_user: RegisterUser
    suspend_user: SuspendUser
    restore_user: RestoreUser
    add_account: AddAccount
    verify_account: VerifyAccount
    rotate_key: RotateKey
    revoke_key: RevokeKey
    start_follow: StartFollow
    pause_follow: PauseFollow
    resume_follow: ResumeFollow
    stop_follow: StopFollow
    change_terms: ChangeTerms
    register_whale: RegisterWhale
    pause_whale: PauseWhale
    resume_whale: ResumeWhale
    ban_whale: BanWhale
    submit_signal: SubmitSignal
    close_position: ClosePosition
    read_limits: ReadLimits
    set_limits: SetLimits
    raise_halt: RaiseHalt
    clear_halt: ClearHalt
    read_portfolio: ReadPortfolio
    people: PeopleReader
    whales: WhaleReader
    signals: SignalReader
    trading: TradingReader
    halts: HaltReader
    health: HealthReader
    metrics: Metrics
    render_metrics: RenderMetrics
    probes: Mapping[str, Probe]
