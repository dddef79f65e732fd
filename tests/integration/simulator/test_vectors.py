"""Requests that third-party clients built and signed, sent byte for byte: none may fail for its signature."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from tests.support.simulator import ROOT, SimulatorProcess

VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests"
OTHER = {"BTCUSDT": "ETHUSDT", "BTCUSD_PERP": "ETHUSD_PERP"}


def touched(text: str) -> str:
    for name, other in OTHER.items():
        text = text.replace(name, other)
    return text


def load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        pytest.skip("the third-party signed requests are not on this machine")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


async def send(session: aiohttp.ClientSession, base_url: str, case: dict[str, Any]) -> Any:
    parts = urlsplit(case["url"])
    url = URL(f"{base_url}{parts.path}" + (f"?{parts.query}" if parts.query else ""), encoded=True)
    data = case["body"] or None
    async with session.request(case["method"], url, data=data, headers=case["headers"]) as reply:
        return await reply.json()


@pytest.mark.parametrize("name", ["binanceusdm", "binancecoinm", "binance_spot"])
async def test_every_third_party_signature_is_accepted_and_a_touched_one_is_not(
    session: aiohttp.ClientSession, name: str
) -> None:
    vectors = load(VECTORS / f"{name}.json")
    keys = vectors["credentials"]
    signed = [case for case in vectors["cases"] if case["signature_rechecked"] == "ok"]
    assert signed
    account = {"label": "v", "balance": "10000", "api_key": keys["apiKey"], "api_secret": keys["secret"]}
    with SimulatorProcess(config={"accounts": [account]}) as process:
        for case in signed:
            skew = case["timestamp_ms"] + 500 - int(time.time() * 1000)
            process.operator.settings(clock_skew_ms=skew)
            answer = await send(session, process.base_url, case)
            code = answer.get("code") if isinstance(answer, dict) else None
            assert code not in {-1021, -1022, -1102, -2014, -2015}, (case["id"], answer)
            changed = {key: touched(case[key] or "") for key in ("url", "body")}
            if changed != {"url": case["url"], "body": case["body"] or ""}:
                answer = await send(session, process.base_url, {**case, **changed})
                assert answer["code"] == -1022, case["id"]
