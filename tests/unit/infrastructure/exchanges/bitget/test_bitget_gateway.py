"""The gateways over a scripted way to the venue: what is asked, in which order, and what is never sent."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    NotSent,
    RefusalKind,
    Unknown,
    VenueUnsupported,
)
from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.bitget.futures import BitgetFuturesGateway
from app.infrastructure.exchanges.bitget.spot import BitgetSpotGateway
from app.infrastructure.exchanges.breaker import Breakers
from app.infrastructure.exchanges.budget import Bucket, LocalBudget
from app.infrastructure.exchanges.clock import VenueClock
from app.infrastructure.exchanges.guard import Costs, VenueGuard
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.settings import BreakerSettings, ClockSettings, RetrySettings, VenueSettings
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import Sockets
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import (
    AT_MS,
    BTC,
    COINS,
    ID,
    MARKET,
    NAMES,
    PERPETUAL,
    answer,
    coin,
    futures_order,
    spot_plan,
)

STOP = PlaceProtection(
    COINS, Side.SELL, TriggerKind.STOP_LOSS, price("26000"), quantity("0.01"), ID, AT_MS, 5000
)


@dataclass
class Script:
    """Implements Transport: hands out replies in turn, and keeps what was asked."""

    replies: list[Reply] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float,
        leave_within_s: float | None = None,
    ) -> Reply:  # fmt: skip
        assert headers["ACCESS-PASSPHRASE"] == "phrase"
        self.asked.append((method, url.removeprefix("http://venue"), (body or b"").decode()))
        return self.replies.pop(0)

    async def warm(self, url: str, connections: int) -> int:
        return 0

    async def close(self) -> None:
        """Nothing is open."""

    def says(self, data: object, **headers: str) -> Script:
        self.replies.append(Reply(200, headers, answer(data)))
        return self


class OneKey:
    """Implements Vault for one key."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return b""

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey("key", "secret", "phrase")


async def shared(script: Script, venue: Venue = Venue.BITGET_USDT_FUTURES) -> VenueShared:
    async def server_time() -> int:
        return AT_MS

    async def listing() -> Listing:
        return Listing((COINS if venue is Venue.BITGET_SPOT else PERPETUAL,), NAMES)

    settings = VenueSettings(base_url="http://venue", ws_url="ws://venue")
    clock = VenueClock(ClockSettings(), server_time)
    await clock.sample()
    bucket = Bucket("bucket", 1000, 1, 0)
    guard = VenueGuard(
        costs=Costs({}), retry=RetrySettings(), breakers=Breakers(BreakerSettings(), time.monotonic),
        budget=LocalBudget(time.monotonic), weight=bucket, orders=lambda account: bucket,
    )  # fmt: skip
    return VenueShared(
        venue, settings, script, Sockets(settings.stream), clock, InstrumentTable(listing, time.monotonic),
        MarkBook(lambda: 0), KeyRing(OneKey(), venue, 10), guard, lambda: datetime.now(UTC), 6000, 10,
    )  # fmt: skip


async def futures(script: Script) -> BitgetFuturesGateway:
    return BitgetFuturesGateway(await shared(script), AccountId(1), b"sealed")


async def spot(script: Script, mark: str = "") -> BitgetSpotGateway:
    made = await shared(script, Venue.BITGET_SPOT)
    if mark:
        made.marks.hear({BTC: price(mark)})
    return BitgetSpotGateway(made, AccountId(1), b"sealed")


async def test_an_order_acknowledged_without_its_id_is_looked_up_at_once() -> None:
    script = Script().says({"clientOid": ID}).says(futures_order(clientOid=ID, reduceOnly="YES"))
    got = await (await futures(script)).place(replace(MARKET, side=Side.SELL, reduce_only=True))
    assert isinstance(got, Accepted)
    assert got.report.order_id == "1111461743123927040"
    assert [method for method, _, _ in script.asked] == ["POST", "GET"]


async def test_one_that_is_not_found_then_is_unknown_and_never_sent_again() -> None:
    script = Script().says({"clientOid": ID})
    script.replies.append(Reply(400, {}, answer(None, "40109")))
    assert isinstance(await (await futures(script)).place(MARKET), Unknown)
    assert [method for method, _, _ in script.asked] == ["POST", "GET"]


async def test_a_purchase_without_a_young_mark_is_not_sent() -> None:
    script = Script()
    got = await (await spot(script)).place(replace(MARKET, instrument=COINS))
    assert isinstance(got, NotSent)
    assert reasons.says(got.reason, reasons.UNSENDABLE)
    assert script.asked == []


async def test_a_purchase_is_bounded_by_the_mark() -> None:
    script = Script().says({"orderId": "7", "clientOid": ID})
    assert isinstance(await (await spot(script, "27000")).place(replace(MARKET, instrument=COINS)), Accepted)
    assert json.loads(script.asked[0][2])["price"] == "27540"


@pytest.mark.parametrize("mark", ["", "26000", "25000"])
async def test_a_spot_plan_that_the_mark_has_passed_is_not_sent(mark: str) -> None:
    # The venue would let it wait for the price to rise again: the opposite of what is wanted.
    script = Script()
    got = await (await spot(script, mark)).protect(STOP)
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.WOULD_TRIGGER
    assert script.asked == []


@pytest.mark.parametrize(
    ("word", "status"),
    [("fail", ProtectionStatus.REJECTED), ("in_progress", ProtectionStatus.TRIGGERED)],
)
async def test_a_spot_plan_is_executed_only_when_its_order_was_placed(
    word: str, status: ProtectionStatus
) -> None:
    executed = spot_plan(clientOid=ID, status="executed")
    script = Script().says({"orderList": []}).says({"orderList": [executed]})
    script.says([{"orderId": "", "price": "", "type": "market", "status": word}])
    found = await (await spot(script, "25000")).protection(COINS, ID)
    assert found is not None
    assert (found.status, found.order_id) == (status, None)


async def test_leverage_in_isolated_hedge_mode_is_set_for_each_side() -> None:
    script = Script()
    for long, short in (("20", "20"), ("7", "20"), ("7", "7")):
        script.says({"marginMode": "isolated", "longLeverage": long, "shortLeverage": short})
    assert await (await futures(script)).set_leverage(PERPETUAL, 7) == 7
    assert [json.loads(body).get("holdSide") for _, _, body in script.asked] == [None, "long", "short"]


async def test_a_mode_that_is_so_already_is_not_set() -> None:
    script = Script()
    for _ in range(4):
        script.says({"posMode": "hedge_mode", "marginMode": "crossed"})
    gateway = await futures(script)
    await gateway.set_position_mode(PositionMode.HEDGE)
    await gateway.set_margin_mode(PERPETUAL, MarginMode.CROSS)
    await gateway.set_margin_mode(PERPETUAL, MarginMode.ISOLATED)
    assert [method for method, _, _ in script.asked] == ["GET", "GET", "GET", "POST"]


async def test_waiting_spot_plans_are_asked_for_by_the_markets_of_held_coins() -> None:
    script = Script().says([coin()]).says({"orderList": None})
    assert await (await spot(script, "27000")).open_protections() == []
    assert "symbol=BTCUSDT" in script.asked[1][1]


async def test_what_spot_does_not_have_is_not_asked_for() -> None:
    script = Script()
    gateway = await spot(script)
    with pytest.raises(VenueUnsupported):
        await gateway.set_leverage(COINS, 2)
    with pytest.raises(VenueUnsupported):
        await gateway.set_margin_mode(COINS, MarginMode.CROSS)
    with pytest.raises(VenueUnsupported):
        await gateway.set_position_mode(PositionMode.HEDGE)
    assert await gateway.position_mode() is PositionMode.ONE_WAY
    assert list(await gateway.funding(datetime.now(UTC))) == []
    assert script.asked == []


async def test_the_venues_counter_lowers_the_accounts_budget() -> None:
    script = Script()
    script.says({"orderId": "7", "clientOid": ID}, **{"x-mbx-used-remain-limit": "2"})
    made = await shared(script)
    await BitgetFuturesGateway(made, AccountId(1), b"sealed").place(MARKET)
    grant = await made.guard.budget.take(made.guard.orders(AccountId(1)), 10)
    assert grant.granted == 2


async def test_an_account_costs_less_than_a_kilobyte() -> None:
    made = await shared(Script())
    gateway = BitgetFuturesGateway(made, AccountId(1), b"sealed")
    assert not hasattr(gateway, "__dict__")
    assert sys.getsizeof(gateway) + sys.getsizeof(gateway._account) < 1000
    assert MARKET.quantity == Decimal("0.01")
