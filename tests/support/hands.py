"""What happens to a follower's account without us: its owner's hands at the exchange, and the exchange's own."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tests.support.system import Follower, System


async def trade_by_hand(
    system: System,
    follower: Follower,
    side: str,
    quantity: str,
    *,
    symbol: str = "BTCUSDT",
    leg: str = "BOTH",
    deleveraged: bool = False,
) -> None:
    """Let a follower trade on the venue's own pages, or the venue deleverage it."""
    price = system.simulator.operator.get("/fapi/v1/premiumIndex?symbol=BTCUSDT")["markPrice"]
    await system.simulator.operator.apost(
        "/sim/fills",
        {
            "account_id": follower.simulator_account,
            "symbol": symbol,
            "side": side,
            "position_side": leg,
            "fills": [{"price": price, "quantity": quantity}],
            "final": True,
            "deleveraged": deleveraged,
        },
    )


async def deposit(system: System, follower: Follower, amount: str, asset: str = "USDT") -> None:
    """Let a follower bring money or coins, or take them away with a negative amount."""
    await system.simulator.operator.apost(
        "/sim/deposits", {"account_id": follower.simulator_account, "asset": asset, "amount": amount}
    )


async def holds(system: System, wanted: list[str]) -> bool:
    """Return whether all positions of our books are these, by follow."""
    rows = await system.rows("SELECT quantity FROM positions ORDER BY follow_id")
    return [row["quantity"] for row in rows] == [Decimal(size) for size in wanted]


async def codes(system: System, follower: Follower) -> list[str]:
    """Return what was decided for a follow, in the order of the signals."""
    rows = await system.rows(
        "SELECT d.code FROM decisions d JOIN signals s ON s.id = d.signal_id WHERE d.follow_id = :id ORDER BY s.seq",
        id=follower.follow_id,
    )
    return [row["code"] for row in rows]


async def legs(system: System, follower: Follower) -> dict[str, Decimal]:
    """Return what the exchange holds for an account on BTCUSDT, by position side."""
    rows = await asyncio.to_thread(system.simulator.operator.ledger, "positions", follower.simulator_account)
    return {row["position_side"]: Decimal(row["quantity"]) for row in rows if row["symbol"] == "BTCUSDT"}


async def money(system: System, follower: Follower, asset: str = "USDT") -> Decimal:
    """Return what the exchange says of one asset's wallet."""
    (row,) = await asyncio.to_thread(system.simulator.operator.ledger, "accounts", follower.simulator_account)
    return Decimal(row["wallet"] if asset == "USDT" else row["balances"][asset]["wallet"])


async def label_of(system: System, follower: Follower) -> str:
    """Return the label of a follower's account."""
    found: str = await system.value("SELECT label FROM accounts WHERE id = :id", id=follower.account_id)
    return found
