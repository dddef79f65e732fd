"""All that a gateway lets out while it works: answers, errors with their traces, and every record of the log."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, field

import pytest

from app.domain.shared.errors import DomainError


@dataclass
class Said:
    """All that was answered, raised and logged."""

    log: pytest.LogCaptureFixture
    answers: list[str] = field(default_factory=list)

    async def of(self, call: Awaitable[object]) -> None:
        try:
            answer = await call
        except DomainError as error:
            self.answers += [repr(error), str(error), str(vars(error)), *traceback.format_exception(error)]
        else:
            self.answers.append(repr(answer))

    def text(self) -> str:
        records = (f"{each.getMessage()} {each.exc_text} {vars(each)}" for each in self.log.records)
        return "\n".join([*self.answers, *records])
