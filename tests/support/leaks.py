"""Looks for secrets in what a program shows, and listens to all that is sent to a broker."""

from __future__ import annotations

import ast
import asyncio
import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from redis.asyncio import Connection, Redis

_WORD = re.compile(rb'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for parts of a secret, as text and as the hexadecimal digits in which PostgreSQL shows bytes."""

    parts: tuple[str | bytes, ...]

    def found_in(self, seen: str) -> list[str]:
        spelled = {str(each): _spellings(each) for each in self.parts}
        return [each for each, ways in spelled.items() if any(way in seen for way in ways)]


def _spellings(secret: str | bytes) -> tuple[str, ...]:
    if isinstance(secret, str):
        return secret, secret.encode().hex(), json.dumps(secret)[1:-1], repr(secret)[1:-1]
    plain, url = base64.b64encode(secret), base64.urlsafe_b64encode(secret)
    return (
        secret.hex(),
        plain.decode().rstrip("="),
        url.decode().rstrip("="),
        repr(secret)[2:-1],
        str(list(secret)),
    )


@dataclass(frozen=True, slots=True)
class Message:
    """One message of Celery, opened: a task with what it is called with (no task: a worker tells of itself), and the
    whole of it as text.
    """

    task: str | None
    arguments: Any
    text: str


class Broker:
    """Hears every command that any program sends to the Redis database of `url`, while the block lasts."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(url)
        self._database = (urlsplit(url).path.lstrip("/") or "0").encode()
        self._heard: list[bytes] = []

    async def __aenter__(self) -> Self:
        pool: Any = self._client.connection_pool
        self._connection: Connection = await pool.get_connection()
        await self._connection.send_command("MONITOR")
        await self._connection.read_response()
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._connection.disconnect()
        await self._client.aclose()

    async def _listen(self) -> None:
        while True:
            self._heard.append(await self._connection.read_response(disable_decoding=True))

    async def commands(self) -> list[list[bytes]]:
        """The words of each command up to now."""
        mark = uuid4().hex.encode()
        await self._client.echo(mark)
        async with asyncio.timeout(30):
            while not any(mark in line for line in self._heard[-1000:]):
                await asyncio.wait([self._task], timeout=0.01)
        mine = (line for line in tuple(self._heard) if line.partition(b"[")[2].split()[0] == self._database)
        return [
            [ast.literal_eval(f"b{word.decode('ascii')}") for word in _WORD.findall(line)] for line in mine
        ]

    async def tasks(self) -> list[Message]:
        """The messages that call tasks."""
        return [message for message in await self.messages() if message.task is not None]

    async def messages(self) -> list[Message]:
        """Every message that Celery handed in, wherever it keeps it."""
        words = [
            word for command in await self.commands() for word in command if word.startswith((b"{", b"["))
        ]
        found = (_envelopes(json.loads(word)) for word in words if b'"body"' in word)
        return [_opened(envelope) for envelopes in found for envelope in envelopes]

    async def everything(self) -> str:
        """All commands as text, with the bodies of messages opened."""
        commands = b"\n".join(b" ".join(words) for words in await self.commands())
        opened = "\n".join(message.text for message in await self.messages())
        return f"{commands.decode('utf-8', errors='backslashreplace')}\n{opened}"


def _envelopes(held: Any) -> Iterator[Mapping[str, Any]]:
    """A queue holds the envelope itself, the list of what is not acknowledged yet holds it beside its address."""
    if isinstance(held, dict) and "body" in held:
        yield held
    elif isinstance(held, list):
        for each in held:
            yield from _envelopes(each)


def _opened(envelope: Mapping[str, Any]) -> Message:
    body = base64.b64decode(envelope["body"]).decode()
    headers = envelope["headers"]
    task = headers.get("task")
    arguments = json.loads(body)[:2] if task is not None else None
    return Message(task, arguments, f"{json.dumps(headers)} {body}")
