"""Booking one execution: position or coins, wallets, order and ledger, then the announcements."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from simulator.engine import isolated
from simulator.engine.account import Account
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import ZERO, Execution, Fill, Order, Side, Status
from simulator.engine.state import CENT, State


def execute(
    state: State,
    account: Account,
    order: Order,
    price: Decimal,
    quantity: Decimal,
    *,
    maker: bool = False,
    execution: Execution = Execution.TRADE,
) -> Fill:
    """Book that `quantity` of an order executed at `price`."""
    now, instrument = state.now(), state.instruments[order.symbol]
    value = instrument.value(quantity, price)
    order.executed += quantity
    order.cost += value
    order.updated_ms = now
    order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
    if order.status is Status.FILLED:
        state.forget(account, order)
    rate = account.maker_fee if maker else account.taker_fee
    trade_id = state.next_trade_id()
    reference = str(trade_id)
    if instrument.kind is Kind.SPOT:
        asset = instrument.base if order.side is Side.BUY else instrument.quote
        realised = ZERO
        commission = _exchange_coins(state, account, order, instrument, value, quantity, rate, reference)
    else:
        asset = instrument.settle
        realised = _move_position(state, account, order, instrument, price, quantity, reference)
        commission = (value * rate).quantize(CENT, ROUND_HALF_EVEN)
        if commission:
            state.credit(account, "COMMISSION", -commission, order.symbol, reference, asset)
    fill = Fill(
        state.ledger.next_seq(), trade_id, order.order_id, order.client_order_id, account.account_id, order.symbol,
        order.side, order.position_side, price, quantity, commission, realised, maker, now,
        now + state.rules.visibility_lag_ms, asset,
    )  # fmt: skip
    state.ledger.fills.append(fill)
    account.fills.append(fill)
    state.ledger.note(
        now, "FILL", account.account_id, order.symbol, order.order_id,
        {"trade_id": reference, "price": str(price), "quantity": str(quantity), "status": order.status.value},
    )  # fmt: skip
    _announce(state, account, order, instrument, fill, execution)
    return fill


def _move_position(
    state: State, account: Account, order: Order, instrument: Instrument, price: Decimal, quantity: Decimal,
    reference: str,
) -> Decimal:  # fmt: skip
    """Net the execution in and book the profit it realises, which is returned."""
    position = account.position(order.symbol, order.position_side)
    before = position.quantity
    realised = position.apply(quantity * order.side.sign, price).quantize(CENT, ROUND_HALF_EVEN)
    position.realised_pnl += realised
    position.updated_ms = order.updated_ms
    if realised:
        state.credit(account, "REALIZED_PNL", realised, order.symbol, reference, instrument.settle)
    if order.symbol in account.isolated:
        isolated.move(state, account, position, before, price, realised)
    state.index_holder(account, order.symbol)
    return realised


def _exchange_coins(
    state: State, account: Account, order: Order, instrument: Instrument, value: Decimal, quantity: Decimal,
    rate: Decimal, reference: str,
) -> Decimal:  # fmt: skip
    """Exchange coins and quote currency at spot; return the fee, which is taken from what is received."""
    paid = value.quantize(CENT, ROUND_HALF_EVEN)
    buys = order.side is Side.BUY
    gives, takes = (instrument.quote, instrument.base) if buys else (instrument.base, instrument.quote)
    given, taken = (paid, quantity) if buys else (quantity, paid)
    commission = (taken * rate).quantize(CENT, ROUND_HALF_EVEN)
    state.credit(account, "TRADE", -given, order.symbol, reference, gives)
    state.credit(account, "TRADE", taken, order.symbol, reference, takes)
    if commission:
        state.credit(account, "COMMISSION", -commission, order.symbol, reference, takes)
    return commission


def _announce(
    state: State, account: Account, order: Order, instrument: Instrument, fill: Fill, execution: Execution
) -> None:
    if instrument.kind is not Kind.SPOT:
        positions = (account.position(order.symbol, order.position_side),)
        for listener in state.listeners:
            listener.balance_changed(account, "ORDER", ZERO, positions, instrument.settle)
            listener.order_changed(account, order, execution, fill)
        return
    coins = fill.quantity * order.side.sign
    money = -instrument.value(fill.quantity, fill.price).quantize(CENT, ROUND_HALF_EVEN) * order.side.sign
    coins -= fill.commission if fill.commission_asset == instrument.base else ZERO
    money -= fill.commission if fill.commission_asset == instrument.quote else ZERO
    for listener in state.listeners:
        listener.balance_changed(account, "SPOT_TRADE", coins, (), instrument.base)
        listener.balance_changed(account, "SPOT_TRADE", money, (), instrument.quote)
        listener.order_changed(account, order, execution, fill)
