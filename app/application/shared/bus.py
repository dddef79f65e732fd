"""The event bus: which handlers hear an event, and that each of them acts on it once.

A `TransactionalHandler` changes the database: the note that it handled the event is written in the very transaction
that changes it, so its effect happens exactly once. A `Handler` acts on something else (rings a bell, sends a notice):
it is noted afterwards, so its effect happens at least once, and it must bear that. One handler's failure keeps no other
from hearing; those that succeeded do not hear the event again when it is delivered again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol, TypeAlias

from app.application.shared.uow import UnitOfWork
from app.domain.shared.errors import DomainError, InvalidValue
from app.domain.shared.events import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to its handlers; `event_id` is the outbox's, the same at each delivery."""

    event_id: int
    event: Event
    trace_id: str = ""


class InboxUnitOfWork(UnitOfWork, Protocol):
    """A unit of work that can note, in its own transaction, that an event was handled."""

    async def first_time(self, handler: str, event_id: int) -> bool:
        """Note that `handler` handles the event; False when that was noted before, or the event is delivered for good."""
        ...


@dataclass(frozen=True, slots=True)
class Handler:
    """Acts outside the database, at least once. `name` is stable: it is stored."""

    name: str
    run: Callable[[Delivery], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TransactionalHandler:
    """Acts through the unit of work that it is given, exactly once; the bus commits. `name` is stable: it is stored."""

    name: str
    run: Callable[[Delivery, UnitOfWork], Awaitable[None]]


AnyHandler: TypeAlias = Handler | TransactionalHandler


class DeliveryFailed(DomainError):
    """Some handlers failed. `failures` names each with its error's code, never with its text."""

    code: ClassVar[str] = "delivery_failed"

    def __init__(self, event_name: str, failures: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"{len(failures)} handler(s) of {event_name} failed.", event_name=event_name)
        self.failures = tuple(failures)


class EventBus:
    """Delivers events by one table: event name -> handlers, in that order."""

    def __init__(
        self, handlers: Mapping[str, Sequence[AnyHandler]], units: Callable[[], InboxUnitOfWork]
    ) -> None:
        for event_name, listeners in handlers.items():
            names = [listener.name for listener in listeners]
            if len(set(names)) != len(names):
                raise InvalidValue("Two handlers of one event share a name.", event_name=event_name)
        self._handlers = MappingProxyType({name: tuple(found) for name, found in handlers.items()})
        self._units = units

    async def deliver(self, delivery: Delivery) -> None:
        """Let each handler that has not yet handled the event do so; DeliveryFailed when some could not."""
        failures: list[tuple[str, str]] = []
        errors: list[Exception] = []
        for handler in self._handlers.get(delivery.event.name, ()):
            try:
                await self._hand_over(handler, delivery)
            except Exception as error:  # noqa: BLE001 - one failure must not stop the rest
                failures.append((handler.name, code_of(error)))
                errors.append(error)
        if failures:
            raise DeliveryFailed(delivery.event.name, failures) from ExceptionGroup("handlers failed", errors)

    async def _hand_over(self, handler: AnyHandler, delivery: Delivery) -> None:
        async with self._units() as unit:
            if not await unit.first_time(handler.name, delivery.event_id):
                return
            if isinstance(handler, TransactionalHandler):
                await handler.run(delivery, unit)
                await unit.commit()
                return
        # The note above is rolled back by now: it only asked. No transaction is open while the handler acts.
        await handler.run(delivery)
        async with self._units() as unit:
            if await unit.first_time(handler.name, delivery.event_id):
                await unit.commit()


def code_of(error: Exception) -> str:
    """Return the stable code of an error: a domain error's own, else the name of its class."""
    return error.code if isinstance(error, DomainError) else type(error).__name__
