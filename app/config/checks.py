"""What a working set-up needs, as questions with an answer in one sentence: None when all is well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.config.database import behind
from app.config.heartbeat import is_alive
from app.config.settings import Settings
from app.config.venues import venue_settings
from app.domain.exchanges.outcomes import VenueError
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.vault import AesGcmVault, key_from_text

Check = Callable[[], Awaitable[str | None]]


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return all checks by name, in the order in which they should be mended."""
    return {
        "vault": partial(_vault, settings),
        "database": partial(_database, settings),
        "broker": partial(_broker, settings),
        "worker": partial(_worker, settings),
        **{f"venue {venue.value}": partial(_venue, settings, venue) for venue in settings.venues},
        **({} if settings.venues else {"venues": _no_venue}),
    }


async def _vault(settings: Settings) -> str | None:
    ring = {kid: key_from_text(text) for kid, text in settings.vault_ring().items()}
    AesGcmVault(ring, settings.vault_active)
    return None


async def _database(settings: Settings) -> str | None:
    engine = make_engine(
        settings.database_url.get_secret_value(), pool_size=1, application_name="copytrade doctor"
    )
    try:
        return await behind(engine)
    except (SQLAlchemyError, OSError) as error:
        return f"cannot be reached ({type(error).__name__}); check COPYTRADE_DATABASE_URL and that PostgreSQL runs."
    finally:
        await engine.dispose()


async def _broker(settings: Settings) -> str | None:
    redis = Redis.from_url(settings.redis_url.get_secret_value())
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        return f"cannot be reached ({type(error).__name__}); check COPYTRADE_REDIS_URL and that Valkey or Redis runs."
    finally:
        await redis.aclose()
    return None


async def _worker(settings: Settings) -> str | None:
    redis = Redis.from_url(settings.redis_url.get_secret_value())
    try:
        if await is_alive(redis):
            return None
    except (RedisError, OSError):
        return "cannot be asked while the broker is away."
    finally:
        await redis.aclose()
    return "none has been heard of for 15 seconds: run `copytrade work` and `copytrade beat`."


async def _venue(settings: Settings, venue: Venue) -> str | None:
    ring = {kid: key_from_text(text) for kid, text in settings.vault_ring().items()}
    pool = VenuePool({venue: venue_settings(settings)[venue]}, AesGcmVault(ring, settings.vault_active))
    try:
        await pool.market(venue).server_time_ms()
    except VenueError as error:
        return f"does not answer ({error.code}); check its addresses in COPYTRADE_VENUES."
    finally:
        await pool.close()
    return None


async def _no_venue() -> str | None:
    return "none is configured: set COPYTRADE_VENUES; nothing can be traded."
