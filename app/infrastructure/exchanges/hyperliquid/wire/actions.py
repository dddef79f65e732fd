"""Actions: what is posted to /exchange, signed. The order of the fields is part of what is signed.

`expiresAfter` is the venue's own fence: it refuses the action later than that. The nonce is another: one that a signer
has used is never taken again, so that a copy of a request comes to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import Price, plain
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.hyperliquid.wire import prices
from app.infrastructure.exchanges.hyperliquid.wire.coins import asset_of
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of
from app.infrastructure.exchanges.hyperliquid.wire.signing import action_hash, signature
from app.infrastructure.exchanges.reading import Unreadable

EXCHANGE_PATH: Final = "/exchange"
Action: TypeAlias = Mapping[str, object]
_TIMES: Final = {TimeInForce.GTC: "Gtc", TimeInForce.IOC: "Ioc"}
_TRIGGERS: Final = {TriggerKind.STOP_LOSS: "sl", TriggerKind.TAKE_PROFIT: "tp"}


def signed_body(
    action: Action, secret: bytes, *, nonce: int, expires_ms: int | None, vault: str | None, source: str
) -> bytes:
    """Return the JSON body of POST /exchange; Unreadable when `secret` is no private key."""
    hashed = action_hash(msgspec.msgpack.encode(action), nonce=nonce, expires_ms=expires_ms, vault=vault)
    proof = signature(secret, hashed, source)
    return msgspec.json.encode(
        {
            "action": action,
            "nonce": nonce,
            "signature": {"r": proof.r, "s": proof.s, "v": proof.v},
            "vaultAddress": vault,
            "expiresAfter": expires_ms,
        }
    )


def place_action(order: PlaceOrder, mark: Price | None) -> Action:
    """Return the action that places an order; a market order is a bid or offer far through `mark` that may not rest."""
    if order.position_mode is not PositionMode.ONE_WAY:
        raise Unreadable("positions net at this venue")
    if order.type is OrderType.MARKET:
        if mark is None:
            raise Unreadable("a market order needs the mark, which was never heard")
        price, time = prices.market_price(order.instrument, order.side, mark), TimeInForce.IOC
    else:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        price, time = prices.limit_price(order.instrument, order.side, order.price), order.time_in_force
    return _one_order(
        order.instrument,
        order.side,
        price,
        order.quantity,
        {"limit": {"tif": _TIMES[time]}},
        order.client_order_id,
        reduce_only=order.reduce_only,
    )


def protect_action(protection: PlaceProtection) -> Action:
    """Return the action that places a trigger: it waits for the mark price and then takes what is there."""
    if protection.position_mode is not PositionMode.ONE_WAY:
        raise Unreadable("positions net at this venue")
    instrument, side = protection.instrument, protection.side
    trigger = prices.trigger_price(instrument, protection.kind, side, protection.trigger)
    kind = {"isMarket": True, "triggerPx": plain(trigger), "tpsl": _TRIGGERS[protection.kind]}
    return _one_order(
        instrument,
        side,
        prices.triggered_price(instrument, side, trigger),
        protection.quantity,
        {"trigger": kind},
        protection.client_order_id,
        reduce_only=True,
    )


def _one_order(
    instrument: Instrument,
    side: Side,
    price: Decimal,
    quantity: Decimal,
    kind: Mapping[str, object],
    client_order_id: ClientOrderId,
    *,
    reduce_only: bool,
) -> Action:
    order = {
        "a": asset_of(instrument),
        "b": side is Side.BUY,
        "p": plain(price),
        "s": plain(quantity),
        "r": reduce_only,
        "t": kind,
        "c": cloid_of(client_order_id),
    }
    return {"type": "order", "orders": [order], "grouping": "na"}


def cancel_action(instrument: Instrument, client_order_id: ClientOrderId) -> Action:
    """Return the action that cancels an order or a trigger by our id."""
    cancel = {"asset": asset_of(instrument), "cloid": cloid_of(client_order_id)}
    return {"type": "cancelByCloid", "cancels": [cancel]}


def leverage_action(instrument: Instrument, leverage: int, *, is_cross: bool) -> Action:
    """Return the action that sets leverage and margin mode of a market, which the venue sets together."""
    return {
        "type": "updateLeverage",
        "asset": asset_of(instrument),
        "isCross": is_cross,
        "leverage": leverage,
    }
