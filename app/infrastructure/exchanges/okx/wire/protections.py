"""Protections: conditional algo orders that become market orders at their trigger.

POST /api/v5/trade/order-algo and /cancel-algos, GET /trade/order-algo and /orders-algo-pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.exchanges.outcomes import Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import plain
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.okx.wire.answer import Answer, milliseconds, name_of, only_row, rows_of
from app.infrastructure.exchanges.okx.wire.orders import PAGE
from app.infrastructure.exchanges.okx.wire.refusals import refused_order
from app.infrastructure.exchanges.okx.wire.terms import (
    MARGIN_WORDS,
    SIDE_WORDS,
    SIDES,
    Listed,
    Terms,
    lots,
    position_side,
)
from app.infrastructure.exchanges.reading import ZERO, Unreadable, positive_price

KIND: Final = "conditional"
_MARKET: Final = "-1"
_PREFIXES: Final[Mapping[TriggerKind, str]] = MappingProxyType(
    {TriggerKind.STOP_LOSS: "sl", TriggerKind.TAKE_PROFIT: "tp"}
)
_STATUSES: Final[Mapping[str, ProtectionStatus]] = MappingProxyType(
    {
        "live": ProtectionStatus.RESTING,
        "pause": ProtectionStatus.RESTING,
        "effective": ProtectionStatus.TRIGGERED,
        "partially_effective": ProtectionStatus.TRIGGERED,
        "order_placed": ProtectionStatus.TRIGGERED,
        "filled": ProtectionStatus.TRIGGERED,
        "canceled": ProtectionStatus.CANCELED,
        "order_failed": ProtectionStatus.REJECTED,
        "partially_failed": ProtectionStatus.REJECTED,
    }
)


class AlgoRow(msgspec.Struct, frozen=True, rename="camel"):
    """An algo order as queries and the stream show it."""

    inst_id: str
    algo_id: str
    ord_type: str
    side: str
    state: str
    sz: str = ""
    algo_cl_ord_id: str = ""
    ord_id: str = ""
    ord_id_list: list[str] | None = None
    sl_trigger_px: str = ""
    tp_trigger_px: str = ""
    sl_ord_px: str = ""
    tp_ord_px: str = ""
    u_time: str = ""
    c_time: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is of the kind that `place_text` writes: one trigger, a stated size, a market order."""
        one = bool(self.sl_trigger_px) != bool(self.tp_trigger_px)
        price = self.sl_ord_px if self.sl_trigger_px else self.tp_ord_px
        return self.ord_type == KIND and one and bool(self.sz) and price == _MARKET


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    algo_id: str
    algo_cl_ord_id: str = ""


_ACKNOWLEDGED: Final = msgspec.json.Decoder(Answer[_Ids])
_ALGOS: Final = msgspec.json.Decoder(Answer[AlgoRow])


def place_text(protection: PlaceProtection, terms: Terms) -> str:
    """Return the JSON of POST /trade/order-algo. It freezes nothing in advance; of a position it only reduces."""
    instrument, prefix = protection.instrument, _PREFIXES[protection.kind]
    fields: dict[str, object] = {
        "instId": instrument.venue_symbol,
        "tdMode": "cash" if terms.is_spot else MARGIN_WORDS[protection.margin_mode],
        "side": SIDE_WORDS[protection.side],
        "ordType": KIND,
        "sz": lots(instrument, protection.quantity),
        f"{prefix}TriggerPx": plain(protection.trigger),
        f"{prefix}OrdPx": _MARKET,
        f"{prefix}TriggerPxType": terms.trigger_by,
        "algoClOrdId": protection.client_order_id,
    }
    if terms.is_spot and protection.side is Side.BUY:
        fields["tgtCcy"] = "base_ccy"
    if not terms.is_spot:
        fields["reduceOnly"] = True
        if protection.position_mode is PositionMode.HEDGE:
            fields["posSide"] = position_side(protection.side, reduces=True)
    return msgspec.json.encode(fields).decode()


def cancel_text(instrument: Instrument, protection_id: str) -> str:
    """Return the JSON of POST /trade/cancel-algos for one."""
    return msgspec.json.encode([{"instId": instrument.venue_symbol, "algoId": protection_id}]).decode()


def protection_path(client_order_id: ClientOrderId) -> str:
    """Return the path of GET /trade/order-algo by our id."""
    return f"/api/v5/trade/order-algo?algoClOrdId={quote(client_order_id, safe='')}"


def open_protections_path(terms: Terms, instrument: Instrument | None, after: str) -> str:
    """Return a page's path of waiting conditional orders, older than the one named."""
    text = f"/api/v5/trade/orders-algo-pending?ordType={KIND}&instType={terms.inst_type}"
    if instrument is not None:
        text += f"&instId={instrument.venue_symbol}"
    return text + f"&limit={PAGE}" + (f"&after={after}" if after else "")


def outcome(
    protection: PlaceProtection, terms: Terms, status: int, body: bytes, headers: Mapping[str, str]
) -> ProtectionOutcome:
    """Classify the answer to a POST of `protection`; never raises."""
    refusal = refused_order(status, body, headers)
    if refusal is not None:
        return refusal
    try:
        found = only_row(_ACKNOWLEDGED, body)
        if found.algo_cl_ord_id != protection.client_order_id:
            return Unknown("the answer is about another client order id")
        protection_id = name_of(found.algo_id, "the algo id")
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")
    return Protected(
        ProtectionReport(
            venue=terms.venue,
            symbol=protection.instrument.symbol,
            protection_id=protection_id,
            client_order_id=protection.client_order_id,
            side=protection.side,
            kind=protection.kind,
            trigger=protection.trigger,
            quantity=protection.quantity,
            status=ProtectionStatus.RESTING,
            order_id=None,
            at=from_epoch_ms(protection.signed_ms),
        )
    )


def read_cancelled(protection_id: str, body: bytes) -> None:
    """Check that the acknowledgement of a cancellation is about our protection."""
    if only_row(_ACKNOWLEDGED, body).algo_id != protection_id:
        raise Unreadable("the answer is about another algo order")


def read_protection(listed: Listed, client_order_id: ClientOrderId, body: bytes) -> ProtectionReport | None:
    """Read the answer about one protection: None for no row, Unreadable when it is about another one."""
    rows = rows_of(_ALGOS, body)
    if not rows:
        return None
    for row in rows:
        if row.algo_cl_ord_id == client_order_id:
            return report_of(row, listed)
    raise Unreadable("the answer is about another algo order")


def read_open_protections(listed: Listed, body: bytes) -> tuple[list[ProtectionReport], str]:
    """Read one page of waiting protections and the id to page on from. Conditional orders of another make (a limit
    price, both triggers, a share of the position) were not placed by us and are left out.
    """
    rows = rows_of(_ALGOS, body)
    reports = [report_of(row, listed) for row in rows if row.is_ours and row.inst_id in listed.names]
    following = name_of(rows[-1].algo_id, "the algo id") if len(rows) >= PAGE else ""
    return [report for report in reports if not report.status.is_final], following


def report_of(row: AlgoRow, listed: Listed) -> ProtectionReport:
    """Build a report, or raise Unreadable when the row contradicts itself or is of another make."""
    side, status = SIDES.get(row.side), _STATUSES.get(row.state)
    quantity = listed.coins(row.inst_id, row.sz, "quantity")
    if side is None or status is None or not row.is_ours or quantity == ZERO:
        raise Unreadable("a protection of unknown side, status or make")
    stops = bool(row.sl_trigger_px)
    became = next((text for text in (*(row.ord_id_list or ()), row.ord_id) if text not in {"", "0"}), None)
    if row.state == "partially_failed" and became is not None:
        status = ProtectionStatus.TRIGGERED  # a part of it is an order all the same
    return ProtectionReport(
        venue=listed.terms.venue,
        symbol=listed.symbol(row.inst_id),
        protection_id=name_of(row.algo_id, "the algo id"),
        client_order_id=row.algo_cl_ord_id,
        side=side,
        kind=TriggerKind.STOP_LOSS if stops else TriggerKind.TAKE_PROFIT,
        trigger=positive_price(row.sl_trigger_px if stops else row.tp_trigger_px, "trigger"),
        quantity=quantity,
        status=status,
        order_id=name_of(became, "the order id") if became is not None else None,
        at=from_epoch_ms(milliseconds(row.u_time or row.c_time, "the time of the protection")),
    )
