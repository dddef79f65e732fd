from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.risk.denials import Denial, DenialCode
from app.domain.risk.limits import Limits
from app.domain.risk.rules import (
    RULES,
    Rule,
    daily_loss_within_limit,
    drawdown_within_limit,
    entries_are_not_halted,
    funds_suffice,
    leverage_within_limit,
    no_opposing_position,
    order_within_limit,
    positions_within_limit,
    price_has_not_drifted,
    symbol_exposure_within_limit,
    total_exposure_within_limit,
)
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Ratio
from tests.unit.domain.builders import CALM, D, Wanted

FREE = Limits()


def code(denial: Denial | None) -> DenialCode | None:
    return denial.code if denial else None


def test_the_table_holds_every_rule_once_and_each_has_its_own_code() -> None:
    assert len(RULES) == len(set(RULES)) == len(DenialCode)


@pytest.mark.parametrize("rule", RULES)
def test_a_harmless_proposal_passes_every_rule_without_limits(rule: Rule) -> None:
    assert rule(Wanted(), CALM, FREE) is None


@pytest.mark.parametrize("halted", [True, False])
def test_a_halt_stops_entries_whatever_their_size(*, halted: bool) -> None:
    denial = entries_are_not_halted(Wanted(), replace(CALM, entries_halted=halted), FREE)
    assert code(denial) is (DenialCode.ENTRIES_HALTED if halted else None)
    assert denial is None or denial.room is None


@pytest.mark.parametrize(
    ("side", "mark", "drifts"),
    [
        (Side.BUY, "100.5", False),  # exactly as far as agreed
        (Side.BUY, "100.51", True),
        (Side.BUY, "50", False),  # a better price is welcome
        (Side.SELL, "99.5", False),
        (Side.SELL, "99.49", True),
        (Side.SELL, "200", False),
    ],
)
def test_a_price_drifts_only_against_the_follower(side: Side, mark: str, *, drifts: bool) -> None:
    order = Wanted(side=side, mark_price=Price(D(mark)), drift_max=Ratio(D("0.005")))
    denial = price_has_not_drifted(order, CALM, FREE)
    assert code(denial) is (DenialCode.PRICE_DRIFTED if drifts else None)
    if denial:
        assert (denial.actual, denial.limit, denial.room) == (D("0.0051"), D("0.005"), None)


@pytest.mark.parametrize(
    ("side", "other", "opposes"),
    [
        (Side.BUY, "0", False),
        (Side.BUY, "1", False),
        (Side.BUY, "-0.001", True),
        (Side.SELL, "0", False),
        (Side.SELL, "-1", False),
        (Side.SELL, "0.001", True),
    ],
)
def test_another_leaders_position_is_never_netted_away(side: Side, other: str, *, opposes: bool) -> None:
    denial = no_opposing_position(Wanted(side=side), replace(CALM, other_quantity=D(other)), FREE)
    assert code(denial) is (DenialCode.OPPOSING_POSITION if opposes else None)
    assert denial is None or (denial.actual, denial.room) == (D("0.001"), None)


@pytest.mark.parametrize(
    ("today", "limit", "refused"),
    [
        ("-99.99", "100", False),
        ("-100", "100", True),
        ("-100.01", "100", True),
        ("500", "100", False),
        ("0", "0", True),
        ("-1000000", None, False),
    ],
)
def test_a_days_loss_that_reaches_the_limit_ends_new_risk(
    today: str, limit: str | None, *, refused: bool
) -> None:
    limits = Limits(daily_loss_max=None if limit is None else D(limit))
    denial = daily_loss_within_limit(Wanted(), replace(CALM, realised_today=Money(D(today))), limits)
    assert code(denial) is (DenialCode.DAILY_LOSS_LIMIT if refused else None)
    assert denial is None or (denial.actual == -D(today) and denial.room is None)


@pytest.mark.parametrize(
    ("wallet", "high", "limit", "refused"),
    [
        ("800.01", "1000", "0.2", False),
        ("800", "1000", "0.2", True),
        ("-50", "1000", "1", True),
        ("1200", "1000", "0.2", False),
        ("0", "0", "0.2", False),  # nothing was ever there to fall from
        ("1", "1000", None, False),
    ],
)
def test_a_wallet_too_far_below_its_high_takes_no_new_risk(
    wallet: str, high: str, limit: str | None, *, refused: bool
) -> None:
    exposure = replace(CALM, wallet=Money(D(wallet)), high_water=Money(D(high)))
    denial = drawdown_within_limit(
        Wanted(), exposure, Limits(drawdown_max=None if limit is None else D(limit))
    )
    assert code(denial) is (DenialCode.DRAWDOWN_LIMIT if refused else None)
    assert denial is None or denial.room is None


@pytest.mark.parametrize(
    ("held", "limit", "opens", "refused"),
    [
        (2, 3, True, False),
        (3, 3, True, True),
        (3, 3, False, False),
        (0, 0, True, True),
        (9, None, True, False),
    ],
)
def test_only_another_position_counts_against_their_number(
    held: int, limit: int | None, *, opens: bool, refused: bool
) -> None:
    denial = positions_within_limit(
        Wanted(opens_position=opens), replace(CALM, positions=held), Limits(positions_max=limit)
    )
    assert code(denial) is (DenialCode.TOO_MANY_POSITIONS if refused else None)
    assert denial is None or denial.room is None


@pytest.mark.parametrize(("leverage", "limit", "refused"), [(5, 5, False), (6, 5, True), (125, None, False)])
def test_leverage_above_the_limit_is_refused(leverage: int, limit: int | None, *, refused: bool) -> None:
    denial = leverage_within_limit(Wanted(leverage=leverage), CALM, Limits(leverage_max=limit))
    assert code(denial) is (DenialCode.LEVERAGE_ABOVE_LIMIT if refused else None)


@pytest.mark.parametrize(("limit", "room"), [("100", None), ("99.99", "99.99"), ("0", "0"), (None, None)])
def test_an_order_above_the_limit_is_cut_to_it(limit: str | None, room: str | None) -> None:
    denial = order_within_limit(
        Wanted(), CALM, Limits(order_notional_max=None if limit is None else D(limit))
    )
    assert code(denial) is (DenialCode.ORDER_ABOVE_LIMIT if room else None)
    assert denial is None or denial.room == D(room or 0)


EXPOSED = [
    ("0", "100", None),
    ("0.01", "100", "99.99"),
    ("50", "100", "50"),
    ("100", "100", "0"),
    ("150", "100", "0"),
    ("150", None, None),
]


@pytest.mark.parametrize(("carried", "limit", "room"), EXPOSED)
def test_one_market_carries_no_more_than_its_limit(carried: str, limit: str | None, room: str | None) -> None:
    denial = symbol_exposure_within_limit(
        Wanted(),
        replace(CALM, symbol_notional=Money(D(carried))),
        Limits(symbol_notional_max=None if limit is None else D(limit)),
    )
    assert code(denial) is (DenialCode.SYMBOL_EXPOSURE_LIMIT if room else None)
    assert denial is None or (denial.room == D(room or 0) and denial.actual == D(carried) + 100)


@pytest.mark.parametrize(("carried", "limit", "room"), EXPOSED)
def test_all_markets_carry_no_more_than_their_limit(
    carried: str, limit: str | None, room: str | None
) -> None:
    denial = total_exposure_within_limit(
        Wanted(),
        replace(CALM, total_notional=Money(D(carried))),
        Limits(total_notional_max=None if limit is None else D(limit)),
    )
    assert code(denial) is (DenialCode.TOTAL_EXPOSURE_LIMIT if room else None)
    assert denial is None or (denial.room == D(room or 0) and denial.actual == D(carried) + 100)


@pytest.mark.parametrize(
    ("free", "leverage", "room"),
    [
        ("20.3", 5, None),  # 100 / 5 + 0.3 %
        ("20.29", 5, "99.95"),
        ("100.3", 1, None),
        ("10.15", 5, "50"),
        ("0", 5, "0"),
        ("-7", 5, "0"),
    ],
)
def test_free_funds_cover_margin_and_fees(free: str, leverage: int, room: str | None) -> None:
    denial = funds_suffice(Wanted(leverage=leverage), replace(CALM, free=Money(D(free))), FREE)
    assert code(denial) is (DenialCode.INSUFFICIENT_FUNDS if room else None)
    assert denial is None or (denial.room is not None and abs(denial.room - D(room or 0)) < D("0.001"))
