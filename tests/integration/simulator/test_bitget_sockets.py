"""The sockets of the Bitget dialect: logins, private channels, tickers."""

from __future__ import annotations

import time

import aiohttp
import pytest

from tests.integration.simulator.bitget_client import BitgetTrader, heard, open_trader
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def trader(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> BitgetTrader:
    return open_trader(simulator, session, balances={"BTC": "1"})


async def test_the_stream_tells_of_orders_fills_positions_and_money(trader: BitgetTrader) -> None:
    socket = await trader.stream("orders", "fill", "positions", "account")
    await trader.place(clientOid="streamed")
    fill = await heard(socket, lambda message: message["arg"]["channel"] == "fill")
    order = await heard(
        socket, lambda message: message["arg"]["channel"] == "orders" and message["data"][0]["status"] == "filled"
    )  # fmt: skip
    row = order["data"][0]
    assert (row["clientOid"], row["accBaseVolume"], row["tradeId"]) == (
        "streamed", "0.01", fill["data"][0]["tradeId"]
    )  # fmt: skip
    await socket.send_str("ping")
    assert await heard(socket, lambda message: message == "pong") == "pong"
    await socket.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"apiKey": "nobody"}, 30011), ({"passphrase": "wrong"}, 30012), ({"timestamp": "1600000000"}, 30014),
        ({"sign": "AAAA"}, 30015),
    ],
)  # fmt: skip
async def test_a_login_that_proves_nothing_is_refused(
    trader: BitgetTrader, change: dict[str, str], code: int
) -> None:
    stamp = str(int(time.time()))
    row = {
        "apiKey": trader.key, "passphrase": trader.passphrase, "timestamp": stamp,
        "sign": trader.proof(f"{stamp}GET/user/verify"),
    }  # fmt: skip
    socket = await trader.session.ws_connect(f"{trader.ws_url}/v2/ws/private")
    await socket.send_json({"op": "login", "args": [{**row, **change}]})
    answer = await heard(socket)
    assert (answer["event"], answer["code"]) == ("error", code)
    await socket.send_json({"op": "subscribe", "args": [{"instType": "SPOT", "channel": "orders"}]})
    assert (await heard(socket))["code"] == 30004
    await socket.close()


async def test_tickers_are_public_and_others_channels_are_not(
    trader: BitgetTrader, simulator: SimulatorProcess
) -> None:
    socket = await trader.session.ws_connect(f"{trader.ws_url}/v2/ws/public")
    rows = [{"instType": line, "channel": "ticker", "instId": "BTCUSDT"} for line in ("USDT-FUTURES", "SPOT")]
    await socket.send_json({"op": "subscribe", "args": rows})
    simulator.operator.set_prices(BTCUSDT="64123.4")
    futures = await heard(
        socket, lambda m: m.get("data") and m["data"][0].get("markPrice") == "64123.4"
    )  # fmt: skip
    assert futures["arg"]["instType"] == "USDT-FUTURES"
    spot = await heard(
        socket, lambda m: m["arg"]["instType"] == "SPOT" and m["data"][0]["lastPr"] == "64123.4"
    )
    assert "markPrice" not in spot["data"][0]
    await socket.send_json({"op": "subscribe", "args": [{"instType": "SPOT", "channel": "orders"}]})
    assert (await heard(socket, lambda m: m.get("event") == "error"))["code"] == 30001
    await socket.close()
