"""The parts of the OKX dialect: limits in windows of two seconds, names and sizes of contracts, times, pages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.engine.exchange import Exchange
from simulator.engine.refusal import Reason, Refusal
from simulator.limits import Limits
from simulator.okx.auth import epoch_ms, sign, verify
from simulator.okx.channels import concerns
from simulator.okx.errors import REFUSALS, ApiError
from simulator.okx.limits import EndpointLimits
from simulator.okx.names import contracts, inst_id, instrument_of, listed
from simulator.okx.params import Params, of_body, of_query


def test_orders_count_per_account_market_and_window() -> None:
    limits = EndpointLimits(Limits())
    taken = [limits.takes_order("a", "BTC-USDT-SWAP", "/order", 1, 1000 + number) for number in range(61)]
    assert taken == [True] * 60 + [False]
    assert limits.takes_order("a", "ETH-USDT-SWAP", "/order", 1, 1100)
    assert limits.takes_order("b", "BTC-USDT-SWAP", "/order", 1, 1100)
    assert not limits.takes_order("a", "BTC-USDT-SWAP", "/order", 1, 2999)
    assert limits.takes_order("a", "BTC-USDT-SWAP", "/order", 1, 3000)
    assert not limits.takes_order("c", "BTC-USDT-SWAP", "/order", 61, 3000)


def test_other_calls_count_per_account_and_public_ones_per_address() -> None:
    limits = EndpointLimits(Limits())
    assert [limits.takes_private("a", "/balance", 2, 0) for _ in range(3)] == [True, True, False]
    assert limits.takes_private("b", "/balance", 2, 0)
    assert [limits.takes_public("1.1.1.1", "/time", 1, 0) for _ in range(2)] == [True, False]
    limits.forgive()
    assert limits.takes_public("1.1.1.1", "/time", 1, 0)
    generous = EndpointLimits(Limits(requests_per_uid=1000))
    assert all(generous.takes_private("a", "/balance", 2, 0) for _ in range(200))


def test_markets_have_the_venues_names_and_sizes() -> None:
    state = Exchange(1, lambda: 0).state
    swap, spot = instrument_of(state, "BTC-USDT-SWAP"), instrument_of(state, "BTC-USDT")
    assert (swap.symbol, spot.symbol) == ("BTCUSDT", "BTCUSDT:SPOT")
    assert (inst_id(swap), inst_id(spot)) == ("BTC-USDT-SWAP", "BTC-USDT")
    assert (contracts(swap, Decimal("0.001")), contracts(spot, Decimal("0.00001"))) == ("0.1", "0.00001")
    assert contracts(instrument_of(state, "SOL-USDT-SWAP"), Decimal(100)) == "100"
    for strange in ("BTC-USD-SWAP", "BTCUSDT", "BTC-USDT-250101", "BT-CUSDT", ""):
        with pytest.raises(Refusal):
            instrument_of(state, strange)


def test_lists_are_of_the_kind_asked_for() -> None:
    state = Exchange(1, lambda: 0).state
    kinds = {
        word: {inst_id(row) for row in listed(state, Params({"instType": word}))} for word in ("SPOT", "SWAP")
    }
    assert kinds["SPOT"] == {"BTC-USDT", "ETH-USDT", "SOL-USDT"}
    assert kinds["SWAP"] == {"BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP"}
    assert listed(state, Params({"instType": "FUTURES"})) == []
    assert len(listed(state, Params({}))) == 6
    with pytest.raises(ApiError):
        listed(state, Params({"instType": "MOON"}))


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2025-11-22T08:26:40.123Z", 1763800000123), ("2025-11-22T08:26:40Z", 1763800000000), ("1763800000", None),
        ("2025-13-22T08:26:40Z", None), ("2025-11-22T08:26:40.123", None), ("", None),
    ],
)  # fmt: skip
def test_times_are_read_in_the_venues_spelling(stamp: str, expected: int | None) -> None:
    assert epoch_ms(stamp) == expected


def test_a_signature_proves_exactly_its_text() -> None:
    proof = sign(b"secret", "text")
    assert verify(b"secret", "text", proof)
    assert not verify(b"secret", "texts", proof)
    assert not verify(b"other", "text", proof)


def test_pages_end_where_they_are_told() -> None:
    numbers = list(range(250, 0, -1))
    assert len(Params({}).page(numbers, int)) == 100
    assert Params({"after": "101", "limit": "3"}).page(numbers, int) == [100, 99, 98]
    assert Params({"before": "248"}).page(numbers, int) == [250, 249]
    assert Params({"begin": "5", "end": "6"}).within(5)
    assert not Params({"begin": "5"}).within(4)


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"1", b'["a"]'])
def test_bodies_that_hold_no_orders_are_refused(body: bytes) -> None:
    with pytest.raises(ApiError):
        of_body(body)


def test_queries_and_empty_values() -> None:
    params = Params({**of_query("a=1%2C2&b=&c=true"), "d": None, "e": 1.5})
    assert (params.optional("a"), params.optional("b"), params.flag("c"), params.optional("d")) == (
        "1,2", None, True, None,
    )  # fmt: skip
    for name in ("b", "e"):
        with pytest.raises(ApiError):
            params.decimal(name)


def test_every_engine_refusal_has_its_code() -> None:
    assert REFUSALS.keys() == set(Reason)


def test_a_subscription_hears_its_kind_and_its_market_only() -> None:
    wide, narrow = {"channel": "orders", "instType": "ANY"}, {
        "channel": "orders",
        "instType": "SWAP",
        "instId": "A",
    }
    assert concerns(wide, "orders", "SPOT", "B")
    assert concerns(narrow, "orders", "SWAP", "A")
    assert not concerns(narrow, "orders", "SWAP", "B")
    assert not concerns(narrow, "orders", "SPOT", "A")
    assert not concerns(wide, "orders-algo", "SPOT", "B")
