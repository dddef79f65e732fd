"""Alembic's entry: online only, on asyncpg, one transaction for each migration, with a lock timeout."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.infrastructure.failpoints import failpoint
from app.infrastructure.postgres.engine import address
from app.infrastructure.postgres.schema import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    engine = create_async_engine(
        address(context.config.attributes["dsn"]),
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"lock_timeout": "5000", "application_name": "copytrade migrate"}},
    )
    try:
        async with engine.connect() as connection:
            # One migrator at a time: two starting programs wait for each other instead of racing.
            await connection.execute(text("SELECT pg_advisory_lock(7202411)"))
            failpoint("migrate.lock.commit.before")
            await connection.commit()
            failpoint("migrate.lock.commit.after")
            await connection.run_sync(_run)
            failpoint("migrate.commit.before")
            await connection.commit()
            failpoint("migrate.commit.after")
    finally:
        await engine.dispose()


asyncio.run(_main())
