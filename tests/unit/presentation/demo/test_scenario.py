"""The scripted leader and the cast are functions of their seed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.market import symbol
from app.presentation.demo.cast import KINDS, Stage, profiles
from app.presentation.demo.scenario import MARKETS, Intent, Move, change_of, script

STAGE = Stage([symbol("BTC-USDT"), symbol("SOL-USDT")], Decimal(9000), 10)
SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS)
def test_the_same_seed_plays_the_same_script(seed: int) -> None:
    assert script(seed) == script(seed)


def test_another_seed_plays_another_script() -> None:
    assert len({tuple(script(seed)) for seed in range(20)}) == 20


@given(SEEDS)
def test_every_script_opens_adds_reduces_flips_and_closes_on_three_markets(seed: int) -> None:
    moves = script(seed)
    assert 25 <= len(moves) <= 40
    assert {move.intent for move in moves} == set(Intent)
    assert {move.market for move in moves} == set(MARKETS)


@given(SEEDS)
def test_each_move_does_to_the_position_what_it_says(seed: int) -> None:
    held = dict.fromkeys(MARKETS, Decimal(0))
    for move in script(seed):
        before = held[move.market]
        change = change_of(move, before, move.market.price)
        after = before + change
        assert change != 0
        assert change % move.market.step == 0
        assert (before == 0) == (move.intent in {Intent.OPEN_LONG, Intent.OPEN_SHORT})
        if move.intent is Intent.ADD:
            assert abs(after) > abs(before)
        elif move.intent is Intent.REDUCE:
            assert 0 < abs(after) < abs(before)
            assert after * before > 0
        elif move.intent is Intent.FLIP:
            assert after * before < 0
        elif move.intent is Intent.CLOSE:
            assert after == 0
        held[move.market] = after
    assert [quantity != 0 for quantity in held.values()] == [False, False, True]


def test_a_reduction_too_small_for_the_step_takes_one_step() -> None:
    move = Move(MARKETS[0], Intent.REDUCE, Decimal(1), Decimal("0.25"), 1)
    assert change_of(move, Decimal("0.001"), Decimal(64000)) == Decimal("-0.001")


@given(SEEDS, st.integers(1, 60))
def test_the_same_seed_casts_the_same_followers(seed: int, count: int) -> None:
    cast = profiles(count, seed, STAGE)
    assert cast == profiles(count, seed, STAGE)
    assert len(cast) == count
    assert all(profile.balance > 0 for profile in cast)


def test_the_first_followers_go_once_through_every_kind() -> None:
    assert len({profile.kind for profile in profiles(len(KINDS), 1, STAGE)}) == len(KINDS)


@pytest.mark.parametrize("leverage", [1, 10])
def test_nobody_borrows_more_than_the_stage_allows(leverage: int) -> None:
    stage = Stage(STAGE.markets, STAGE.order_notional, leverage, Decimal(20))
    assert max(profile.terms.leverage_max for profile in profiles(60, 1, stage)) == leverage


@given(st.decimals(Decimal("0.01"), Decimal(10**12), places=2))
def test_a_multiplier_fits_whatever_the_leader_usually_trades(usual: Decimal) -> None:
    profiles(60, 1, Stage(STAGE.markets, usual, 1, Decimal(20)))
