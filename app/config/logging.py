"""Logging: one pipeline for our own log lines and those of libraries, as JSON lines or for a person at a terminal.

Invariants: each line has a UTC time, a level and the bound context (trace_id, request_id, signal_id, worker); the last
step before a line is written masks secrets, wherever they stand: by the name of a field, and by the look of a value in
any string, exception text included.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, TextIO
from uuid import UUID

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

MASK: Final = "***"
_NESTING_MAX: Final = 8
_PLAIN_TYPES: Final = (str, Decimal, UUID, datetime, timedelta, PurePath, BaseException)
_SECRET_NAMES: Final = re.compile(
    r"secret|token|passw(?:or)?d|passphrase|authori[sz]ation|api[-_]?key|signature|cookie|sealed|vault_?key|listen_?key",
    re.IGNORECASE,
)
_NAMED: Final = r"[\w.-]*(?:secret|token|passw(?:or)?d|passphrase|api[-_]?key|signature|listenkey)[\w-]*"
_SECRET_VALUES: Final = (
    re.compile(r"(\bct_)[A-Za-z0-9_-]+|(?<=ct_)()[A-Za-z0-9_-]{20,}"),  # our own API tokens
    re.compile(
        r"()\b[A-Za-z0-9]{64}\b"
    ),  # venues' keys and secrets, and digests in hex, told by their length
    re.compile(r"(\bBearer\s+)[^\s\"',;]+", re.IGNORECASE),
    re.compile(r"(\b\w[\w+.-]*://[^\s:/@\"']*:)[^\s@\"']+(?=@)"),  # the password in an address
    # name=value, name: value and "name": "value", as in query strings, headers and reprs
    re.compile(rf"({_NAMED}[\"']?\s*(?:=|:|,)\s*b?[\"'])(?:[^\"'\\]|\\.)+", re.IGNORECASE),
    re.compile(rf"({_NAMED}\s*(?:=|:)\s*)[^\s\"'&,;)}}\]]+", re.IGNORECASE),
    re.compile(r"(\bAuthorization[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]+", re.IGNORECASE),
)
_QUIET: Final[Mapping[str, int]] = {
    "asyncio": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "celery": logging.WARNING,  # it tells every task that it sends and takes
}


def configure_logging(*, level: str = "INFO", as_json: bool = True, stream: TextIO | None = None) -> None:
    """Route all logging of the process through one pipeline to `stream` (standard error if None).

    Lines are JSON unless `as_json` is false and the stream is a terminal. May be called again: the last call counts.
    """
    target = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # to text first, so that it is masked like any other
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # loggers made at import must follow a later call of this function
    )
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not as_json and target.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))
    logging.captureWarnings(True)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a call with wrong arguments costs its text, where Python would print it unmasked."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say where the faulty call stands, never what it was given."""
        line = {"event": "log_call_failed", "level": "error", "where": f"{record.pathname}:{record.lineno}"}
        with suppress(OSError, ValueError):  # a closed stream: there is nowhere left to say it
            self.stream.write(json.dumps(line) + self.terminator)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what looks like a secret in a log event, by the name of each field and the look of each string."""
    return {_text(name): _masked(name, value, 0) for name, value in event.items()}


def mask(text: str) -> str:
    """Return the text with everything masked that looks like a secret."""
    for pattern in _SECRET_VALUES:
        text = pattern.sub(_covered, text)
    return text


def _covered(match: re.Match[str]) -> str:
    return (match.group(1) or "") + MASK


def _masked(name: object, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAMES.search(_shown(name)):
        return MASK
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return mask(value)
    if depth >= _NESTING_MAX:
        return "…"
    if isinstance(value, Mapping):
        return {_text(key): _masked(key, item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray | memoryview):
        return [_masked("", item, depth + 1) for item in value]
    return mask(_shown(value))


def _shown(value: object) -> str:
    """A value of any type as text; raw bytes are told by their length, since no one can see what they are."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    try:
        return str(value) if isinstance(value, _PLAIN_TYPES) else repr(value)
    except Exception as error:  # noqa: BLE001 - a broken repr must not cost the log line
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _text(name: object) -> str:
    return mask(_shown(name))
