"""Replies cut, flipped and doubled: none becomes another order, none a definite word that the venue did not say."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, RefusalKind, Unknown
from app.domain.shared.market import Side
from app.domain.shared.money import quantity
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES
from app.infrastructure.exchanges.binance.wire.orders import outcome
from app.infrastructure.exchanges.binance.wire.trades import read_fills
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import BTC, ID, TRADE, buy, raw
from tests.unit.infrastructure.exchanges.binance.binance_rows import ORDER as FILLED

ORDER = buy(BTC, "0.010")


def cut(text: bytes, at: int) -> bytes:
    return text[: at % (len(text) + 1)]


def flip(text: bytes, at: int) -> bytes:
    spot = at % len(text)
    return text[:spot] + bytes([text[spot] ^ (1 + at % 255)]) + text[spot + 1 :]


def double(text: bytes, at: int) -> bytes:
    spot = at % len(text)
    return text[:spot] + text[spot : spot + at % 40] + text[spot:]


MUTATIONS = st.lists(
    st.tuples(st.sampled_from([cut, flip, double]), st.integers(0, 10**6)), min_size=1, max_size=4
)
Mutations = list[tuple[Callable[[bytes, int], bytes], int]]
REPLY = json.dumps(FILLED).encode()
TRADES = json.dumps([TRADE]).encode()


def mutated(body: bytes, mutations: Mutations) -> bytes:
    for mutate, at in mutations:
        body = mutate(body, at) if body else body
    return body


@settings(max_examples=2000, deadline=None)
@given(MUTATIONS)
def test_a_mutated_reply_is_never_another_order(mutations: Mutations) -> None:
    got = outcome(ORDER, 200, mutated(REPLY, mutations), None)
    assert isinstance(got, Accepted | Unknown)
    if isinstance(got, Accepted):
        report = got.report
        assert (report.client_order_id, report.symbol, report.side) == (ID, BTC.symbol, Side.BUY)
        assert report.order_id.isdecimal()
        assert quantity(0) <= report.executed <= report.quantity


@settings(max_examples=2000, deadline=None)
@given(st.integers(100, 599), MUTATIONS)
def test_a_mutated_refusal_never_becomes_an_order(status: int, mutations: Mutations) -> None:
    body = mutated(raw({"code": -2019, "msg": "words"}), mutations)
    got = outcome(ORDER, status, body, None)
    assert not isinstance(got, Accepted)
    if isinstance(got, DefiniteNo) and got.kind is not RefusalKind.THROTTLED:
        assert int(got.code) in CONTRACT_CODES or got.code == "-2010"


@settings(max_examples=2000, deadline=None)
@given(MUTATIONS)
def test_mutated_trades_give_whole_fills_or_a_typed_refusal(mutations: Mutations) -> None:
    body = mutated(TRADES, mutations)
    try:
        fills = read_fills(BTC, body, {})
    except Unreadable:
        return
    for fill in fills:
        assert fill.symbol == BTC.symbol
        assert fill.quantity > 0
        assert fill.price > 0
        assert int(fill.trade_id) > 0
