"""Account endpoints: futures positions, wallet and settings; spot coins; the rights of a key and what it pays.

One engine account is both: its USDT wallet pays for coins and backs positions alike.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from simulator.bitget.errors import ApiError, wrong
from simulator.bitget.rest import Context
from simulator.bitget.trading import MARGIN_MODES, futures_line
from simulator.bitget.wire import BILLS, Json, average, engine_symbol, id_text, mode_word, money, plain, shown
from simulator.engine.account import USDT, Account
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.ledger import BalanceChange
from simulator.engine.margin import available, locked, total_margin, unrealised
from simulator.engine.order import ZERO, PositionSide
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import CENT, State

BUSINESS = {"FUNDING_FEE": "contract_settle_fee", "DEPOSIT": "trans_from_exchange"}
MODES = {"one_way_mode": False, "hedge_mode": True}
FUTURES_RIGHTS, SPOT_RIGHTS = ["coow", "cpow"], ["stow"]
READ_RIGHTS = ["coor", "cpor", "stor"]


def futures_symbol(ctx: Context) -> str:
    """Return the engine's name of the contract in question."""
    return ctx.exchange.state.instrument(engine_symbol(Kind.LINEAR, ctx.params.text("symbol"))).symbol


def position_row(state: State, account: Account, position: Position) -> Json:
    """Write what is open on one contract; sizes are unsigned, the side tells the direction."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    held = abs(position.quantity)
    isolated = position.symbol in account.isolated
    margin = position.margin if isolated else held * mark / account.leverage(position.symbol)
    return {
        "marginCoin": instrument.settle,
        "symbol": shown(position.symbol),
        "holdSide": "long" if position.quantity > 0 else "short",
        "openDelegateSize": "0",
        "marginSize": money(margin),
        "available": plain(held),
        "locked": "0",
        "total": plain(held),
        "leverage": str(account.leverage(position.symbol)),
        "achievedProfits": money(position.realised_pnl),
        "openPriceAvg": average(instrument, position.entry_price) or "0",
        "marginMode": "isolated" if isolated else "crossed",
        "posMode": mode_word(hedge=position.side is not PositionSide.BOTH),
        "unrealizedPL": money(position.unrealised(mark)),
        "liquidationPrice": "0",
        "keepMarginRate": plain(instrument.maintenance_rate),
        "markPrice": plain(mark),
        "marginRatio": "0",
        "breakEvenPrice": "0",
        "totalFee": "0",
        "deductedFee": "0",
        "cTime": str(account.created_ms),
        "uTime": str(position.updated_ms),
    }


def open_positions(account: Account) -> list[Position]:
    """Return the linear positions that are not flat."""
    return [p for p in account.live_positions() if kind_of(p.symbol) is Kind.LINEAR]


def all_positions(ctx: Context) -> object:
    """GET /api/v2/mix/position/all-position, and single-position of one contract."""
    futures_line(ctx.params)
    only = futures_symbol(ctx) if ctx.params.optional("symbol") else None
    return [
        position_row(ctx.exchange.state, ctx.account, position)
        for position in open_positions(ctx.account)
        if only in (None, position.symbol)
    ]


def margin_row(state: State, account: Account) -> Json:
    """Return the futures wallet; equity holds the unrealised profit."""
    profit = unrealised(state, account).quantize(CENT, ROUND_HALF_EVEN)
    free = money(max(ZERO, available(state, account)))
    equity = account.wallet + profit
    return {
        "marginCoin": USDT,
        "locked": money(locked(state, account, USDT)),
        "available": money(account.wallet - locked(state, account, USDT)),
        "crossedMaxAvailable": free,
        "isolatedMaxAvailable": free,
        "maxTransferOut": free,
        "accountEquity": money(equity),
        "usdtEquity": money(equity),
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "crossedMargin": money(total_margin(state, account)),
        "unrealizedPL": money(profit),
        "crossedUnrealizedPL": money(profit),
        "isolatedUnrealizedPL": "0",
        "coupon": "0",
    }


def accounts(ctx: Context) -> object:
    """GET /api/v2/mix/account/accounts."""
    futures_line(ctx.params)
    return [margin_row(ctx.exchange.state, ctx.account)]


def account(ctx: Context) -> object:
    """GET /api/v2/mix/account/account: the wallet, with the settings of one contract."""
    futures_line(ctx.params)
    symbol, caller = futures_symbol(ctx), ctx.account
    leverage = caller.leverage(symbol)
    return {
        **margin_row(ctx.exchange.state, caller),
        "crossedMarginLeverage": leverage,
        "isolatedLongLever": leverage,
        "isolatedShortLever": leverage,
        "marginMode": "isolated" if symbol in caller.isolated else "crossed",
        "posMode": mode_word(hedge=caller.hedge_mode),
    }


def set_leverage(ctx: Context) -> object:
    """POST /api/v2/mix/account/set-leverage: both sides alike, whichever is named."""
    futures_line(ctx.params)
    symbol, wanted = futures_symbol(ctx), ctx.params.decimal("leverage")
    if wanted != int(wanted):
        raise wrong("leverage")
    ctx.exchange.set_leverage(ctx.account, symbol, int(wanted))
    return _leverages(ctx, symbol)


def _leverages(ctx: Context, symbol: str) -> Json:
    leverage = str(ctx.account.leverage(symbol))
    return {
        "symbol": shown(symbol),
        "marginCoin": USDT,
        "longLeverage": leverage,
        "shortLeverage": leverage,
        "crossMarginLeverage": leverage,
        "marginMode": "isolated" if symbol in ctx.account.isolated else "crossed",
    }


def set_margin_mode(ctx: Context) -> object:
    """POST /api/v2/mix/account/set-margin-mode: what is so already is no refusal."""
    futures_line(ctx.params)
    symbol, isolated = futures_symbol(ctx), ctx.params.member("marginMode", MARGIN_MODES)
    try:
        ctx.exchange.set_isolated(ctx.account, symbol, isolated=isolated)
    except Refusal as refusal:
        if refusal.reason in (Reason.OPEN_ORDERS_EXIST, Reason.OPEN_POSITIONS_EXIST):
            raise ApiError(
                "45117", "Currently holding positions or orders, the margin mode cannot be adjusted"
            ) from None
        if refusal.reason is not Reason.MODE_UNCHANGED:
            raise
    return _leverages(ctx, symbol)


def set_position_mode(ctx: Context) -> object:
    """POST /api/v2/mix/account/set-position-mode: what is so already is no refusal."""
    futures_line(ctx.params)
    hedge = ctx.params.member("posMode", MODES)
    if hedge != ctx.account.hedge_mode:
        ctx.exchange.set_hedge_mode(ctx.account, hedge=hedge)
    return {"posMode": mode_word(hedge=hedge)}


def bills(ctx: Context) -> object:
    """GET /api/v2/mix/account/bill: funding and transfers, newest first."""
    params = ctx.params
    futures_line(params)
    wanted, coin = params.optional("businessType"), params.optional("coin")
    first, last = params.window(ctx.exchange.state.now(), 30)
    found = [
        change
        for change in ctx.account.changes
        if change.kind in BUSINESS
        and wanted in (None, BUSINESS[change.kind])
        and change.asset == (coin or USDT).upper()
        and (not change.symbol or kind_of(change.symbol) is Kind.LINEAR)
        and first <= change.time_ms <= last
    ]
    rows = [_bill(change) for change in params.page(found, lambda change: BILLS + change.seq)]
    return {"bills": rows or None, "endId": rows[-1]["billId"] if rows else None}


def _bill(change: BalanceChange) -> Json:
    return {
        "billId": id_text(BILLS, change.seq),
        "symbol": shown(change.symbol),
        "amount": money(change.amount),
        "fee": "0",
        "feeByCoupon": "",
        "businessType": BUSINESS[change.kind],
        "coin": change.asset,
        "balance": money(change.balance),
        "cTime": str(change.time_ms),
    }


def coin_row(state: State, account: Account, coin: str) -> Json:
    """Return one coin of the spot account."""
    held = account.wallets.get(coin, ZERO)
    frozen = min(held, locked(state, account, coin))
    return {
        "coin": coin,
        "available": plain(held - frozen),
        "frozen": plain(frozen),
        "locked": "0",
        "limitAvailable": "0",
        "uTime": str(state.now()),
    }


def assets(ctx: Context) -> object:
    """GET /api/v2/spot/account/assets: of one coin, or of all that are held."""
    coin, wallets = ctx.params.optional("coin"), ctx.account.wallets
    chosen = [name for name, held in wallets.items() if (name == coin.upper() if coin else held)]
    return [coin_row(ctx.exchange.state, ctx.account, name) for name in chosen]


def account_info(ctx: Context) -> object:
    """GET /api/v2/spot/account/info."""
    rights = ctx.account.permissions
    granted = [*READ_RIGHTS] if rights.reading else []
    granted += FUTURES_RIGHTS if rights.futures else []
    granted += SPOT_RIGHTS if rights.spot else []
    granted += ["wwow"] if rights.withdrawals else []
    return {
        "userId": "1",
        "inviterId": "",
        "ips": "203.0.113.7" if rights.ip_restricted else "",
        "authorities": granted,
        "parentId": 1,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": str(ctx.account.created_ms),
    }


def trade_rate(ctx: Context) -> object:
    """GET /api/v2/common/trade-rate."""
    kinds: dict[str, Kind] = {"mix": Kind.LINEAR, "spot": Kind.SPOT}
    kind = ctx.params.member("businessType", kinds)
    ctx.exchange.state.instrument(engine_symbol(kind, ctx.params.text("symbol")))
    rates: dict[str, Decimal] = {
        "makerFeeRate": ctx.account.maker_fee,
        "takerFeeRate": ctx.account.taker_fee,
    }
    return {name: plain(rate) for name, rate in rates.items()}
