"""What an account may do: place orders and triggers, cancel them by number or cloid, set leverage and margin mode."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from simulator.engine.account import Account
from simulator.engine.conditional import Conditional, ConditionalType
from simulator.engine.exchange import Exchange
from simulator.engine.instrument import Instrument
from simulator.engine.order import ZERO, Order, OrderRequest, OrderType, Side, TimeInForce
from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply
from simulator.hyperliquid import orders
from simulator.hyperliquid.errors import MISSING, NO_MATCH, ActionError, done, text_of
from simulator.hyperliquid.params import Fields
from simulator.hyperliquid.wire import Json, dec, size, universe

TIMES = {
    "Gtc": TimeInForce.GTC,
    "Ioc": TimeInForce.IOC,
    "FrontendMarket": TimeInForce.IOC,
    "Alo": TimeInForce.GTX,
}
TRIGGERS = {
    ("sl", True): ConditionalType.STOP_MARKET,
    ("sl", False): ConditionalType.STOP,
    ("tp", True): ConditionalType.TAKE_PROFIT_MARKET,
    ("tp", False): ConditionalType.TAKE_PROFIT,
}
FAR = Decimal("0.8")
FIGURES, DECIMALS = 5, 6


def order(exchange: Exchange, account: Account, action: Fields) -> Reply:
    """Place orders; each has a status of its own."""
    if action.text("grouping") == "normalTpsl":
        raise ActionError("Orders with attached triggers are not simulated.")
    return done("order", [_placed(exchange, account, row) for row in action.objects("orders")])


def _placed(exchange: Exchange, account: Account, row: Fields) -> Json:
    number = row.integer("a")
    try:
        instrument = _market(exchange, number)
        _check_price(instrument, row.number("p"))
        if "trigger" in row.object("t").values:
            conditional = _trigger(exchange, account, instrument, row)
            return {"resting": _ids(conditional.algo_id, row)}
        return _acknowledged(_request(exchange, account, instrument, row), row, number)
    except Refusal as refusal:
        return {"error": f"{text_of(refusal)} asset={number}"}


def _market(exchange: Exchange, number: int) -> Instrument:
    markets = universe(exchange.state)
    if number >= len(markets):
        raise Refusal(Reason.UNKNOWN_SYMBOL)
    return markets[number]


def _check_price(instrument: Instrument, price: Decimal) -> None:
    """Refuse what has more than five significant figures, unless it is whole, or too many decimals."""
    if price <= 0:
        raise Refusal(Reason.PRICE_NOT_POSITIVE)
    digits = price.normalize()
    decimals = max(0, -int(digits.as_tuple().exponent))
    figures = len(digits.as_tuple().digits)
    if decimals and (figures > FIGURES or decimals > DECIMALS - instrument.quantity_decimals):
        raise Refusal(Reason.PRICE_OFF_TICK)


def _request(exchange: Exchange, account: Account, instrument: Instrument, row: Fields) -> Order:
    side = Side.BUY if row.flag("b") else Side.SELL
    time = TIMES[row.object("t").object("limit").text("tif")]
    request = OrderRequest(
        symbol=instrument.symbol,
        side=side,
        type=OrderType.LIMIT,
        quantity=row.number("s"),
        price=_engine_price(exchange, instrument, side, row.number("p"), takes=time is TimeInForce.IOC),
        time_in_force=time,
        reduce_only=row.flag("r"),
        client_order_id=row.cloid("c", needed=False),
        unique="none",
    )
    return exchange.desk.place(account, request)


def _engine_price(
    exchange: Exchange, instrument: Instrument, side: Side, price: Decimal, *, takes: bool
) -> Decimal:
    """Return a price on the engine's tick; one that only takes may lie up to 80 % away, which the book never does."""
    mark = exchange.state.mark(instrument.symbol)
    if takes:
        if abs(price - mark) > mark * FAR:
            raise Refusal(Reason.PRICE_ABOVE_BAND)
        band = mark * instrument.price_band
        price = min(price, mark + band) if side is Side.BUY else max(price, mark - band)
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return (price / instrument.tick).to_integral_value(rounding) * instrument.tick


def _acknowledged(placed: Order, row: Fields, number: int) -> Json:
    if placed.is_open:
        return {"resting": _ids(placed.order_id, row)}
    if not placed.executed:
        return {"error": f"{NO_MATCH} asset={number}"}
    mean = round(placed.average_price, 8)
    return {
        "filled": {
            "totalSz": size(placed.executed),
            "avgPx": dec(mean),
            **_ids(placed.order_id, row),
        }
    }


def _ids(oid: int, row: Fields) -> Json:
    cloid = row.cloid("c", needed=False)
    return {"oid": oid, "cloid": cloid} if cloid else {"oid": oid}


def _trigger(exchange: Exchange, account: Account, instrument: Instrument, row: Fields) -> Conditional:
    side = Side.BUY if row.flag("b") else Side.SELL
    trigger = row.object("t").object("trigger")
    at, limit, market = trigger.number("triggerPx"), row.number("p"), trigger.flag("isMarket")
    _check_price(instrument, at)
    # The limit of what it becomes must not lie on the near side of its trigger.
    if market and (limit > at if side is Side.SELL else limit < at):
        raise Refusal(Reason.WOULD_TRIGGER)
    cloid = row.cloid("c", needed=False)
    request = OrderRequest(
        symbol=instrument.symbol,
        side=side,
        type=OrderType.MARKET if market else OrderType.LIMIT,
        quantity=row.number("s"),
        price=ZERO if market else limit,
        reduce_only=row.flag("r"),
        client_order_id=cloid,
        unique="none",
    )
    kind = TRIGGERS[trigger.text("tpsl"), market]
    conditional = Conditional(0, cloid, account.account_id, kind, request, at, "MARK_PRICE", 0, 0)
    return exchange.conditionals.place(account, conditional)


def cancel(exchange: Exchange, account: Account, action: Fields) -> Reply:
    """Carry out `cancel`: each order has a status of its own."""
    return done(
        "cancel",
        [
            _cancelled(exchange, account, orders.by_number(exchange, account, row.integer("o")), row.integer("a"))
            for row in action.objects("cancels")
        ],
    )  # fmt: skip


def cancel_by_cloid(exchange: Exchange, account: Account, action: Fields) -> Reply:
    """Carry out `cancelByCloid`; of several orders with one cloid the latest is meant."""
    return done(
        "cancel",
        [
            _cancelled(exchange, account, orders.by_cloid(exchange, account, row.cloid("cloid")), row.integer("asset"))
            for row in action.objects("cancels")
        ],
    )  # fmt: skip


def _cancelled(exchange: Exchange, account: Account, found: orders.Shown | None, number: int) -> object:
    try:
        if found is None or not found.is_open or found.symbol != _market(exchange, number).symbol:
            raise Refusal(Reason.UNKNOWN_ORDER)
        if found.order is not None:
            exchange.desk.cancel(account, found.order)
        else:
            exchange.conditionals.cancel(account, found.conditional)
    except Refusal:
        return {"error": f"{MISSING} asset={number}"}
    return "success"


def update_leverage(exchange: Exchange, account: Account, action: Fields) -> Reply:
    """Set leverage and margin mode of a market together."""
    try:
        symbol = _market(exchange, action.integer("asset")).symbol
        leverage = action.integer("leverage")
        if not 1 <= leverage <= exchange.state.instrument(symbol).max_leverage:
            raise Refusal(Reason.LEVERAGE_INVALID)
        isolated = not action.flag("isCross")
        if isolated != (symbol in account.isolated):
            exchange.set_isolated(account, symbol, isolated=isolated)
        exchange.set_leverage(account, symbol, leverage)
    except Refusal as refusal:
        raise ActionError(text_of(refusal)) from None
    return done("default")


def noop(exchange: Exchange, account: Account, action: Fields) -> Reply:
    """Use up a nonce."""
    return done("default")


ACTIONS: dict[str, Callable[[Exchange, Account, Fields], Reply]] = {
    "order": order,
    "cancel": cancel,
    "cancelByCloid": cancel_by_cloid,
    "updateLeverage": update_leverage,
    "noop": noop,
}
