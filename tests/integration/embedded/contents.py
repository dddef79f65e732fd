"""Writes to an embedded server and reads again what it kept."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import redis

from app.infrastructure.embedded.postgres import EmbeddedPostgres
from app.infrastructure.embedded.server import EmbeddedServer
from tests.support.servers import plain_dsn


def sql(dsn: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(plain_dsn(dsn))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def remember(kind: type[EmbeddedServer], url: str, value: str) -> None:
    if kind is EmbeddedPostgres:
        sql(url, "CREATE TABLE IF NOT EXISTS note (value text)")
        sql(url, f"INSERT INTO note VALUES ('{value}')")
    else:
        with redis.Redis.from_url(url) as client:
            client.set("note", value)
            (
                client.execute_command("WAITAOF", 1, 0, 0)
                if client.config_get("appendonly")["appendonly"] == "yes"
                else None
            )


def recall(kind: type[EmbeddedServer], url: str) -> str | None:
    if kind is EmbeddedPostgres:
        return str(sql(url, "SELECT value FROM note"))
    with redis.Redis.from_url(url) as client:
        found = client.get("note")
        return found.decode() if isinstance(found, bytes) else None
