"""The gateway against canned answers: what it sends, what it asks, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    Duplicate,
    NotSent,
    VenueRefused,
    VenueUnavailable,
    VenueUnsupported,
)
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import ClientOrderId
from tests.unit.infrastructure.exchanges.hyperliquid.canned import VAULT, just, listed, scene
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CLOID,
    FILL,
    FOUND,
    FUNDING,
    NOW,
    STATE,
    instrument,
    order,
    raw,
    refused,
    said,
)


async def test_an_order_bears_its_timestamp_as_nonce_and_its_window_as_expiry() -> None:
    made = await scene(order=lambda asked: said({"resting": {"oid": 5, "cloid": CLOID}}))
    signed = order(price="80000")
    assert isinstance(await made.gateway.place(signed), Accepted)
    (sent,) = made.way.asked
    assert (sent["nonce"], sent["expiresAfter"], sent["vaultAddress"]) == (NOW, NOW + 5000, None)
    await made.gateway.place(signed)  # the same order again: the venue refuses its nonce
    assert made.way.asked[1] == sent


async def test_a_second_order_of_the_same_millisecond_is_not_taken_for_the_first() -> None:
    made = await scene(order=lambda asked: refused("Invalid nonce: duplicate nonce"))
    from dataclasses import replace

    other = replace(order(price="80000"), client_order_id=ClientOrderId("c" + "0" * 24 + "x7"))
    assert isinstance(await made.gateway.place(order(price="80000")), Duplicate)
    assert isinstance(await made.gateway.place(other), Duplicate)
    nonces = [asked["nonce"] for asked in made.way.asked]
    assert len(set(nonces)) == 2
    assert {asked["expiresAfter"] for asked in made.way.asked} == {NOW + 5000}


async def test_a_vaults_trades_are_signed_for_it_and_its_account_is_asked_for() -> None:
    made = await scene(VAULT, clearinghouseState=just(STATE), order=lambda asked: said("success"))
    await made.gateway.balance()
    await made.gateway.place(order(price="80000"))
    assert made.way.asked[0]["user"] == VAULT.lower()
    assert made.way.asked[1]["vaultAddress"] == VAULT.lower()


async def test_what_cannot_be_sent_is_not_sent() -> None:
    made = await scene()
    made.shared.marks.hear({}, everything=True)
    from dataclasses import replace

    for bad in (order(), replace(order(price="80000"), position_mode=PositionMode.HEDGE)):
        got = await made.gateway.place(bad)
        assert isinstance(got, NotSent)
        assert got.reason.startswith("unsendable")
    assert made.way.asked == []


async def test_a_key_that_is_no_address_is_refused_before_anything_is_asked() -> None:
    made = await scene(user="my key")
    with pytest.raises(VenueRefused) as refusal:
        await made.gateway.balance()
    assert "my key" not in str(refusal.value)
    assert made.way.asked == []


async def test_what_the_venue_has_not_is_not_asked_for() -> None:
    made = await scene()
    assert await made.gateway.position_mode() is PositionMode.ONE_WAY
    await made.gateway.set_position_mode(PositionMode.ONE_WAY)
    with pytest.raises(VenueUnsupported):
        await made.gateway.set_position_mode(PositionMode.HEDGE)
    assert (await made.gateway.balance("BTC")).wallet == 0
    assert made.way.asked == []


@pytest.mark.parametrize(("mode", "cross"), [("cross", True), ("isolated", False)])
async def test_setting_leverage_keeps_the_margin_mode(mode: str, cross: bool) -> None:
    made = await scene(
        activeAssetData=just({"coin": "BTC", "leverage": {"type": mode, "value": 20}}),
        updateLeverage=just({"status": "ok", "response": {"type": "default"}}),
    )
    assert await made.gateway.set_leverage(instrument(), 7) == 7
    action = {"type": "updateLeverage", "asset": 0, "isCross": cross, "leverage": 7}
    assert made.way.asked[1]["action"] == action
    await made.gateway.set_margin_mode(instrument(), MarginMode.CROSS)
    changed = [asked["action"] for asked in made.way.asked[2:] if "action" in asked]
    kept = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 20}
    assert changed == ([] if cross else [kept])


async def test_funding_is_paged_until_nothing_is_new() -> None:
    rows = [{**FUNDING, "time": NOW + number * 3_600_000} for number in range(7)]

    def answer(asked: dict[str, Any]) -> bytes:
        return raw([row for row in rows if int(row["time"]) >= asked["startTime"]][:3])

    made = await scene(userFunding=answer)
    got = await made.gateway.funding(from_epoch_ms(NOW))
    assert [payment.at for payment in got] == [from_epoch_ms(int(row["time"])) for row in rows]
    assert await made.gateway.funding(datetime.now(UTC) + timedelta(days=900)) == []


async def test_a_position_on_a_market_that_is_not_traded_here_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stranger = {
        **STATE["assetPositions"][0],
        "position": {**STATE["assetPositions"][0]["position"], "coin": "NEW"},
    }
    made = await scene(clearinghouseState=just({**STATE, "assetPositions": [stranger]}))
    assert await made.gateway.positions() == []
    assert "NEW" in caplog.text


async def test_an_order_found_says_who_asked_for_it() -> None:
    named = ClientOrderId("an id of another form")
    made = await scene(orderStatus=just(FOUND), userFillsByTime=listed([FILL]))
    report = await made.gateway.order(instrument(), named)
    assert report is not None
    assert report.client_order_id == named


@pytest.mark.parametrize("field", ["unrealizedPnl", "szi"])
async def test_a_figure_of_a_position_that_cannot_be_read_makes_the_answer_none(field: str) -> None:
    state = {
        **STATE,
        "assetPositions": [
            {**row, "position": {**row["position"], field: "1e-30"}} for row in STATE["assetPositions"]
        ],
    }
    made = await scene(clearinghouseState=just(state))
    with pytest.raises(VenueUnavailable):
        await made.gateway.positions()
