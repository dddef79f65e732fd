"""Limits as Hyperliquid counts them: nonces, actions for what was traded, users heard, and who a signer is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.engine.exchange import Exchange, NewAccount
from simulator.engine.order import OrderRequest, OrderType, Side
from simulator.hyperliquid.addresses import Addresses
from simulator.hyperliquid.auth import BadSignature, address_of, signers
from simulator.hyperliquid.errors import ActionError, Unprocessable
from simulator.hyperliquid.limits import Actions, Heard, Nonces, Weights, info_weight, rows_weight
from simulator.hyperliquid.params import canonical, of_body
from simulator.limits import Limiter, Throttled

NOW = 1_763_800_000_000
DAY = 86_400_000
KEY = f"0x{7:064x}"
MASTER = f"0x{0xA:040x}"


def exchange() -> Exchange:
    return Exchange(1, lambda: NOW)


def test_a_nonce_is_used_once_and_by_its_signer() -> None:
    nonces = Nonces()
    nonces.take("a", NOW, NOW)
    nonces.take("b", NOW, NOW)
    nonces.take("a", NOW - 5, NOW)
    with pytest.raises(ActionError, match="duplicate nonce"):
        nonces.take("a", NOW, NOW)


@pytest.mark.parametrize("off", [-2 * DAY, DAY])
def test_a_nonce_lies_near_the_time(off: int) -> None:
    with pytest.raises(ActionError, match="Invalid nonce"):
        Nonces().take("a", NOW + off, NOW)


def test_a_nonce_below_all_that_are_kept_is_refused() -> None:
    nonces = Nonces()
    for number in range(100):
        nonces.take("a", NOW + number, NOW)
    with pytest.raises(ActionError, match="below all"):
        nonces.take("a", NOW - 1, NOW)
    nonces.take("a", NOW + 100, NOW)
    with pytest.raises(ActionError, match="below all"):
        nonces.take("a", NOW, NOW)  # it was used, and is not kept any more


def test_actions_run_out_and_trading_earns_more() -> None:
    made, actions = exchange(), Actions(at_first=3)
    account = made.open_account(NewAccount("a", Decimal(10_000)))
    for _ in range(3):
        actions.take(account, 1, cancels=False)
    with pytest.raises(ActionError, match="Too many cumulative requests sent"):
        actions.take(account, 1, cancels=False)
    actions.take(account, 2, cancels=True)
    made.desk.place(account, OrderRequest("BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.01")))
    actions.take(account, 1, cancels=False)
    assert actions.used[account.account_id] == 6


def test_weight_is_that_of_the_question_and_its_rows() -> None:
    assert [info_weight(kind) for kind in ("orderStatus", "userFees", "userRole")] == [2, 20, 60]
    assert (rows_weight("userFills", [0] * 45), rows_weight("meta", [0] * 45)) == (2, 0)


def test_an_address_has_half_of_the_weight_that_binance_gives() -> None:
    limiter = Limiter()
    weights = Weights(limiter)
    for _ in range(1200 // 60):
        weights.take("peer", 60, NOW)
    with pytest.raises(Throttled):
        weights.take("peer", 1, NOW)
    limiter.take_weight("peer", 1, NOW)  # the other dialects count for themselves


def test_ten_users_are_heard_from_one_address() -> None:
    heard = Heard()
    for number in range(10):
        assert heard.add("peer", f"user {number}") == ""
    assert heard.add("peer", "user 3") == ""
    assert heard.add("peer", "one more") == "Cannot track more than 10 total users."
    assert heard.add("another peer", "one more") == ""
    heard.drop("peer", {"user 3": 2}, 2)
    assert heard.add("peer", "one more") == ""


def test_a_thousand_topics_are_heard_from_one_address() -> None:
    heard = Heard()
    assert {heard.add("peer", "") for _ in range(1000)} == {""}
    assert heard.add("peer", "") == "Cannot subscribe to more than 1000 channels."


def test_an_agent_signs_for_its_master_and_another_account_for_itself() -> None:
    made = exchange()
    mine = made.open_account(
        NewAccount("a", Decimal(1), api_key=MASTER.upper().replace("X", "x"), secret=KEY)
    )
    own = made.open_account(NewAccount("b", Decimal(1)))
    addresses = Addresses(made.state)
    agent = address_of(KEY.encode())
    assert addresses.user(MASTER) is mine
    assert addresses.signed_for(agent, None) is mine
    assert addresses.agents(mine) == [agent]
    assert addresses.master(agent) == MASTER
    assert addresses.user(agent) is None
    wallet = addresses.address(own)
    assert addresses.signed_for(wallet, None) is own
    assert addresses.agents(own) == []
    assert addresses.master(wallet) == ""


def test_a_vault_is_named_by_its_address_and_shares_its_masters_agent() -> None:
    made = exchange()
    vault = f"0x{0xB:040x}"
    mine = made.open_account(NewAccount("a", Decimal(1), api_key=MASTER, secret=KEY))
    other = made.open_account(NewAccount("b", Decimal(1), api_key=vault, secret=KEY))
    addresses, agent = Addresses(made.state), address_of(KEY.encode())
    assert addresses.signed_for(agent, None) is mine
    assert addresses.signed_for(agent, vault) is other
    assert addresses.signed_for(agent, f"0x{0xC:040x}") is None


def test_a_secret_that_is_no_key_has_no_address() -> None:
    assert address_of(b"secret") == address_of(b"0x" + b"0" * 64) == address_of(b"\xff" * 64) == ""


@pytest.mark.parametrize(
    ("r", "s", "v"), [("0x0", "0x0", 27), ("xyz", "0x1", 27), ("0x1", "0x1", 5), ("0x" + "f" * 65, "0x1", 27)]
)
def test_a_signature_that_proves_nothing_is_refused(r: str, s: str, v: int) -> None:
    with pytest.raises(BadSignature):
        signers(b"\x01" * 32, r, s, v)


def test_an_action_is_hashed_in_the_venues_own_order_and_writing() -> None:
    body = (
        b'{"grouping":"na","type":"order","orders":[{"b":true,"a":0,"p":"87000.0","s":"0.010","r":false,'
        b'"t":{"limit":{"tif":"Gtc"}},"c":"0x0000000000000000000000000000c0de"}]}'
    )
    found = canonical(of_body(body))
    assert isinstance(found, dict)
    assert list(found) == ["type", "orders", "grouping"]
    (row,) = found["orders"]
    assert list(row) == ["a", "b", "p", "s", "r", "t", "c"]
    assert (row["p"], row["s"]) == ("87000", "0.01")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"type":5}', b'{"type":"order","orders":[]}', b'{"type":"order","grouping":"na","orders":[{"a":-1}]}',
        b'{"type":"cancelByCloid","cancels":[{"asset":0,"cloid":5}]}', b'{"type":"updateLeverage","asset":0}',
    ],
)  # fmt: skip
def test_what_has_not_the_venues_types_is_unprocessable(body: bytes) -> None:
    with pytest.raises(Unprocessable):
        canonical(of_body(body))
