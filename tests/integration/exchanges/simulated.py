"""Recipes for exchanges that the simulator speaks: the generic gateway is proven on them, though each has a gateway of
its own in the product. They also show what a new exchange takes: one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.exchanges.outcomes import RefusalKind
from app.domain.exchanges.ports import KeyFacts
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.costs import WEIGHTS
from app.infrastructure.exchanges.generic.recipe import Params, Recipe, Row, enveloped
from app.infrastructure.exchanges.generic.row import parts
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.venue_row import VenueRow
from tests.contract.exchanges.dialects import DIALECTS, Dialect


def codes(kinds: Mapping[RefusalKind, str]) -> dict[str, RefusalKind]:
    return {code: kind for kind, listed in kinds.items() for code in listed.split()}


def recv_window(signed_ms: int, valid_ms: int) -> Params:
    return {"recvWindow": valid_ms}


async def binance_key(client: Any) -> KeyFacts:
    row = await client.sapiGetAccountApiRestrictions()
    return KeyFacts(row["enableFutures"], row["enableWithdrawals"], row["ipRestrict"])


async def bybit_look_up(client: Any, symbol: str, spelled: str) -> Row | None:
    for method in (client.fetch_open_orders, client.fetch_closed_orders):
        rows = await method(symbol, None, None, {"orderLinkId": spelled})
        if rows:
            found: Row = rows[0]
            return found
    return None


async def bybit_key(client: Any) -> KeyFacts:
    row = (await client.privateGetV5UserQueryApi())["result"]
    rights = row["permissions"]
    return KeyFacts(
        "Order" in rights.get("ContractTrade", ()),
        "Withdraw" in rights.get("Wallet", ()),
        row["ips"] != ["*"],
    )


BINANCE: Final = Recipe(
    "binanceusdm",
    options={
        "defaultType": "swap",
        "fetchMarkets": {"types": ["linear"]},
        "fetchPositions": {"useV2": True},
        "fetchOpenOrders": {"warnWithoutSymbol": False},
    },
    histories=("fetch_orders",),
    window=recv_window,
    kinds=codes(
        {
            RefusalKind.INSUFFICIENT_FUNDS: "-2018 -2019",
            RefusalKind.FILTER: "-1111 -4003 -4164",
            RefusalKind.NOTHING_TO_REDUCE: "-2022",
            RefusalKind.CLOCK: "-1021",
            RefusalKind.MODE: "-4061",
            RefusalKind.KEY: "-2014 -2015 -1022",
            RefusalKind.THROTTLED: "-1003 -1015",
        }
    ),
    duplicates=frozenset({"-4116"}),
    unknown=frozenset({"-1000", "-1001", "-1006", "-1007", "-1008"}),
    unchanged=frozenset({"-4046", "-4059"}),
    profit=("realizedPnl",),
    wallet=("balance",),
    mark=("markPrice",),
    marks="fetch_mark_prices",
    fill_page=1000,
    order_trades=False,
    rings=False,  # the simulated exchange does not serve the library's address of that socket
    hedges=True,
    key_facts=binance_key,
)

BYBIT: Final = Recipe(
    "bybit",
    options={
        "defaultType": "swap",
        "enableUnifiedAccount": True,
        "enableUnifiedMargin": False,
        "unifiedMarginStatus": 6,
        "fetchMarkets": {"types": ["linear"]},
        "fetchOrder": {"acknowledged": True},
    },
    look_up=bybit_look_up,
    speaks=enveloped("retCode"),
    kinds=codes(
        {
            RefusalKind.INSUFFICIENT_FUNDS: "110004 110007 110012 110044",
            RefusalKind.FILTER: "10001 110003 110094",
            RefusalKind.NOTHING_TO_REDUCE: "110017",
            RefusalKind.CLOCK: "10002",
            RefusalKind.KEY: "10003 10004 10005 10010 33004",
            RefusalKind.THROTTLED: "10006 10018 10429",
        }
    ),
    duplicates=frozenset({"110072"}),
    unknown=frozenset({"10000", "10016", "10019"}),
    unchanged=frozenset({"110025", "110026", "110043"}),
    executed_id=("orderLinkId",),
    profit=("execPnl",),
    wallet=("walletBalance",),
    mark=("markPrice",),
    silent=frozenset({403, 429}),
    key_facts=bybit_key,
)


async def okx_key(client: Any) -> KeyFacts:
    row = (await client.privateGetAccountConfig())["data"][0]
    rights = row["perm"].split(",")
    return KeyFacts("trade" in rights, "withdraw" in rights, bool(row["ip"]))


OKX: Final = Recipe(
    "okx",
    options={
        "defaultType": "swap",
        "fetchMarkets": {"types": ["swap"]},
        "createOrder": "privatePostTradeOrder",
    },
    histories=("fetch_closed_orders", "fetch_canceled_orders"),
    speaks=enveloped("code", "data"),
    kinds=codes(
        {
            RefusalKind.INSUFFICIENT_FUNDS: "51008 51131",
            RefusalKind.FILTER: "51020 51121 51006",
            RefusalKind.NOTHING_TO_REDUCE: "51023 51169",
            RefusalKind.CLOCK: "50102 50112",
            RefusalKind.KEY: "50111 50113 50105 50119 50120",
            RefusalKind.THROTTLED: "50011 50061",
            RefusalKind.MODE: "51000 51010 59000",
        }
    ),
    duplicates=frozenset({"51016"}),
    unknown=frozenset({"50001", "50004", "50005", "50013", "50026", "51054", "51149"}),
    executed_id=("clOrdId",),
    profit=("fillPnl",),
    wallet=("cashBal",),
    mark=("markPx",),
    marks="fetch_mark_prices",
    leverage=({"mgnMode": "cross"},),
    margin_per_order=True,
    hedges=True,
    key_facts=okx_key,
)

BITGET: Final = Recipe(
    "bitget",
    options={"defaultType": "swap", "uta": False, "fetchMarkets": {"types": ["swap"]}},
    histories=("fetch_closed_orders", "fetch_canceled_orders"),
    speaks=enveloped("code", "data"),
    kinds=codes(
        {
            RefusalKind.INSUFFICIENT_FUNDS: "40762 43012",
            RefusalKind.FILTER: "45110 45111 40808 45115",
            RefusalKind.NOTHING_TO_REDUCE: "22002",
            RefusalKind.CLOCK: "40005 40008",
            RefusalKind.KEY: "40006 40009 40012 40014 40037",
            RefusalKind.THROTTLED: "429 30007",
        }
    ),
    duplicates=frozenset({"40786"}),
    unknown=frozenset({"40010", "40015", "40200", "40725", "45001"}),
    executed_id=("clientOid",),
    profit=("profit",),
    wallet=("accountEquity",),
    mark=("markPrice",),
    order_trades=False,
    margin_per_order=True,
)

GENERIC: Final[Mapping[Venue, tuple[Recipe, Dialect]]] = {
    Venue.BINANCE_USDM: (BINANCE, replace(DIALECTS[Venue.BINANCE_USDM], balance="GET /fapi/v3/account")),
    Venue.BYBIT_LINEAR: (BYBIT, DIALECTS[Venue.BYBIT_LINEAR]),
    Venue.OKX_SWAP: (OKX, DIALECTS[Venue.OKX_SWAP]),
    Venue.BITGET_USDT_FUTURES: (BITGET, DIALECTS[Venue.BITGET_USDT_FUTURES]),
}


def row(venue: Venue, **change: Any) -> VenueRow:
    """The registry's row of a venue, served through the library instead."""
    made = parts(venue, replace(GENERIC[venue][0], **change))
    return VenueRow(made.market, made.gateway, made.stream, Costs(WEIGHTS, order=2))


_COUNTER: Final = {
    "test_the_venues_own_counter_is_believed": "the library does not pass on the counters of an exchange",
}
_FUNDING: Final = {
    "test_funding_is_told_since_a_time": "the library asks for it where the simulated exchange does not tell it"
}
LEFT_OUT: Final[Mapping[Venue, Mapping[str, str]]] = {
    Venue.BINANCE_USDM: _COUNTER,
    Venue.BYBIT_LINEAR: {
        **_COUNTER,
        "test_what_an_exit_earned_is_told_with_its_fill": "its list of executions does not tell the profit",
        **_FUNDING,
    },
    Venue.OKX_SWAP: _COUNTER,
    Venue.BITGET_USDT_FUTURES: {
        **_COUNTER,
        **_FUNDING,
        "test_the_rights_of_a_key_are_told": "no recipe here reads them",
        "test_a_key_without_the_right_to_trade_is_told_and_refused": "no recipe here reads them",
    },
}
"""Cases that an exchange cannot pass through the library, each with its reason."""
