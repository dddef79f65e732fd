"""Protections: their requests as text, and the first word on one that was acknowledged.

Futures: POST /api/v2/mix/order/place-tpsl-order, a partial plan that closes its size at market when the mark price
reaches it. Spot: POST /api/v2/spot/trade/place-plan-order, a plan that sells (or buys) a base quantity at market.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from app.domain.exchanges.outcomes import Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionReport
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import Price, plain
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.bitget.wire.orders import Acknowledged, encoded, page_text
from app.infrastructure.exchanges.bitget.wire.plans import KIND_WORDS
from app.infrastructure.exchanges.bitget.wire.products import SIDE_WORDS, Product

SUB_ORDERS: Final = "/api/v2/spot/trade/plan-sub-order"
_PLANS: Final = "&planType=profit_loss"


def protect_text(product: Product, protection: PlaceProtection) -> str:
    """Return the JSON of a new protection."""
    fields: dict[str, object] = {
        "symbol": protection.instrument.venue_symbol,
        **product.fields,
        "triggerPrice": plain(protection.trigger),
        "triggerType": "mark_price",
        "size": plain(protection.quantity),
        "clientOid": protection.client_order_id,
    }
    if product.is_spot:
        fields |= {"side": SIDE_WORDS[protection.side], "orderType": "market", "planType": "amount"}
        return encoded(fields)
    is_long = protection.side is Side.SELL
    words = ("long", "short") if protection.position_mode is PositionMode.HEDGE else ("buy", "sell")
    fields |= {"planType": KIND_WORDS[protection.kind], "executePrice": "0", "holdSide": words[not is_long]}
    return encoded(fields)


def cancel_plan_text(product: Product, instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of a cancellation."""
    if product.is_spot:
        return encoded({"clientOid": client_order_id})
    named = [{"orderId": "", "clientOid": client_order_id}]
    return encoded({"symbol": instrument.venue_symbol, **product.fields, "orderIdList": named})


def pending_text(
    product: Product, instrument: Instrument | None, before: str, client_order_id: str = ""
) -> str:
    """Return the query of a page of waiting plans; futures find one by our id, spot lists all of a market."""
    if product.is_spot:
        return page_text(product, instrument, before)
    named = f"&clientOid={quote(client_order_id, safe='')}" if client_order_id else ""
    return page_text(product, instrument, before, _PLANS + named)


def history_text(
    product: Product, instrument: Instrument, window: tuple[int, int], before: str, client_order_id: str
) -> str:
    """Return the query of a page of ended plans within (first, last) ms, at most ninety days apart."""
    span = f"&startTime={window[0]}&endTime={window[1]}"
    if product.is_spot:
        return page_text(product, instrument, before, span)
    return page_text(
        product, instrument, before, f"{_PLANS}&clientOid={quote(client_order_id, safe='')}{span}"
    )


def sub_order_text(plan_id: str) -> str:
    """Return the query for what a spot plan became."""
    return f"planOrderId={quote(plan_id, safe='')}"


def would_trigger(protection: PlaceProtection, mark: Price) -> bool:
    """Whether the mark is at or past the trigger already."""
    rises = protection.kind.rises(protection.side)
    return mark >= protection.trigger if rises else mark <= protection.trigger


def protected(product: Product, protection: PlaceProtection, found: Acknowledged) -> Protected | Unknown:
    """Return the outcome of a protection that was acknowledged."""
    if found.order_id is None:
        return Unknown("the acknowledgement names no plan")
    return Protected(
        ProtectionReport(
            venue=product.venue,
            symbol=protection.instrument.symbol,
            protection_id=found.order_id,
            client_order_id=protection.client_order_id,
            side=protection.side,
            kind=protection.kind,
            trigger=protection.trigger,
            quantity=protection.quantity,
            status=ProtectionStatus.RESTING,
            order_id=None,
            at=from_epoch_ms(found.at_ms or protection.signed_ms),
        )
    )
