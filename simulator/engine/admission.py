"""What an order must pass before it is accepted: id, mode, size, price, minimum, count and margin, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulator.engine import spot
from simulator.engine.account import Account
from simulator.engine.book import Level, walk
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.margin import covers, opens
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side, Uniqueness
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an order may book, and the levels that it would execute against."""

    quantity: Decimal
    levels: list[Level]


def admit(state: State, account: Account, request: OrderRequest) -> Admitted:
    """Refuse what cannot be accepted; return the quantity to book and what the book gives for it."""
    instrument = state.instrument(request.symbol)
    check_client_id(state, account, request.client_order_id, request.unique)
    check_mode(account, request, instrument)
    levels = state.ladder(request.symbol).against(request.side)
    if instrument.kind is Kind.SPOT:
        quantity, reducing = spot.sized(instrument, request, levels), False
    else:
        quantity, reducing = _sized(account, instrument, request)
    market = request.type is OrderType.MARKET
    mark = state.mark(request.symbol)
    if not market:
        instrument.check_price(request.price, mark)
    if not reducing and not request.quote_quantity:
        instrument.check_notional(quantity, mark if market else request.price)
    taken = walk(levels, request.side, quantity, None if market else request.price)
    if not market and len(account.open_orders) >= instrument.max_open_orders:
        raise Refusal(Reason.TOO_MANY_OPEN_ORDERS)
    if not reducing:
        check_margin(state, account, request, quantity, taken, mark)
    return Admitted(quantity, taken)


def check_client_id(state: State, account: Account, client_order_id: str, venues: Uniqueness) -> None:
    """Refuse an id that the rule in force forbids to use again."""
    earlier = account.client_ids.get(client_order_id) if client_order_id else None
    if earlier is None:
        return
    rule = state.rules.uniqueness(venues)
    if rule == "always" or (rule == "open" and earlier.is_open):
        raise Refusal(Reason.DUPLICATE_CLIENT_ID)


def check_mode(account: Account, request: OrderRequest, instrument: Instrument) -> None:
    """Refuse what does not fit the account's position mode, or spot."""
    if instrument.kind is Kind.SPOT:
        spot.check_request(request)
        return
    if account.hedge_mode == (request.position_side is PositionSide.BOTH):
        raise Refusal(Reason.POSITION_SIDE_MISMATCH)
    if account.hedge_mode and request.reduce_only:
        raise Refusal(Reason.REDUCE_ONLY_IN_HEDGE_MODE)


def reducible(account: Account, symbol: str, side: Side, position_side: PositionSide) -> Decimal:
    """Return how much of a position an order of `side` could close."""
    return max(ZERO, -account.held(symbol, position_side) * side.sign)


def _sized(account: Account, instrument: Instrument, request: OrderRequest) -> tuple[Decimal, bool]:
    """Return the quantity to book and whether the order can only reduce."""
    closing_leg = not opens(request.side, request.position_side)
    if not (request.reduce_only or request.close_position or closing_leg):
        instrument.check_quantity(request.quantity, market=request.type is OrderType.MARKET)
        return request.quantity, False
    held = reducible(account, request.symbol, request.side, request.position_side)
    if request.close_position:
        if not held:
            raise Refusal(Reason.REDUCE_ONLY_REJECTED)
        return held, True
    instrument.check_quantity(request.quantity, market=request.type is OrderType.MARKET)
    # In hedge mode the venue refuses more than the leg holds; in one-way mode it trims.
    if not held or (closing_leg and request.quantity > held):
        raise Refusal(Reason.REDUCE_ONLY_REJECTED)
    return min(request.quantity, held), True


def check_margin(
    state: State,
    account: Account,
    request: OrderRequest,
    quantity: Decimal,
    taken: list[Level],
    mark: Decimal,
) -> None:
    """Refuse an order that the free margin, or at spot the free money or coins, does not pay for."""
    instrument = state.instruments[request.symbol]
    if instrument.kind is Kind.SPOT:
        market = request.type is OrderType.MARKET
        asset, amount = spot.gives(
            instrument, request.side, quantity, ZERO if market else request.price, taken
        )
        spot.check_funds(state, account, asset, amount)
        return
    cost = sum((instrument.value(part, price) for price, part in taken), ZERO)
    size = sum((part for _, part in taken), ZERO)
    at_mark, rest = instrument.value(size, mark), quantity - size
    resting = instrument.value(rest, request.price) if rest and request.price else ZERO
    exposure = (request.side, request.position_side, max(cost, at_mark) + resting)
    # A long that pays more than the mark has lost at once; of an inverse one its cost in coins is then the smaller.
    ahead = at_mark - cost if instrument.kind is Kind.INVERSE else cost - at_mark
    loss, fee = ahead * request.side.sign, cost * account.taker_fee
    if not covers(state, account, request.symbol, exposure, fee=fee, loss=loss):
        raise Refusal(Reason.INSUFFICIENT_MARGIN)
