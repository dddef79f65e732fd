"""What the stream's messages become, in whatever order they come, and what the feed remembers of wallets."""

from __future__ import annotations

import json

import pytest

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Symbol
from app.domain.shared.money import money, price, quantity
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.okx.market import heard_marks
from app.infrastructure.exchanges.okx.wallets import Wallets
from app.infrastructure.exchanges.okx.wire.events import Fact, Leave, Wallet, read_facts
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.okx import okx_rows as rows
from tests.unit.infrastructure.exchanges.okx.okx_rows import BTC, COINS, SWAPS, pushed


def facts(*messages: bytes) -> list[Fact]:
    return [fact for message in messages for fact in read_facts(message, SWAPS, {})]


def updates(*messages: bytes) -> list[OrderUpdate]:
    found = facts(*messages)
    assert all(isinstance(fact, OrderUpdate) for fact in found)
    return [fact for fact in found if isinstance(fact, OrderUpdate)]


def test_an_order_comes_with_the_execution_that_changed_it() -> None:
    (update,) = updates(pushed("orders", rows.streamed()))
    report, fill = update.report, update.fill
    assert fill is not None
    assert (report.status, report.quantity, report.executed, report.reduce_only) == (
        OrderStatus.PARTIAL, quantity("0.02"), quantity("0.01"), True,
    )  # fmt: skip
    assert (fill.trade_id, fill.quantity, fill.fee, fill.realised_pnl, fill.order_final) == (
        "1518905529", quantity("0.01"), money("0.32"), money("1.5"), False,
    )  # fmt: skip


def test_a_repeated_or_late_message_tells_the_same_execution_again() -> None:
    early = pushed("orders", rows.streamed())
    late = pushed("orders", rows.streamed(state="filled", accFillSz="2", tradeId="1518905530"))
    ids = [update.fill.trade_id for update in updates(late, early, late) if update.fill is not None]
    assert ids == ["1518905530", "1518905529", "1518905530"]  # by their ids they are booked once


def test_changes_that_are_no_executions_bring_none() -> None:
    for change in ({"tradeId": ""}, {"fillSz": "0"}, {"fillSz": ""}):
        (update,) = updates(pushed("orders", rows.streamed(**change)))
        assert update.fill is None


def test_the_fee_of_one_execution_is_never_taken_for_that_of_all() -> None:
    alone = rows.order(accFillSz="1", fillSz="1")
    (update,) = updates(pushed("orders", alone))
    assert update.fill is not None
    assert update.fill.fee == money("0.32")
    second = rows.order(accFillSz="2", fillSz="1", state="filled")
    with pytest.raises(Unreadable):
        facts(pushed("orders", second))


def test_what_a_protection_became_bears_its_id() -> None:
    (update,) = updates(pushed("orders", rows.streamed(clOrdId="", algoClOrdId="stop")))
    assert update.report.client_order_id == "stop"
    assert update.fill is not None
    assert update.fill.client_order_id == "stop"


def test_protections_are_told_on_their_own_channel() -> None:
    (resting,) = facts(pushed("orders-algo", rows.algo()))
    (fired,) = facts(pushed("orders-algo", rows.algo(state="effective", ordId="9", ordIdList=["9"])))
    assert isinstance(resting, ProtectionUpdate)
    assert resting.report.status is ProtectionStatus.RESTING
    assert isinstance(fired, ProtectionUpdate)
    assert (fired.report.status, fired.report.order_id) == (ProtectionStatus.TRIGGERED, "9")


@pytest.mark.parametrize(
    "message",
    [
        b"pong", b'{"event":"subscribe","arg":{"channel":"orders"}}', b'{"event":"login","code":"0"}',
        b'{"event":"channel-conn-count","channel":"orders","connCount":"1"}', pushed("grid-orders", {"a": 1}),
        pushed("orders", rows.streamed(instId="XRP-USDT-SWAP")), pushed("orders", rows.streamed(instType="MARGIN")),
        pushed("orders-algo", rows.algo(instId="XRP-USDT-SWAP")), b"{}",
    ],
)  # fmt: skip
def test_what_does_not_concern_us_is_passed_over(message: bytes) -> None:
    assert facts(message) == []


@pytest.mark.parametrize("event", ["notice", "channel-conn-count-error"])
def test_the_venue_ends_a_connection_with_a_word(event: str) -> None:
    (leave,) = facts(json.dumps({"event": event, "code": "64008", "msg": "bye"}).encode())
    assert leave == Leave(f"{event} 64008")


@pytest.mark.parametrize(
    "message", [b"", b"[]", b'{"arg":{"channel":"orders"}}', pushed("orders", {"instId": "a"})]
)
def test_what_cannot_be_read_is_said_to_be_so(message: bytes) -> None:
    with pytest.raises(Unreadable):
        facts(message)


def wallet(event: str, held: str, asset: str = "USDT") -> Wallet:
    row = rows.holdings(eventType=event, balData=[{"ccy": asset, "cashBal": held}])
    (fact,) = facts(pushed("balance_and_position", row))
    assert isinstance(fact, Wallet)
    return fact


def test_a_transfer_is_as_large_as_the_difference() -> None:
    memory = Wallets()
    told: list[BalanceUpdate] = []
    for fact in (
        wallet("transferred", "50", "BTC"), wallet("snapshot", "100"), wallet("filled", "99"),
        wallet("transferred", "149"), wallet("transferred", "9"), wallet("funding_fee", "8"),
    ):  # fmt: skip
        told.extend(memory.take(fact))
    assert [(event.reason, event.change, event.asset) for event in told] == [
        ("DEPOSIT", money(0), "BTC"), ("ORDER", money(0), "USDT"), ("DEPOSIT", money(50), "USDT"),
        ("WITHDRAW", money(-140), "USDT"), ("FUNDING_FEE", money(0), "USDT"),
    ]  # fmt: skip
    assert [event.balance for event in told][-1] == money(8)


def test_a_snapshot_tells_only_what_is_not_empty_and_a_new_connection_forgets() -> None:
    memory = Wallets()
    list(memory.take(wallet("snapshot", "100")))
    (event,) = memory.take(wallet("transferred", "2", "BTC"))
    assert (event.change, event.reason) == (money(2), "DEPOSIT")
    memory.clear()
    (event,) = memory.take(wallet("transferred", "5", "BTC"))
    assert event.change == money(0)  # what it held before was not told


def test_marks_are_heard_on_either_channel_and_nonsense_is_not() -> None:
    swap = json.dumps(
        {"arg": {"channel": "mark-price"}, "data": [{"instId": "BTC-USDT-SWAP", "markPx": "64000.5"}]}
    )
    spot = json.dumps({"arg": {"channel": "tickers"}, "data": [{"instId": "ETH-USDT", "last": "3200"}]})
    assert heard_marks(swap.encode(), SWAPS.names) == {BTC: price("64000.5")}
    assert heard_marks(spot.encode(), COINS.names) == {Symbol("ETH-USDT"): price(3200)}
    for quiet in (
        b"pong",
        b'{"event":"subscribe","arg":{"channel":"tickers"}}',
        b"nonsense",
        swap[:-5].encode(),
    ):
        assert heard_marks(quiet, SWAPS.names) == {}
