"""Sending an order: once, within its window, and with an honest word when no whole reply came.

The rule is the same at every venue, so it stands once: whatever stops an order before its bytes may have left is
NOT_SENT, whatever happens after is UNKNOWN, and only a whole reply is the venue's to classify.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.exchanges.outcomes import NotSent, Unknown
from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.errors import DomainError
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.clock import VenueClockUntrusted
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Reply, TooLate
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.failpoints import failpoint

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """A signed POST: headers and body exactly as they go out; they hold key and signature, so neither shows."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


async def post_once(
    shared: VenueShared, path: str, order: PlaceOrder | PlaceProtection, sign: Callable[[], SignedOrder]
) -> Reply | NotSent | Unknown:
    """POST an order or a protection once, if its window is still open; never raises. `sign` may raise what a key or a
    writer raises.
    """
    try:
        left_ms = order.signed_ms + order.valid_ms - shared.clock.latest_ms()
        signed = sign()
    except VenueClockUntrusted:
        return NotSent(f"{reasons.CLOCK_UNKNOWN}: the venue's time was never read")
    except DomainError as error:
        return NotSent(f"{reasons.KEY_UNREADABLE}: {error.code}")
    except Unreadable as error:
        return NotSent(f"{reasons.UNSENDABLE}: {error}")
    if left_ms <= 0:
        return NotSent(f"{reasons.DEADLINE_PASSED}: the order's window closed before it was sent")
    try:
        failpoint("order.send.before")
        reply = await shared.transport.request(
            "POST",
            shared.settings.base_url + path,
            signed.headers,
            signed.body,
            shared.settings.order_timeout_s,
            left_ms / 1000,
        )
        failpoint("order.send.after")
        return reply
    except TooLate:
        return NotSent(f"{reasons.DEADLINE_PASSED}: no connection was free in time")
    except NeverLeft as error:
        return NotSent(f"{reasons.UNREACHABLE}: {error}")
    except NoReply as error:
        return Unknown(f"no reply: {error}")
    except Exception as error:  # noqa: BLE001 - the bytes may have left: only UNKNOWN is safe to say
        _LOG.warning("placing an order failed unexpectedly: %s", type(error).__name__)
        return Unknown(f"internal fault: {type(error).__name__}")
