"""The tree of domain errors: each has a stable machine code, a sentence and its context.

Errors know nothing of HTTP; the API maps codes to statuses in one table. A refusal that a user can expect
(a denial, a skip) is a value, not an error: these are for broken rules and broken invariants.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """Base of all errors raised by domain and application code.

    `code` is stable and machine readable; `str(error)` is a sentence for a person; `context` holds what the
    sentence was made of, never a secret.
    """

    code: ClassVar[str] = "domain_error"

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class InvalidValue(DomainError):
    """A value lies outside what its type allows."""

    code = "invalid_value"


class IllegalTransition(DomainError):
    """A state machine was asked for a step that its table does not hold."""

    code = "illegal_transition"


class NotFound(DomainError):
    """Nothing with that identity exists, or the caller may not know of it."""

    code = "not_found"


class AlreadyExists(DomainError):
    """Something with that identity exists already."""

    code = "already_exists"


class ConcurrencyConflict(DomainError):
    """The row changed between load and save; load it again and decide anew."""

    code = "concurrency_conflict"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"


class Unauthenticated(DomainError):
    """The caller did not prove who it is."""

    code = "unauthenticated"


class StorageUnavailable(DomainError):
    """The database could not be reached or broke off: nothing is known of what was asked; try again."""

    code = "storage_unavailable"


class InvariantBroken(DomainError):
    """A rule that must always hold did not: stop rather than continue wrongly."""

    code = "invariant_broken"
