"""Ids, coins, prices and nonces: what must come back as it went, and what may never move."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Leg
from app.domain.shared.ids import FollowId, SignalId, client_order_id
from app.domain.shared.market import Side
from app.domain.shared.money import Price, plain
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.hyperliquid.nonces import Nonces
from app.infrastructure.exchanges.hyperliquid.wire import prices
from app.infrastructure.exchanges.hyperliquid.wire.coins import asset_of, coin_of, symbol_of
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of, id_of
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.hyperliquid.rows import instrument

CLOID = re.compile(r"0x[0-9a-f]{32}")


@given(
    st.binary(min_size=1, max_size=64), st.uuids(), st.integers(0, 2**62), st.sampled_from(Leg), st.integers(0, 9999)
)  # fmt: skip
def test_every_id_of_ours_comes_back(
    secret: bytes, signal: UUID, follow: int, leg: Leg, attempt: int
) -> None:
    ours = client_order_id(secret, SignalId(signal), FollowId(follow), leg, attempt)
    assert CLOID.fullmatch(cloid_of(ours))
    assert id_of(cloid_of(ours)) == ours


@given(
    st.integers(0, (1 << 120) - 1),
    st.sampled_from("exstplr"),
    st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz"),
)
def test_every_leg_and_attempt_has_room(number: int, leg: str, attempt: str) -> None:
    digits = ""
    for _ in range(24):
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    assert id_of(cloid_of(f"c{digits}{leg}{attempt}")) == f"c{digits}{leg}{attempt}"


@given(st.integers(0, 10**15))
def test_an_id_that_counts_comes_back(number: int) -> None:
    assert id_of(cloid_of(f"c{number:026d}")) == f"c{number:026d}"


@given(st.text(max_size=40), st.text(max_size=40))
def test_other_ids_have_cloids_of_their_own(one: str, other: str) -> None:
    assert CLOID.fullmatch(cloid_of(one))
    assert (cloid_of(one) == cloid_of(other)) == (one == other)


@given(st.integers(0, (1 << 128) - 1))
def test_a_cloid_is_ours_only_if_we_would_have_written_it(number: int) -> None:
    cloid = f"0x{number:032x}"
    found = id_of(cloid)
    assert found == cloid or cloid_of(found) == cloid


def test_a_foreign_cloid_is_passed_on_and_none_is_nothing() -> None:
    foreign = "0xfe000000000000000000000000000001"
    assert (id_of(foreign), id_of(None), id_of("web")) == (foreign, "", "web")


@pytest.mark.parametrize(
    ("coin", "ours"), [("BTC", "BTC-USDT"), ("kPEPE", "1000PEPE-USDT"), ("2Z", "2Z-USDT")]
)
def test_coins_have_symbols(coin: str, ours: str) -> None:
    assert symbol_of(coin) == ours


@pytest.mark.parametrize("coin", ["xyz:TSLA", "@107", "PURR/USDC", "1000PEPE", "", "kkk", "btc", "A" * 30])
def test_other_markets_are_left_out(coin: str) -> None:
    with pytest.raises((Unreadable, InvalidValue)):
        symbol_of(coin)


def test_a_market_has_a_coin_and_a_number() -> None:
    market = instrument("kPEPE", 17, 0)
    assert (coin_of(market), asset_of(market)) == ("kPEPE", 17)


@pytest.mark.parametrize(
    ("decimals", "value", "bid", "offer"),
    [
        (5, "87123.4", "87123", "87124"),
        (5, "187123.4", "187123", "187124"),
        (4, "2999.57", "2999.5", "2999.6"),
        (2, "160.0049", "160", "160.01"),
        (0, "0.01234567", "0.012345", "0.012346"),
        (0, "0.0000019", "0.000001", "0.000002"),
        (5, "9.99999", "9.9", "10"),
    ],
)
def test_prices_are_rounded_to_what_may_be_sent(decimals: int, value: str, bid: str, offer: str) -> None:
    market = instrument("X", 3, decimals)
    assert plain(prices.limit_price(market, Side.BUY, Decimal(value))) == bid
    assert plain(prices.limit_price(market, Side.SELL, Decimal(value))) == offer


def test_a_price_that_rounds_to_nothing_is_not_sent() -> None:
    for value in ("0", "-1", "0.0000001"):
        with pytest.raises(Unreadable):
            prices.limit_price(instrument("X", 3, 0), Side.BUY, Decimal(value))


@given(st.integers(0, 5), st.decimals("0.01", 900_000, places=6), st.sampled_from(Side))
def test_a_rounded_price_is_legal_and_no_worse_than_asked(decimals: int, value: Decimal, side: Side) -> None:
    market = instrument("X", 3, decimals)
    try:
        found = prices.limit_price(market, side, value).normalize()
    except Unreadable:
        assert value < market.tick
        return
    assert found <= value if side is Side.BUY else found >= value
    places = max(0, -int(found.as_tuple().exponent))
    assert places == 0 or (len(found.as_tuple().digits) <= 5 and places <= 6 - decimals)


def test_market_orders_stay_within_five_per_cent() -> None:
    market, mark = instrument("ETH", 1, 4), Price(Decimal("3333.33"))
    assert prices.market_price(market, Side.BUY, mark) <= mark * Decimal("1.05")
    assert prices.market_price(market, Side.SELL, mark) >= mark * Decimal("0.95")


@pytest.mark.parametrize(
    ("kind", "closing", "sent"),
    [
        (TriggerKind.STOP_LOSS, Side.SELL, "84001"),
        (TriggerKind.TAKE_PROFIT, Side.SELL, "84000"),
        (TriggerKind.STOP_LOSS, Side.BUY, "84000"),
        (TriggerKind.TAKE_PROFIT, Side.BUY, "84001"),
    ],
)
def test_a_trigger_is_rounded_towards_the_market(kind: TriggerKind, closing: Side, sent: str) -> None:
    assert plain(prices.trigger_price(instrument(), kind, closing, Decimal("84000.5"))) == sent


def test_an_orders_nonce_is_its_timestamp_and_stays_when_it_is_sent_again() -> None:
    nonces = Nonces()
    assert nonces.take(b"agent", 1000, 6000, "one") == 1000
    assert nonces.take(b"agent", 1000, 6000, "two") == 1001
    assert nonces.take(b"agent", 1000, 6000, "one") == 1000
    assert nonces.take(b"agent", 1000, 6000, "two") == 1001
    assert nonces.take(b"agent", 999, 5999, "three") == 999
    assert nonces.take(b"another", 1000, 6000, "four") == 1000


def test_no_nonce_is_given_beyond_the_window() -> None:
    nonces = Nonces()
    for number in range(3):
        nonces.take(b"agent", 1000, 1002, str(number))
    with pytest.raises(Unreadable):
        nonces.take(b"agent", 1000, 1002, "one too many")


@given(st.lists(st.integers(1000, 1010), max_size=60))
def test_no_nonce_is_given_twice(wanted: list[int]) -> None:
    nonces = Nonces(kept=60)
    given_out = [nonces.take(b"agent", at, at + 100, str(place)) for place, at in enumerate(wanted)]
    assert len(set(given_out)) == len(given_out)
    assert all(nonce >= at for nonce, at in zip(given_out, wanted, strict=True))


def test_what_is_kept_of_nonces_is_bounded() -> None:
    nonces = Nonces(kept=4, signers=2)
    for number in range(100):
        nonces.take(str(number).encode(), 1, 10)
        nonces.take(b"one", number, number + 10)
    assert len(nonces._used) == 2
    assert max(len(used) for used in nonces._used.values()) <= 4
