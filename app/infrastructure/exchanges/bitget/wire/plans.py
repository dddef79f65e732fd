"""Protections as the venue shows them: rows of plan orders, by query or by stream, of either product line.

Futures have stop-loss and take-profit plans of their own. A spot plan has no kind: it waits for its trigger price from
whichever side the price was on, so the kind follows from the mark, as the venue itself takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Price
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.bitget.wire.answer import PAGE_ROWS, Answer, data_of, milliseconds, name_of
from app.infrastructure.exchanges.bitget.wire.products import SIDES, Product
from app.infrastructure.exchanges.bitget.wire.reports import closing_side
from app.infrastructure.exchanges.fees import Rates
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, positive_price, size

KIND_WORDS: Final[Mapping[TriggerKind, str]] = MappingProxyType(
    {TriggerKind.STOP_LOSS: "loss_plan", TriggerKind.TAKE_PROFIT: "profit_plan"}
)
_KINDS: Final[Mapping[str, TriggerKind]] = MappingProxyType(
    {
        "loss_plan": TriggerKind.STOP_LOSS,
        "pos_loss": TriggerKind.STOP_LOSS,
        "sl": TriggerKind.STOP_LOSS,
        "psl": TriggerKind.STOP_LOSS,
        "profit_plan": TriggerKind.TAKE_PROFIT,
        "pos_profit": TriggerKind.TAKE_PROFIT,
        "tp": TriggerKind.TAKE_PROFIT,
        "ptp": TriggerKind.TAKE_PROFIT,
    }
)
_STATUSES: Final[Mapping[str, ProtectionStatus]] = MappingProxyType(
    {
        "live": ProtectionStatus.RESTING,
        "not_trigger": ProtectionStatus.RESTING,
        "executing": ProtectionStatus.TRIGGERED,
        "executed": ProtectionStatus.TRIGGERED,
        "triggered": ProtectionStatus.TRIGGERED,
        "cancelled": ProtectionStatus.CANCELED,
        "canceled": ProtectionStatus.CANCELED,
        "fail_execute": ProtectionStatus.REJECTED,
        "fail_trigger": ProtectionStatus.REJECTED,
    }
)
_POSITION_SIDES: Final = MappingProxyType({"long": Side.SELL, "short": Side.BUY})
_NOT_EXECUTED: Final = frozenset({"", "0"})
_REACHED: Final = frozenset({ProtectionStatus.TRIGGERED, ProtectionStatus.REJECTED})
_FAILED: Final = frozenset({"fail", "cancelled", "canceled"})
"""How a sub-order ends that never was in the book; the other words are success and two for one on its way."""


class PlanRow(msgspec.Struct, frozen=True, rename="camel"):
    """A plan order; futures lists say `planStatus`, spot and the stream `status`; the stream says `instId`."""

    order_id: str
    size: str
    client_oid: str | None = ""
    symbol: str = ""
    inst_id: str = ""
    plan_type: str | None = ""
    plan_status: str = ""
    status: str = ""
    side: str = ""
    trade_side: str | None = ""
    pos_side: str | None = ""
    pos_mode: str | None = ""
    trigger_price: str | None = ""
    stop_surplus_trigger_price: str | None = ""
    stop_loss_trigger_price: str | None = ""
    execute_order_id: str | None = ""
    c_time: str = ""
    u_time: str | None = ""

    @property
    def market(self) -> str:
        """The venue's name of the market."""
        return (self.symbol or self.inst_id).upper()


class _FuturesPage(msgspec.Struct, frozen=True, rename="camel"):
    entrusted_list: list[PlanRow] | None = None


class _SpotPage(msgspec.Struct, frozen=True, rename="camel"):
    order_list: list[PlanRow] | None = None


class _SubOrder(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str | None = ""
    status: str = ""


_FUTURES_PAGE: Final = msgspec.json.Decoder(Answer[_FuturesPage | None])
_SPOT_PAGE: Final = msgspec.json.Decoder(Answer[_SpotPage | None])
_SUB_ORDERS: Final = msgspec.json.Decoder(Answer[list[_SubOrder] | None])


def read_plan_rows(product: Product, body: bytes) -> tuple[list[PlanRow], str]:
    """Read one page of plans and the id before which the next one begins (empty: there is none)."""
    if product.is_spot:
        spot, _ = data_of(_SPOT_PAGE, body)
        rows = (spot.order_list if spot is not None else None) or []
    else:
        futures, _ = data_of(_FUTURES_PAGE, body)
        rows = (futures.entrusted_list if futures is not None else None) or []
    following = name_of(rows[-1].order_id, "the plan's id") if len(rows) >= PAGE_ROWS else ""
    return rows, following


def read_plans(
    product: Product, body: bytes, names: Names, marks: Rates
) -> tuple[list[ProtectionReport], str]:
    """Read one page of plans as reports, and where the next one begins; those that protect nothing are left out."""
    rows, following = read_plan_rows(product, body)
    ours = (row for row in rows if row.market in names and is_protection(product, row))
    return [protection_of(product, row, names[row.market], marks) for row in ours], following


def is_protection(product: Product, row: PlanRow) -> bool:
    """Whether a plan is a stop-loss or a take-profit: at spot each is, for each moves coins one has or wants."""
    plan = (row.plan_type or "").lower()
    return plan == "amount" if product.is_spot else plan in _KINDS


def protection_of(product: Product, row: PlanRow, symbol: Symbol, marks: Rates) -> ProtectionReport:
    """Build a report, or raise Unreadable when the row contradicts itself or its kind cannot be told."""
    status = _STATUSES.get(row.plan_status or row.status)
    if status is None:
        raise Unreadable("a plan of unknown status")
    side = _side_of(row)
    stated = row.trigger_price or row.stop_loss_trigger_price or row.stop_surplus_trigger_price
    trigger = positive_price(stated or "", "trigger price")
    kind = _KINDS.get(row.plan_type or "")
    if product.is_spot:
        kind = _kind_by_mark(side, trigger, marks.get(symbol), fell_through=status in _REACHED)
    if kind is None:
        raise Unreadable("a plan of unknown kind")
    become = row.execute_order_id or ""
    triggered = status is ProtectionStatus.TRIGGERED and become not in _NOT_EXECUTED
    return ProtectionReport(
        venue=product.venue,
        symbol=symbol,
        protection_id=name_of(row.order_id, "the plan's id"),
        client_order_id=row.client_oid or "",
        side=side,
        kind=kind,
        trigger=trigger,
        quantity=size(row.size or "0", "quantity"),
        status=status,
        order_id=name_of(become, "the order id") if triggered else None,
        at=from_epoch_ms(milliseconds(row.u_time or row.c_time, "the time of the plan")),
    )


def _side_of(row: PlanRow) -> Side:
    held = _POSITION_SIDES.get(row.pos_side or "")
    if held is not None:
        return held
    named = SIDES.get(row.side)
    if named is None:
        raise Unreadable("a plan without a side")
    return closing_side(named, row.trade_side, row.pos_mode)[0]


def _kind_by_mark(side: Side, trigger: Price, mark: Price | None, *, fell_through: bool) -> TriggerKind:
    """Return the kind of a spot plan: one that rests has its trigger ahead of the mark, one that was reached behind."""
    if mark is None or mark <= ZERO:
        raise Unreadable("no mark tells the kind of a spot plan")
    falls = mark <= trigger if fell_through else mark > trigger
    return TriggerKind.STOP_LOSS if falls == (side is Side.SELL) else TriggerKind.TAKE_PROFIT


def read_sub_order(body: bytes) -> tuple[str | None, bool]:
    """Return the id of the order that a spot plan became, None when it became none (yet), and whether it never
    will: the venue calls a plan executed whose order it then refused.
    """
    rows, _ = data_of(_SUB_ORDERS, body)
    words = [(row.status.lower(), row.order_id) for row in rows or []]
    done = [order_id for word, order_id in words if word == "success" and order_id]
    if done:
        return name_of(done[-1], "the order id"), False
    return None, bool(words) and all(word in _FAILED for word, _ in words)
