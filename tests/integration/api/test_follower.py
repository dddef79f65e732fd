"""What a follower does: accounts, follows, limits, and closing what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.exchanges.ports import KeyFacts
from app.domain.signals.priority import Lane
from tests.integration.api.conftest import Api

KEY = {"key": "venue-key-1", "secret": "venue-secret-1"}
ACCOUNT = {"venue": "binance-usdm", "label": " second ", "api_key": KEY}
TERMS = {"mode": "MULTIPLIER", "value": "0.5", "sides": ["SELL"], "order_notional_max": "100"}


async def call(
    api: Api, method: str, path: str, json: object = None, key: str | None = None
) -> tuple[int, Any]:
    """Call as the owner; answer with the status and the parsed body."""
    headers = {**api.scene.owner.headers, **({} if key is None else {"Idempotency-Key": key})}
    answer = await api.client.request(method, f"/v1{path}", json=json, headers=headers)
    return answer.status_code, answer.json()


async def test_an_added_account_is_verified_and_begins_with_the_venues_wallet(api: Api) -> None:
    status, account = await call(api, "POST", "/accounts", ACCOUNT)
    assert (status, account["key_state"], account["label"]) == (201, "VERIFIED", "second")
    _, portfolio = await call(api, "GET", "/portfolio")
    sheet = next(each for each in portfolio["accounts"] if each["account_id"] == account["id"])
    assert (sheet["wallet"], sheet["free"], sheet["positions"]) == ("1234.5", "1234.5", [])


async def test_a_key_is_sealed_before_it_is_stored_and_never_shown(api: Api) -> None:
    _, account = await call(api, "POST", "/accounts", ACCOUNT)
    assert all(KEY["secret"].encode() not in sealed for sealed in api.outside.venue.sealed_seen)
    for path in (f"/accounts/{account['id']}", "/accounts"):
        assert KEY["secret"] not in str(await call(api, "GET", path))


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (KeyFacts(can_trade=True, can_withdraw=True, ip_restricted=True), "withdraw"),
        (KeyFacts(can_trade=False, can_withdraw=False, ip_restricted=True), "may not trade"),
    ],
)
async def test_a_key_that_may_do_too_much_or_too_little_is_refused(
    api: Api, facts: KeyFacts, says: str
) -> None:
    api.outside.venue.facts = facts
    status, account = await call(api, "POST", "/accounts", ACCOUNT)
    assert (status, account["key_state"]) == (201, "REFUSED")
    assert says in account["key_reason"]
    status, problem = await call(
        api,
        "POST",
        "/follows",
        {"whale_id": api.scene.whale_id, "account_id": account["id"], "terms": TERMS},
    )
    assert (status, problem["code"]) == (422, "key_not_usable")


async def test_a_key_that_may_withdraw_is_forgotten(api: Api) -> None:
    api.outside.venue.facts = KeyFacts(can_trade=True, can_withdraw=True, ip_restricted=True)
    _, account = await call(api, "POST", "/accounts", ACCOUNT)
    status, problem = await call(api, "POST", f"/accounts/{account['id']}/verify")
    assert (status, problem["code"]) == (422, "no_key")


async def test_an_account_whose_venue_is_silent_is_kept_and_verified_later(api: Api) -> None:
    api.outside.venue.is_down = True
    status, account = await call(api, "POST", "/accounts", ACCOUNT)
    assert (status, account["key_state"]) == (201, "UNVERIFIED")
    status, problem = await call(api, "POST", f"/accounts/{account['id']}/verify")
    assert (status, problem["code"]) == (503, "venue_unavailable")
    api.outside.venue.is_down = False
    status, account = await call(api, "POST", f"/accounts/{account['id']}/verify")
    assert (status, account["key_state"]) == (200, "VERIFIED")


async def test_a_key_that_the_venue_does_not_know_is_refused(api: Api) -> None:
    api.outside.venue.refuses_key = True
    _, account = await call(api, "POST", "/accounts", ACCOUNT)
    assert (account["key_state"], account["key_reason"]) == ("REFUSED", "The venue does not accept the key.")


async def test_a_bad_new_key_leaves_the_old_one_in_use(api: Api) -> None:
    account = api.scene.owner.account_id
    api.outside.venue.facts = KeyFacts(can_trade=True, can_withdraw=True, ip_restricted=True)
    status, problem = await call(api, "PUT", f"/accounts/{account}/key", KEY)
    assert (status, problem["code"]) == (422, "key_rejected")
    assert (await call(api, "GET", f"/accounts/{account}"))[1]["key_state"] == "VERIFIED"


async def test_a_key_is_not_given_up_while_it_is_needed(api: Api) -> None:
    account = api.scene.owner.account_id
    status, problem = await call(api, "DELETE", f"/accounts/{account}/key")
    assert (status, problem["code"]) == (409, "account_in_use")
    _, fresh = await call(api, "POST", "/accounts", ACCOUNT)
    status, gone = await call(api, "DELETE", f"/accounts/{fresh['id']}/key")
    assert (status, gone["key_state"]) == (200, "REVOKED")
    assert (await call(api, "PUT", f"/accounts/{fresh['id']}/key", KEY))[0] == 409


async def test_a_follow_lives_from_start_to_stop(api: Api) -> None:
    _, account = await call(api, "POST", "/accounts", ACCOUNT)
    wanted = {"whale_id": api.scene.whale_id, "account_id": account["id"], "terms": TERMS}
    status, follow = await call(api, "POST", "/follows", wanted)
    assert (status, follow["state"]) == (201, "ACTIVE")
    assert follow["terms"] == {
        **TERMS,
        "leverage_max": 10,
        "drift_max": "0.005",
        "symbols_allowed": [],
        "symbols_denied": [],
        "tiny": "SKIP",
        "tiny_factor_max": "2",
        "protection": {
            "stop_loss": None,
            "take_profits": [],
            "trailing": None,
            "break_even_after": None,
            "unprotected": "ALARM",
        },
    }
    assert (await call(api, "POST", "/follows", wanted))[1]["code"] == "already_exists"
    path = f"/follows/{follow['id']}"
    assert (await call(api, "POST", f"{path}/pause"))[1]["state"] == "PAUSED"
    assert (await call(api, "POST", f"{path}/pause"))[1]["code"] == "illegal_transition"
    assert (await call(api, "POST", f"{path}/resume"))[1]["state"] == "ACTIVE"
    _, changed = await call(api, "PUT", f"{path}/terms", {"mode": "FIXED_AMOUNT", "value": "10.50"})
    assert (changed["terms"]["mode"], changed["terms"]["value"]) == ("FIXED_AMOUNT", "10.5")
    assert (await call(api, "POST", f"{path}/stop", {"close_positions": False}))[1]["state"] == "STOPPED"
    assert (await call(api, "PUT", f"{path}/terms", TERMS))[0] == 409
    assert (await call(api, "GET", path))[1]["state"] == "STOPPED"


async def test_a_leaders_own_account_cannot_follow(api: Api) -> None:
    operator = api.scene.operator
    answer = await api.client.post(
        "/v1/follows",
        json={"whale_id": api.scene.whale_id, "account_id": operator.account_id, "terms": TERMS},
        headers=operator.headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "cannot_follow")


async def test_stopping_with_close_asks_once_for_the_exit_of_what_is_held(api: Api) -> None:
    follow = api.scene.owner.follow_id
    status, stopped = await call(api, "POST", f"/follows/{follow}/stop", {"close_positions": True})
    assert (status, stopped["state"]) == (200, "STOPPED")
    ((signal_id, lane),) = api.outside.bell.rung
    assert lane is Lane.EXITS
    _, signal = await call(api, "GET", f"/signals/{signal_id}")
    assert {
        name: signal[name]
        for name in ("source", "action", "side", "quantity", "fraction", "scope", "expires_at")
    } == {
        "source": "FOLLOWER",
        "action": "CLOSE",
        "side": "SELL",
        "quantity": "0.004",
        "fraction": "1",
        "scope": follow,
        "expires_at": None,
    }


async def test_a_close_that_is_sent_twice_is_one_signal(api: Api) -> None:
    body = {"follow_id": api.scene.owner.follow_id, "symbol": "BTC-USDT"}
    first = await call(api, "POST", "/positions/close", body, key="close-it-1")
    again = await call(api, "POST", "/positions/close", body, key="close-it-1")
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    assert len(api.outside.bell.rung) == 1
    other = await call(api, "POST", "/positions/close", {**body, "fraction": "0.5"}, key="close-it-1")
    assert (other[0], other[1]["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(("fraction", "action"), [("1", "CLOSE"), ("0.25", "REDUCE")])
async def test_a_part_of_a_position_is_a_reduction(api: Api, fraction: str, action: str) -> None:
    body = {"follow_id": api.scene.owner.follow_id, "symbol": "BTC-USDT", "fraction": fraction}
    _, closed = await call(api, "POST", "/positions/close", body, key="close-part-1")
    _, signal = await call(api, "GET", f"/signals/{closed['signal_id']}")
    assert (signal["action"], signal["fraction"]) == (action, fraction)


async def test_what_is_not_held_cannot_be_closed(api: Api) -> None:
    body = {"follow_id": api.scene.owner.follow_id, "symbol": "ETH-USDT"}
    status, problem = await call(api, "POST", "/positions/close", body, key="close-none-1")
    assert (status, problem["code"]) == (409, "nothing_to_close")


async def test_a_suspended_user_may_close_but_start_nothing(api: Api) -> None:
    owner, operator = api.scene.owner, api.scene.operator
    reason = {"reason": "Unpaid."}
    await api.client.post(f"/v1/users/{owner.user_id}/suspend", json=reason, headers=operator.headers)
    body = {"follow_id": owner.follow_id, "symbol": "BTC-USDT"}
    assert (await call(api, "POST", "/positions/close", body, key="close-late-1"))[0] == 201
    start = {"whale_id": api.scene.whale_id, "account_id": owner.account_id, "terms": TERMS}
    status, problem = await call(api, "POST", "/follows", start)
    assert (status, problem["code"]) == (409, "user_not_active")


async def test_the_tighter_limit_of_user_and_platform_holds(api: Api) -> None:
    _, before = await call(api, "GET", "/limits")
    assert (before["own"]["leverage_max"], before["effective"]["leverage_max"]) == (None, 20)
    wanted = {"leverage_max": 50, "order_notional_max": "500.0", "positions_max": 0}
    status, after = await call(api, "PUT", "/limits", wanted)
    assert status == 200
    assert after["own"]["leverage_max"] == 50
    assert after["effective"] == {
        **before["effective"],
        "leverage_max": 20,
        "order_notional_max": "500",
        "positions_max": 0,
    }
    assert (await call(api, "GET", "/limits"))[1] == after
    assert (await call(api, "PUT", "/limits", {"drawdown_max": "1.5"}))[0] == 422


async def test_the_portfolio_values_what_is_held_at_the_mark(api: Api) -> None:
    _, portfolio = await call(api, "GET", "/portfolio")
    (sheet,) = portfolio["accounts"]
    (held,) = sheet["positions"]
    assert (held["average_entry"], held["mark"], held["unrealised"]) == ("63000", "64000", "4")
    assert {name: sheet[name] for name in ("realised", "fees", "funding", "unrealised")} == {
        "realised": "1.5",
        "fees": "0.1",
        "funding": "-0.01",
        "unrealised": "4",
    }


async def test_an_unknown_mark_is_shown_as_unknown_and_not_as_nothing(api: Api) -> None:
    api.outside.venue.is_down = True
    status, portfolio = await call(api, "GET", "/portfolio")
    (sheet,) = portfolio["accounts"]
    assert (status, sheet["unrealised"], sheet["positions"][0]["mark"]) == (200, None, None)


async def test_a_user_reads_why_a_signal_was_not_copied(api: Api) -> None:
    _, page = await call(api, "GET", "/decisions?not_copied=true")
    (decision,) = page["items"]
    assert decision["signal_id"] == str(api.scene.signals[1])
    assert (decision["outcome"], decision["code"], decision["reason"], decision["inputs"]) == (
        "SKIPPED",
        "PRICE_DRIFTED",
        "It moved.",
        {"mark": "1"},
    )


@pytest.mark.parametrize("path", ["/decisions", "/signals"])
async def test_pages_join_to_the_whole_without_gap_or_repetition(api: Api, path: str) -> None:
    _, whole = await call(api, "GET", path)
    _, first = await call(api, "GET", f"{path}?limit=1")
    _, second = await call(api, "GET", f"{path}?limit=1&cursor={first['next']}")
    assert first["items"] + second["items"] == whole["items"]
    assert (whole["next"], second["next"]) == (None, None)


async def test_orders_and_positions_are_read_back_exactly(api: Api) -> None:
    _, orders = await call(
        api, "GET", f"/orders?signal_id={api.scene.signals[0]}&symbol=BTC-USDT&state=FILLED"
    )
    (order,) = orders["items"]
    assert (order["quantity"], order["average_price"], order["leg"]) == ("0.004", "64000", "ENTRY")
    assert (await call(api, "GET", f"/orders/{api.scene.order_id}"))[1] == order
    _, positions = await call(api, "GET", f"/positions?follow_id={api.scene.owner.follow_id}&open_only=false")
    assert [held["quantity"] for held in positions["items"]] == ["0.004"]
