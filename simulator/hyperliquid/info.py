"""Questions: what anybody may ask, of the markets and of any address. An address that is nobody's has nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.hyperliquid import orders, wire
from simulator.hyperliquid.addresses import Addresses
from simulator.hyperliquid.errors import Unprocessable
from simulator.hyperliquid.limits import Actions
from simulator.hyperliquid.params import CLOID, Fields
from simulator.hyperliquid.snapshots import past_fills
from simulator.hyperliquid.wire import Json, coin_of, dec, universe

FILLS_MAX = 2000
ROWS_MAX = 500
AGENT_VALID_MS = 180 * 86_400_000
LEVELS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """One question and what it is answered from."""

    exchange: Exchange
    addresses: Addresses
    actions: Actions
    fields: Fields

    @property
    def account(self) -> Account | None:
        """Return whose address was given, None when nobody's."""
        return self.addresses.user(self.fields.address("user"))

    @property
    def symbols(self) -> set[str]:
        """Return the engine's names of this dialect's markets; none of another deployer's."""
        if self.fields.text("dex", "") != "":
            return set()
        return {instrument.symbol for instrument in universe(self.exchange.state)}


def meta(q: Question) -> object:
    """Return the markets."""
    rows = [
        {"name": coin_of(i), "szDecimals": i.quantity_decimals, "maxLeverage": i.max_leverage, "marginTableId": 50}
        for i in universe(q.exchange.state)
        if i.symbol in q.symbols
    ]  # fmt: skip
    return {"universe": rows, "marginTables": [], "collateralToken": 0}


def meta_and_contexts(q: Question) -> object:
    """Return the markets and their prices."""
    state = q.exchange.state
    return [meta(q), [wire.context_json(state, i) for i in universe(state) if i.symbol in q.symbols]]


def all_mids(q: Question) -> object:
    """Return the price of every market."""
    state = q.exchange.state
    return {coin_of(i): wire.mark_text(state, i) for i in universe(state)}


def l2_book(q: Question) -> object:
    """Return the book of a market."""
    state, coin = q.exchange.state, q.fields.text("coin")
    found = next((i for i in universe(state) if coin_of(i) == coin), None)
    if found is None:
        raise Unprocessable
    ladder = state.ladder(found.symbol)
    sides = [
        [{"px": dec(price), "sz": wire.size(amount), "n": 1} for price, amount in levels[:LEVELS]]
        for levels in (ladder.bids, ladder.asks)
    ]
    return {"coin": coin, "time": state.now(), "levels": sides}


def exchange_status(q: Question) -> object:
    """Return the clock."""
    return {"time": q.exchange.state.now(), "specialStatuses": None}


def spot_meta(q: Question) -> object:
    """Return the spot side's tokens: it trades nothing here."""
    usdc = {
        "name": "USDC",
        "szDecimals": 8,
        "weiDecimals": 8,
        "index": 0,
        "tokenId": "0x0",
        "isCanonical": True,
    }
    return {"universe": [], "tokens": [usdc]}


def spot_meta_and_contexts(q: Question) -> object:
    """Return the spot side's tokens and no prices."""
    return [spot_meta(q), []]


def clearinghouse_state(q: Question) -> object:
    """Return positions and margin."""
    return wire.state_json(q.exchange.state, q.account)


def order_status(q: Question) -> object:
    """Return one order by its number or its cloid."""
    account, wanted = q.account, q.fields.values.get("oid")
    if isinstance(wanted, str) and CLOID.fullmatch(wanted):
        found = None if account is None else orders.by_cloid(q.exchange, account, wanted.lower())
    elif isinstance(wanted, int) and not isinstance(wanted, bool):
        found = None if account is None else orders.by_number(q.exchange, account, wanted)
    else:
        raise Unprocessable
    if found is None or found.symbol not in q.symbols or found.visible_ms > q.exchange.state.now():
        return {"status": "unknownOid"}
    return {"status": "order", "order": _row(q, found)}


def _row(q: Question, found: orders.Shown) -> Json:
    return {
        "order": orders.full_json(q.exchange, found),
        "status": found.word,
        "statusTimestamp": found.changed_ms,
    }


def _visible(q: Question) -> list[orders.Shown]:
    account, now = q.account, q.exchange.state.now()
    if account is None:
        return []
    return [found for found in orders.shown(q.exchange, account, q.symbols) if found.visible_ms <= now]


def frontend_open_orders(q: Question) -> object:
    """Return what rests and what waits."""
    return [orders.full_json(q.exchange, found) for found in _visible(q) if found.is_open]


def open_orders(q: Question) -> object:
    """Return the same in fewer words."""
    return [orders.basic_json(q.exchange, found) for found in _visible(q) if found.is_open]


def historical_orders(q: Question) -> object:
    """Return the latest orders, newest first."""
    return [_row(q, found) for found in reversed(_visible(q)[-FILLS_MAX:])]


def fills_of(q: Question) -> list[Json]:
    """Return every visible fill, oldest first."""
    account = q.account
    return [] if account is None else past_fills(q.exchange, account, q.symbols)


def user_fills(q: Question) -> object:
    """Return the latest fills, newest first."""
    return fills_of(q)[-FILLS_MAX:][::-1]


def user_fills_by_time(q: Question) -> object:
    """Return fills within a time, oldest first."""
    first, last = _window(q)
    return [row for row in fills_of(q) if first <= int(str(row["time"])) <= last][:FILLS_MAX]


def _window(q: Question) -> tuple[int, int]:
    return q.fields.integer("startTime", 0), q.fields.integer("endTime", (1 << 63) - 1)


def user_funding(q: Question) -> object:
    """Return funding payments within a time, oldest first."""
    account, state = q.account, q.exchange.state
    first, last = _window(q)
    return [
        {
            "time": change.time_ms,
            "hash": f"0x{0:064x}",
            "delta": {
                "type": "funding",
                "coin": coin_of(state.instruments[change.symbol]),
                "usdc": dec(change.amount),
                "szi": "0.0",
                "fundingRate": dec(state.funding_rates[change.symbol]),
                "nSamples": None,
            },
        }
        for change in (account.changes if account is not None else ())
        if change.kind == "FUNDING_FEE" and change.symbol in q.symbols and first <= change.time_ms <= last
    ][:ROWS_MAX]


def active_asset_data(q: Question) -> object:
    """Return leverage and margin mode of an account on a market."""
    state, coin = q.exchange.state, q.fields.text("coin")
    found = next((i for i in universe(state) if coin_of(i) == coin), None)
    if found is None:
        raise Unprocessable
    account = q.account
    leverage = (
        {"type": "cross", "value": 20}
        if account is None
        else wire.leverage_json(state, account, found.symbol)
    )
    return {
        "user": q.fields.address("user"),
        "coin": coin,
        "leverage": leverage,
        "maxTradeSzs": ["0.0", "0.0"],
        "availableToTrade": ["0.0", "0.0"],
        "markPx": wire.mark_text(state, found),
    }


def user_fees(q: Question) -> object:
    """Return what an account pays."""
    account = q.account
    maker = Decimal("0.00015") if account is None else account.maker_fee
    taker = Decimal("0.00045") if account is None else account.taker_fee
    return {
        "dailyUserVlm": [],
        "feeSchedule": {"cross": "0.00045", "add": "0.00015", "spotCross": "0.0007", "spotAdd": "0.0004"},
        "userCrossRate": dec(taker),
        "userAddRate": dec(maker),
        "userSpotCrossRate": "0.0007",
        "userSpotAddRate": "0.0004",
    }


def user_rate_limit(q: Question) -> object:
    """Return how many actions an account has used and has."""
    account = q.account
    traded = q.actions.traded(account) if account is not None else Decimal(0)
    used = q.actions.used[account.account_id] if account is not None else 0
    cap = q.actions.at_first + int(traded)
    return {
        "cumVlm": dec(round(traded, 2)),
        "nRequestsUsed": used,
        "nRequestsCap": cap,
        "nRequestsSurplus": 0,
    }


def user_role(q: Question) -> object:
    """Return what an address is."""
    address = q.fields.address("user")
    if q.addresses.user(address) is not None:
        return {"role": "user"}
    master = q.addresses.master(address)
    return {"role": "agent", "data": {"user": master}} if master else {"role": "missing"}


def extra_agents(q: Question) -> object:
    """Return who may sign for an account."""
    account = q.account
    until = q.exchange.state.now() + AGENT_VALID_MS
    agents = q.addresses.agents(account) if account is not None else []
    return [{"address": agent, "name": "sim", "validUntil": until} for agent in agents]


QUESTIONS: dict[str, Callable[[Question], object]] = {
    "meta": meta,
    "metaAndAssetCtxs": meta_and_contexts,
    "allMids": all_mids,
    "l2Book": l2_book,
    "exchangeStatus": exchange_status,
    "spotMeta": spot_meta,
    "spotMetaAndAssetCtxs": spot_meta_and_contexts,
    "spotClearinghouseState": lambda q: {"balances": []},
    "perpDexs": lambda q: [None],
    "userAbstraction": lambda q: "disabled",
    "clearinghouseState": clearinghouse_state,
    "orderStatus": order_status,
    "frontendOpenOrders": frontend_open_orders,
    "openOrders": open_orders,
    "historicalOrders": historical_orders,
    "userFills": user_fills,
    "userFillsByTime": user_fills_by_time,
    "userFunding": user_funding,
    "activeAssetData": active_asset_data,
    "userFees": user_fees,
    "userRateLimit": user_rate_limit,
    "userRole": user_role,
    "extraAgents": extra_agents,
}
