"""Account endpoints: executions, positions, wallets, bills, leverage, position mode, fees and the configuration."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.ledger import BalanceChange
from simulator.engine.refusal import Reason, Refusal
from simulator.okx.errors import wrong
from simulator.okx.names import SPOT, SWAP, inst_id, inst_type, instrument_of, listed, plain
from simulator.okx.rest import Context
from simulator.okx.wire import Json, detail_json, fill_json, position_json

FUNDING, TRADE, TRANSFER, OTHER = "8", "2", "1", "22"
BILL_TYPES = {
    "FUNDING_FEE": FUNDING,
    "DEPOSIT": TRANSFER,
    "REALIZED_PNL": TRADE,
    "COMMISSION": TRADE,
    "TRADE": TRADE,
}
MODE_WORDS = {"net_mode": False, "long_short_mode": True}


def fills(ctx: Context) -> object:
    """GET /trade/fills and /trade/fills-history: newest first."""
    state, account, params = ctx.exchange.state, ctx.account, ctx.params
    now, order_id = state.now(), params.optional("ordId")
    symbols = {instrument.symbol for instrument in listed(state, params)}
    found = [
        fill
        for fill in reversed(account.fills)
        if fill.symbol in symbols
        and fill.visible_ms <= now
        and order_id in (None, str(fill.order_id))
        and params.within(fill.time_ms)
    ]
    return [fill_json(state, account, fill) for fill in params.page(found, lambda fill: fill.seq)]


def positions(ctx: Context) -> object:
    """GET /account/positions: those that are not flat."""
    state, account = ctx.exchange.state, ctx.account
    symbols = {instrument.symbol for instrument in listed(state, ctx.params)}
    return [position_json(state, account, p) for p in account.live_positions() if p.symbol in symbols]


def balance(ctx: Context) -> object:
    """GET /account/balance: of the assets named, or of all."""
    state, account = ctx.exchange.state, ctx.account
    wanted = (ctx.params.optional("ccy") or "").split(",")
    details = [
        detail_json(state, account, asset)
        for asset, held in account.wallets.items()
        if held and (wanted == [""] or asset in wanted)
    ]
    return [balance_json(state.now(), account.wallet, details)]


def balance_json(now: int, total: Decimal, details: list[Json]) -> Json:
    """Return the account's balance with these wallets; the total counts USDT alone."""
    return {
        "uTime": str(now), "totalEq": plain(total), "isoEq": "0", "adjEq": "", "ordFroz": "", "imr": "", "mmr": "",
        "mgnRatio": "", "notionalUsd": "", "upl": "", "availEq": "", "borrowFroz": "", "details": details,
    }  # fmt: skip


def configuration(ctx: Context) -> object:
    """GET /account/config: an account in futures mode."""
    account, rights = ctx.account, ctx.account.permissions
    trades = rights.futures and rights.spot
    words = ["read_only", *(["trade"] if trades else []), *(["withdraw"] if rights.withdrawals else [])]
    return [
        {
            "uid": account.account_id,
            "mainUid": account.account_id,
            "label": account.label,
            "acctLv": "2",
            "posMode": "long_short_mode" if account.hedge_mode else "net_mode",
            "perm": ",".join(words),
            "ip": "203.0.113.7" if rights.ip_restricted else "",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "mgnIsoMode": "automatic",
            "greeksType": "PA",
            "level": "Lv1",
            "roleType": "0",
            "type": "0",
        }
    ]


def set_leverage(ctx: Context) -> object:
    """POST /account/set-leverage: isolated margin in long/short mode names the side too."""
    params, account = ctx.params, ctx.account
    instrument = instrument_of(ctx.exchange.state, params.text("instId"))
    mode, lever, side = params.text("mgnMode"), params.decimal("lever"), params.optional("posSide") or "net"
    if mode not in ("cross", "isolated"):
        raise wrong("mgnMode")
    if (mode == "isolated" and account.hedge_mode) != (side in ("long", "short")):
        raise wrong("posSide")
    if lever != int(lever):
        raise wrong("lever")
    ctx.exchange.set_leverage(account, instrument.symbol, int(lever))
    return [{"instId": inst_id(instrument), "lever": str(int(lever)), "mgnMode": mode, "posSide": side}]


def leverage(ctx: Context) -> object:
    """GET /account/leverage-info."""
    instrument = instrument_of(ctx.exchange.state, ctx.params.text("instId"))
    mode = ctx.params.text("mgnMode")
    sides = ("long", "short") if ctx.account.hedge_mode and mode == "isolated" else ("net",)
    lever = str(ctx.account.leverage(instrument.symbol))
    return [
        {"instId": inst_id(instrument), "mgnMode": mode, "posSide": side, "lever": lever} for side in sides
    ]


def set_mode(ctx: Context) -> object:
    """POST /account/set-position-mode: no change is a yes."""
    hedge = ctx.params.member("posMode", MODE_WORDS)
    try:
        ctx.exchange.set_hedge_mode(ctx.account, hedge=hedge)
    except Refusal as refusal:
        if refusal.reason is not Reason.MODE_UNCHANGED:
            raise
    return [{"posMode": ctx.params.text("posMode")}]


def fees(ctx: Context) -> object:
    """GET /account/trade-fee: below zero what the account pays."""
    kind = ctx.params.text("instType")
    if kind not in (SPOT, SWAP):
        raise wrong("instType")
    if ctx.params.optional("instId"):
        instrument_of(ctx.exchange.state, ctx.params.text("instId"))
    maker, taker = (plain(-rate) for rate in (ctx.account.maker_fee, ctx.account.taker_fee))
    is_swap = kind == SWAP
    return [
        {
            "instType": kind, "level": "Lv1", "category": "1", "ts": str(ctx.exchange.state.now()), "delivery": "",
            "exercise": "", "maker": maker, "taker": taker, "makerU": maker if is_swap else "",
            "takerU": taker if is_swap else "", "makerUSDC": "", "takerUSDC": "", "ruleType": "normal", "fiat": [],
            "feeGroup": [{"groupId": "1", "maker": maker, "taker": taker, "elpMaker": ""}],
        }
    ]  # fmt: skip


def bills(ctx: Context) -> object:
    """GET /account/bills and its archive: newest first."""
    params, account = ctx.params, ctx.account
    kind, market = params.optional("type"), params.optional("instType")
    found = [
        (change, row)
        for change in reversed(account.changes)
        if params.within(change.time_ms)
        and (row := _bill(ctx, change))["type"] == (kind or row["type"])
        and row["instType"] == (market or row["instType"])
    ]
    return [row for _, row in params.page(found, lambda entry: entry[0].seq)]


def _bill(ctx: Context, change: BalanceChange) -> Json:
    instrument = ctx.exchange.state.instruments.get(change.symbol)
    kind = BILL_TYPES.get(change.kind, OTHER)
    sub_type = ("174" if change.amount > 0 else "173") if kind == FUNDING else ""
    return {
        "billId": str(change.seq),
        "instType": inst_type(instrument) if instrument else "",
        "instId": inst_id(instrument) if instrument else "",
        "ccy": change.asset,
        "type": kind,
        "subType": sub_type,
        "balChg": plain(change.amount),
        "bal": plain(change.balance),
        "pnl": "0" if change.kind == "COMMISSION" else plain(change.amount),
        "fee": plain(change.amount) if change.kind == "COMMISSION" else "0",
        "sz": "", "posBal": "0", "posBalChg": "0", "mgnMode": "cross", "ordId": "", "from": "", "to": "", "notes": "",
        "ts": str(change.time_ms),
    }  # fmt: skip
