"""Migrations for the settings' database."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config.settings import Settings
from app.infrastructure.postgres import migrate
from app.infrastructure.postgres.outage import in_domain_words


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database to a revision; StorageUnavailable when it cannot be reached."""
    try:
        migrate.upgrade(settings.database_url.get_secret_value(), revision)
    except (OSError, DBAPIError) as error:
        raise in_domain_words(error) or error from None


async def behind(engine: AsyncEngine) -> str | None:
    """Return what is wrong with the database's schema in one sentence, None when it is the newest."""
    current, newest = await migrate.current_revision(engine), migrate.newest_revision()
    if current == newest:
        return None
    return f"The database is at revision {current or 'none'}, the program needs {newest}: run `copytrade migrate`."
