"""What a venue does not hold of our lots: never more than is missing, the oldest first, whole lots before parts."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.ids import FollowId
from app.domain.trading.divergence import Lot, missing, sum_of, vanished

SIZES = st.decimals("0.001", "1000", places=3)


@given(st.lists(SIZES, max_size=5), st.decimals("-2000", "6000", places=3), st.sampled_from([1, -1]))
def test_what_vanished_is_what_is_missing_taken_from_the_oldest_lots(
    sizes: list[Decimal], theirs: Decimal, sign: int
) -> None:
    lots = [Lot(FollowId(number), size * sign) for number, size in enumerate(sizes, 1)]
    gone = vanished(lots, theirs)
    ours = sum_of(lots)
    assert abs(sum_of(gone)) == missing(ours, theirs)
    assert missing(ours - sum_of(gone), theirs) == 0
    assert [lot.follow_id for lot in gone] == [lot.follow_id for lot in lots[: len(gone)]]
    assert list(gone[:-1]) == lots[: max(0, len(gone) - 1)], "only the last of them may be a part"
    assert all(abs(part.quantity) <= abs(lot.quantity) for part, lot in zip(gone, lots, strict=False))
    assert all(part.quantity * sign > 0 for part in gone)
