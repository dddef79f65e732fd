"""What the protections of all the venue's markets have in common: kinds, statuses, and how a report is built."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import Quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.binance.wire.contracts import size_of
from app.infrastructure.exchanges.binance.wire.orders import SIDES, reduces
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, positive_price, size

TYPE_OF: Final[Mapping[TriggerKind, str]] = MappingProxyType(
    {TriggerKind.STOP_LOSS: "STOP_MARKET", TriggerKind.TAKE_PROFIT: "TAKE_PROFIT_MARKET"}
)
KIND_OF: Final[Mapping[str, TriggerKind]] = MappingProxyType({text: kind for kind, text in TYPE_OF.items()})

ALGO_STATUSES: Final[Mapping[str, ProtectionStatus]] = MappingProxyType(
    {
        "NEW": ProtectionStatus.RESTING,
        "TRIGGERING": ProtectionStatus.TRIGGERED,  # its order is on its way to the engine
        "TRIGGERED": ProtectionStatus.TRIGGERED,
        "FINISHED": ProtectionStatus.TRIGGERED,  # the order that it became has ended; see `algo_status`
        "CANCELED": ProtectionStatus.CANCELED,
        "EXPIRED": ProtectionStatus.EXPIRED,
        "REJECTED": ProtectionStatus.REJECTED,
    }
)
ORDER_STATUSES: Final[Mapping[str, ProtectionStatus]] = MappingProxyType(
    {
        "NEW": ProtectionStatus.RESTING,
        "PARTIALLY_FILLED": ProtectionStatus.TRIGGERED,
        "FILLED": ProtectionStatus.TRIGGERED,
        "CANCELED": ProtectionStatus.CANCELED,
        "EXPIRED": ProtectionStatus.EXPIRED,
        "EXPIRED_IN_MATCH": ProtectionStatus.EXPIRED,
        "REJECTED": ProtectionStatus.REJECTED,
    }
)
"""At spot, where the protection is an order itself and keeps its number when it triggers."""


def algo_status(status: str, order_id: str | None) -> ProtectionStatus | None:
    """Return the state of a protection that becomes another order. One that has finished without a number became none,
    and nothing of it can ever be found; should the number be told late, an ended one still counts as triggered.
    """
    if status == "FINISHED" and order_id is None:
        return ProtectionStatus.EXPIRED
    return ALGO_STATUSES.get(status)


def order_status(status: str, executed: str) -> ProtectionStatus:
    """Return the state of a protection that is an order itself: once anything of it was executed it has triggered,
    whatever became of it then.
    """
    found = ORDER_STATUSES.get(status)
    if found is None:
        raise Unreadable("a protection of unknown status")
    return ProtectionStatus.TRIGGERED if size(executed, "executed quantity") > ZERO else found


def protection_of(
    venue: Venue, symbol: Symbol, names: Names, *, name: str, protection_id: int, client_order_id: str, side: str,
    kind: TriggerKind | None, trigger: str, quantity: str, status: ProtectionStatus | None, order_id: str | None,
    at_ms: int,
) -> ProtectionReport:  # fmt: skip
    """Build a report from the venue's texts, or raise Unreadable; `name` is the venue's name of the market."""
    known_side = SIDES.get(side)
    if known_side is None or kind is None or status is None:
        raise Unreadable("a protection of unknown side, type or status")
    return ProtectionReport(
        venue=venue,
        symbol=symbol,
        protection_id=str(protection_id),
        client_order_id=client_order_id,
        side=known_side,
        kind=kind,
        trigger=positive_price(trigger, "trigger price"),
        quantity=Quantity(size(quantity, "quantity") * size_of(names, name)),
        status=status,
        order_id=order_id,
        at=from_epoch_ms(at_ms),
    )


def protects(kind: str, *, flag: bool, whole: bool, position_side: str, side: str) -> bool:
    """Return whether a waiting order is a protection as we place them: a market order that can only reduce."""
    known_side = SIDES.get(side)
    return kind in KIND_OF and (
        whole or (known_side is not None and reduces(flag, position_side, known_side))
    )
