"""The matrix's cancel column: a resting order of one account must be cancelled, whatever the exchange makes of the request.

The program cancels an order of a trade only where an entry rests though it should not: too seldom for a column. So the venue
port is driven as that does, which asks, and asks what became of it, until the exchange says that the order is cancelled. A cancellation may be asked for twice; an order may not.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
import urllib.request
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import ExchangeGateway
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.vault import AesGcmVault, key_from_text
from tests.support.simulator import Json, SimulatorProcess
from tools.chaos.cells import Cell
from tools.chaos.faults import CALM, ORDER, Fault, rules_for

ENDPOINT: Final = ORDER.replace("POST", "DELETE")
_TRIES_MAX: Final = 40
_PAUSE_S: Final = 0.15
_VENUE: Final = Venue.BINANCE_USDM


async def cancels(seed: int, uniqueness: str, faults: Sequence[Fault]) -> list[Cell]:
    """Cancel one resting order under each fault."""
    with SimulatorProcess(seed=seed) as exchange:
        exchange.operator.settings(client_id_uniqueness=uniqueness)
        vault = AesGcmVault({"k": key_from_text(base64.urlsafe_b64encode(bytes(range(32))).decode())}, "k")
        settings = VenueSettings(
            base_url=exchange.base_url,
            ws_url=exchange.ws_url,
            read_timeout_s=2.0,
            weight_per_minute=10_000_000,
            orders_per_10s=1_000_000,
        )
        pool = VenuePool({_VENUE: settings}, vault)
        await pool.start()
        try:
            instrument = await pool.instrument(_VENUE, Symbol("BTC-USDT"))
            done = []
            for number, fault in enumerate(faults):
                row = exchange.operator.open_account(f"cancel-{number}")
                key = ApiKey(row["api_key"], row["api_secret"])
                account = AccountId(number + 1)
                gateway = pool.gateway(account, _VENUE, vault.seal(account, _VENUE, key))
                done.append(await _one(exchange, gateway, instrument, row, (fault, uniqueness)))
            return done
        finally:
            await pool.close()


async def _one(
    exchange: SimulatorProcess,
    gateway: ExchangeGateway,
    instrument: Instrument,
    row: Json,
    which: tuple[Fault, str],
) -> Cell:
    fault, uniqueness = which
    cid = ClientOrderId(f"c{row['account_id']}".ljust(25, "0") + "e0")
    await asyncio.to_thread(_rest, exchange, row, cid)
    rules = [
        {**rule, "endpoint": ENDPOINT}
        for rule in rules_for(fault, (row["account_id"],), 1)
        if rule["endpoint"] == ORDER
    ]
    exchange.operator.post("/sim/settings", dict(fault.settings))
    if rules:
        exchange.operator.post("/sim/faults", {"rules": rules})
    began = time.monotonic()
    asked, last = 0, "NEVER SEEN"
    while asked < _TRIES_MAX and last != OrderStatus.CANCELED:
        asked += 1
        try:
            await gateway.cancel(instrument, cid)
            seen = await gateway.order(instrument, cid)
            last = seen.status.value if seen is not None else last
        except VenueError:
            pass  # nobody knows: it is asked again
        if last != OrderStatus.CANCELED:
            await asyncio.sleep(_PAUSE_S)
    seconds = time.monotonic() - began
    exchange.operator.clear_faults()
    exchange.operator.post("/sim/settings", dict(CALM))
    theirs = exchange.operator.ledger("orders", row["account_id"])
    status = theirs[-1]["status"] if len(theirs) == 1 else f"{len(theirs)} orders"
    is_done = status == last == "CANCELED"
    end = "settled" if is_done else f"{status}/{last}"
    return Cell(fault.name, uniqueness, "cancel", int(is_done), asked, round(seconds, 2), is_done, end)


def _rest(exchange: SimulatorProcess, row: Json, cid: str) -> None:
    """Place a limit order below the market, in the account's own name."""
    query = urlencode(
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.010",
            "price": "63000",
            "newClientOrderId": cid,
            "timestamp": int(time.time() * 1000),
        }
    )
    sign = hmac.new(str(row["api_secret"]).encode(), query.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310 - the address is that of our own simulator
        f"{exchange.base_url}/fapi/v1/order?{query}&signature={sign}",
        headers={"X-MBX-APIKEY": row["api_key"]},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
        pass
