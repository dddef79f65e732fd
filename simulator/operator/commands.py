"""The operator's commands on the exchange: each takes an Input and returns what to answer."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.account import USDT, Permissions
from simulator.engine.exchange import Exchange, NewAccount
from simulator.engine.instrument import Instrument, kind_of
from simulator.engine.instrument import Kind as MarketKind
from simulator.engine.order import ZERO, OrderRequest, OrderType, Origin, PositionSide, Side
from simulator.faults import STREAM_ENDPOINT, STREAM_KINDS, Kind, Rule
from simulator.operator.inputs import BadInput, Input

Answer = dict[str, object]
MOST_STEPS = 100_000


def open_accounts(exchange: Exchange, given: Input) -> Answer:
    """Open accounts in bulk; all or none."""
    given.only("accounts")
    wanted = [_account(row) for row in given.objects("accounts")]
    labels = [account.label for account in wanted]
    taken = {account.label for account in exchange.state.accounts.values()}
    doubled = sorted(_doubled(labels, taken))
    if doubled:
        raise BadInput(f"labels already in use: {', '.join(doubled[:10])}", 409, "LABEL_TAKEN")
    try:
        opened = [exchange.open_account(account) for account in wanted]
    except ValueError as error:
        raise BadInput(str(error), 409, "LABEL_TAKEN") from None
    return {
        "accounts": [
            {
                "account_id": a.account_id,
                "label": a.label,
                "api_key": a.api_key,
                "api_secret": a.secret.decode(),
            }
            for a in opened
        ]
    }


def _doubled(labels: list[str], taken: set[str]) -> set[str]:
    seen = set(taken)
    doubled: set[str] = set()
    for label in labels:
        if label in seen:
            doubled.add(label)
        seen.add(label)
    return doubled


def _account(row: Input) -> NewAccount:
    row.only("label", "balance", "balances", "taker_fee", "maker_fee", "permissions", "api_key", "api_secret")
    rights = row.object("permissions")
    rights.only("reading", "futures", "spot", "withdrawals", "ip_restricted")
    balance = row.decimal("balance")
    balances = row.decimals("balances") if row.has("balances") else {}
    if balance < 0 or any(amount < 0 for amount in balances.values()):
        raise BadInput("balance must not be negative")
    if USDT in balances:
        raise BadInput("balance is the USDT wallet; balances are the other assets")
    return NewAccount(
        row.text("label"),
        balance,
        row.decimal("taker_fee", Decimal("0.0005")),
        row.decimal("maker_fee", Decimal("0.0002")),
        Permissions(
            rights.flag("reading", default=True),
            rights.flag("futures", default=True),
            rights.flag("withdrawals", default=False),
            rights.flag("ip_restricted", default=False),
            rights.flag("spot", default=True),
        ),
        row.text("api_key", ""),
        row.text("api_secret", ""),
        balances,
    )


def deposit(exchange: Exchange, given: Input) -> Answer:
    """Move money into an account, or out with a negative amount."""
    given.only("account_id", "amount", "asset")
    account = exchange.state.account(given.text("account_id"))
    asset = given.text("asset", USDT)
    exchange.deposit(account, given.decimal("amount"), asset)
    wallet = account.wallets.get(asset, ZERO)
    return {"account_id": account.account_id, "asset": asset, "wallet": f"{wallet:f}"}


def list_instruments(exchange: Exchange, given: Input) -> Answer:
    """List instruments, or change the rules and price of listed ones."""
    given.only("instruments")
    wanted = [_instrument(row) for row in given.objects("instruments")]
    for instrument in wanted:
        exchange.list_instrument(instrument)
    return {"instruments": [instrument.symbol for instrument in wanted]}


def _instrument(row: Input) -> Instrument:
    row.only(
        "symbol", "kind", "base", "quote", "price", "tick", "step", "min_qty", "min_notional", "max_qty", "max_market_qty",
        "spread_ticks", "depth_qty", "levels", "maintenance_rate", "max_leverage", "price_band", "max_open_orders",
    )  # fmt: skip
    symbol = row.text("symbol")
    pair, _, suffix = symbol.partition(":")
    kind = row.choice("kind", MarketKind, kind_of(symbol))
    quote = row.text("quote", "USD" if kind is MarketKind.INVERSE else USDT)
    base = row.text("base", pair.removesuffix(quote))
    known = suffix in {"", "SPOT", "INVERSE"} and symbol == (f"{pair}:{suffix}" if suffix else pair)
    if not known or not pair.isalnum() or symbol != symbol.upper() or not base:
        raise BadInput(
            f"symbol {symbol!r} must be upper-case letters and digits, a base and a quote, then :SPOT or :INVERSE if so"
        )
    step = row.decimal("step")
    most = row.decimal("max_qty", Decimal(1_000_000))
    try:
        return Instrument(
            symbol, base, quote, row.decimal("price"), row.decimal("tick"), step, row.decimal("min_qty", step),
            row.decimal("min_notional", Decimal(5)), most, row.decimal("max_market_qty", most),
            row.integer("spread_ticks", 1, 1), row.decimal("depth_qty", Decimal(10)), row.integer("levels", 20, 1),
            row.decimal("maintenance_rate", Decimal("0.005")), row.integer("max_leverage", 125, 1),
            row.decimal("price_band", Decimal("0.05")), row.integer("max_open_orders", 200, 1),
            kind,
        )  # fmt: skip
    except ValueError as error:
        raise BadInput(f"{symbol}: {error}") from None


def set_prices(exchange: Exchange, given: Input) -> Answer:
    """Set mark prices outright, all or none."""
    given.only("prices")
    prices = given.decimals("prices")
    for symbol, price in prices.items():
        exchange.state.instrument(symbol).check_price(price)
    exchange.set_prices(prices)
    return {"prices": _prices(exchange.state.tape.marks)}


def tick(exchange: Exchange, given: Input) -> Answer:
    """Advance the walk of every symbol."""
    given.only("steps")
    steps = given.integer("steps", 1, 1)
    if steps > MOST_STEPS:
        raise BadInput(f"steps must not exceed {MOST_STEPS}")
    return {"prices": _prices(exchange.tick(steps))}


def _prices(marks: dict[str, Decimal]) -> dict[str, str]:
    return {symbol: f"{price:f}" for symbol, price in marks.items()}


def book_fills(exchange: Exchange, given: Input) -> Answer:
    """Book one order of an account as exactly the given executions; `deleveraged`: the venue's own, against the winner."""
    given.only("account_id", "symbol", "side", "position_side", "client_order_id", "quantity", "reduce_only", "fills",
               "final", "deleveraged")  # fmt: skip
    deleveraged = given.flag("deleveraged", default=False)
    account = exchange.state.account(given.text("account_id"))
    executions = [(row.decimal("price"), row.decimal("quantity")) for row in given.objects("fills")]
    request = OrderRequest(
        symbol=given.text("symbol"),
        side=given.choice("side", Side),
        type=OrderType.MARKET,
        quantity=given.decimal("quantity", ZERO),
        position_side=given.choice("position_side", PositionSide, PositionSide.BOTH),
        reduce_only=given.flag("reduce_only", default=False),
        client_order_id=given.text("client_order_id", "adl_autoclose" if deleveraged else ""),
        origin=Origin.DELEVERAGING if deleveraged else Origin.OPERATOR,
    )
    order = exchange.desk.book(account, request, executions, final=given.flag("final", default=True))
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "status": order.status.value,
        "executed_quantity": f"{order.executed:f}",
        "average_price": f"{order.average_price:f}",
    }


def fund(exchange: Exchange, given: Input) -> Answer:
    """Settle funding of one symbol at a rate."""
    given.only("symbol", "rate")
    return {"accounts": exchange.fund(given.text("symbol"), given.decimal("rate"))}


def read_rules(given: Input) -> list[Rule]:
    """Read fault rules."""
    given.only("rules")
    return [_rule(row) for row in given.objects("rules")]


def _rule(row: Input) -> Rule:
    row.only("endpoint", "kind", "status", "body", "retry_after", "ms", "probability", "times", "account_id", "event",
             "executes")  # fmt: skip
    endpoint, kind = row.text("endpoint"), row.choice("kind", Kind)
    if (endpoint == STREAM_ENDPOINT) != (kind in STREAM_KINDS):
        raise BadInput(f"kind {kind} does not belong to endpoint {endpoint}")
    if endpoint not in {STREAM_ENDPOINT, "*"} and (" /" not in endpoint):
        raise BadInput('endpoint must be "METHOD /path", "*" or "WS"')
    if kind is Kind.HTTP_STATUS and not 200 <= row.integer("status", 0) <= 599:
        raise BadInput("http_status needs a status between 200 and 599")
    if kind in {Kind.LATENCY, Kind.SLOW_REPLY, Kind.DELAY} and not row.has("ms"):
        raise BadInput(f"{kind} needs ms")
    # A mangled reply usually hides a done order, which is what makes it dangerous; a plain status means refused.
    executes = row.flag("executes", default=kind in {Kind.GARBAGE, Kind.HTML, Kind.EMPTY, Kind.RESET_MIDWAY})
    return Rule(
        endpoint,
        kind,
        row.integer("status", 0),
        row.text("body", "") if row.has("body") else None,
        row.integer("retry_after") if row.has("retry_after") else None,
        row.integer("ms", 0),
        row.share("probability"),
        row.integer("times") if row.has("times") else None,
        row.text("account_id") if row.has("account_id") else None,
        row.text("event") if row.has("event") else None,
        executes,
    )
