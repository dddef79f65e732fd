"""Settings: the only reader of the environment. Every name begins with COPYTRADE_; unknown values are refused.

DATABASE_URL and REDIS_URL are understood as well, since platforms set them. Secrets are masked in every repr; the
program does not start with a missing or weak one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.exchanges.venue import CAPABILITIES, FenceRule
from app.domain.risk.limits import Limits
from app.domain.shared.market import Venue
from app.domain.whales.intent import BurstRule

_ID_SECRET_MIN = 16

Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]


class VenueOptions(BaseModel):
    """How one venue is reached, and where its own figures differ from the published ones.

    `visibility_bound_ms` is the operator's word that an accepted order becomes visible to queries within that time;
    only with it may an entry whose absence is proven be sent again; it counts for nothing where the venue cannot be
    asked for our ids. `routed_streams` uses the stream addresses that
    Binance split by category in 2026; its production hosts need it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    ws_url: str
    wallet_url: str = ""
    validity_ms: Milliseconds | None = None
    engine_timeout_ms: Milliseconds | None = None
    clock_error_ms: Milliseconds = 1000
    absence_answers: Annotated[int, Field(ge=1, le=20)] = 3
    absence_spread_ms: Milliseconds = 1000
    visibility_bound_ms: Milliseconds | None = None
    routed_streams: bool = False
    connections: Annotated[int, Field(ge=1, le=2000)] = 200
    weight_per_minute: Annotated[int, Field(ge=1)] | None = None
    orders_per_10s: Annotated[int, Field(ge=1)] | None = None
    mark_age_max_s: Annotated[int, Field(ge=1, le=3600)] = 10


class PlatformLimits(BaseModel):
    """The operator's limits for every follower; a user can only tighten them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order_notional_max: Decimal | None = None
    symbol_notional_max: Decimal | None = None
    total_notional_max: Decimal | None = None
    daily_loss_max: Decimal | None = None
    drawdown_max: Decimal | None = None
    leverage_max: int | None = 50
    positions_max: int | None = 50


class Settings(BaseSettings):
    """All settings of all programs."""

    model_config = SettingsConfigDict(
        env_prefix="COPYTRADE_", extra="ignore", frozen=True, env_file=None, hide_input_in_errors=True
    )

    database_url: SecretStr
    redis_url: SecretStr
    vault_keys: Annotated[dict[str, SecretStr], Field(min_length=1)]
    vault_active: str
    id_secret: SecretStr
    venues: dict[Venue, VenueOptions] = {}
    limits: PlatformLimits = PlatformLimits()
    entry_ttl_s: Annotated[int, Field(ge=1, le=3600)] = 30
    reconcile_every_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    drift_looks: Annotated[int, Field(ge=2, le=100)] = 3
    drift_spread_s: Annotated[int, Field(ge=0, le=3600)] = 30
    unprotected_max_s: Annotated[int, Field(ge=1, le=3600)] = 10
    burst_quiet_ms: Milliseconds = 150
    burst_open_max_ms: Milliseconds = 1500
    chunk_max: Annotated[int, Field(ge=1, le=5000)] = 128
    worker_threads: Annotated[int, Field(ge=1, le=64)] = 8
    hot_pool: Annotated[int, Field(ge=2, le=100)] = 16
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @field_validator("id_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < _ID_SECRET_MIN:
            raise ValueError(f"COPYTRADE_ID_SECRET needs at least {_ID_SECRET_MIN} characters.")
        return value

    @property
    def reconcile_every(self) -> timedelta:
        """How long an account rests between two comparisons with its venue."""
        return timedelta(seconds=self.reconcile_every_s)

    @property
    def drift_spread(self) -> timedelta:
        """Over how long a difference must stand, at least, before it is acted upon without an explanation."""
        return timedelta(seconds=self.drift_spread_s)

    @property
    def unprotected_max(self) -> timedelta:
        """How long a position may lack the stop that it wants before that is told, and acted on where its terms say so."""
        return timedelta(seconds=self.unprotected_max_s)

    @property
    def entry_ttl(self) -> timedelta:
        """How long after the leader's fill an entry may still be copied."""
        return timedelta(seconds=self.entry_ttl_s)

    @property
    def burst_rule(self) -> BurstRule:
        """When a leader's burst of fills is decided."""
        return BurstRule(
            quiet=timedelta(milliseconds=self.burst_quiet_ms),
            open_max=timedelta(milliseconds=self.burst_open_max_ms),
        )

    @property
    def platform_limits(self) -> Limits:
        """The operator's limits as the domain reads them."""
        return Limits(**self.limits.model_dump())

    def fence(self, venue: Venue) -> FenceRule:
        """When the absence of an order at a venue is proven.

        Never at a venue that cannot be asked for our ids, whatever bound is configured: silence of its lists proves nothing.
        """
        published, chosen = CAPABILITIES[venue], self.venues[venue]
        bound_ms = chosen.visibility_bound_ms if published.finds_by_client_id else None
        return FenceRule(
            validity=_or(chosen.validity_ms, published.validity),
            engine_timeout=_or(chosen.engine_timeout_ms, published.engine_timeout),
            clock_error=timedelta(milliseconds=chosen.clock_error_ms),
            answers=chosen.absence_answers,
            spread=timedelta(milliseconds=chosen.absence_spread_ms),
            visibility_bound=None if bound_ms is None else timedelta(milliseconds=bound_ms),
        )

    def vault_ring(self) -> Mapping[str, str]:
        """The vault's keys by name, opened: for the vault alone."""
        return {kid: key.get_secret_value() for kid, key in self.vault_keys.items()}


def _or(milliseconds: int | None, published: timedelta) -> timedelta:
    return published if milliseconds is None else timedelta(milliseconds=milliseconds)


def load() -> Settings:
    """Read the settings from the environment; raises pydantic's ValidationError, which names what is wrong."""
    given = {
        field: SecretStr(os.environ[common])
        for field, common in (("database_url", "DATABASE_URL"), ("redis_url", "REDIS_URL"))
        if common in os.environ and f"COPYTRADE_{common}" not in os.environ
    }
    return Settings(**given)  # type: ignore[arg-type]  # the environment gives the other arguments
