"""Equal books are found equal, and whatever is changed on either side is found and named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from app.config.demo import AccountLine, FillLine, LeaderFillLine, OrderLine, RunBooks
from app.domain.shared.ids import AccountId
from app.presentation.demo.books import Comparison, ExchangeBooks, compare
from app.presentation.demo.summary import Money, Summary, as_json, lines

ACCOUNTS = {"x1": 11, "x2": 12}
LEADER = "xl"
D = Decimal
ELEVEN, TWELVE = AccountId(11), AccountId(12)


def our_order(**changes: Any) -> OrderLine:
    made = OrderLine(ELEVEN, "c1e0", "501", "BTC-USDT", "BUY", "ENTRY", False, "FILLED", D("0.002"), 41.5)
    return replace(made, **changes)


def our_fill(**changes: Any) -> FillLine:
    return replace(
        FillLine(ELEVEN, "BTC-USDT", "901", "BUY", D(64000), D("0.002"), D("0.064"), D(0)), **changes
    )


@dataclass
class Case:
    """Both sides of a small run, in agreement until somebody changes one."""

    orders: list[OrderLine] = field(
        default_factory=lambda: [
            our_order(),
            our_order(
                account_id=TWELVE,
                client_order_id="c2e0",
                venue_order_id=None,
                state="REJECTED",
                executed=D(0),
            ),
        ]
    )
    fills: list[FillLine] = field(default_factory=lambda: [our_fill()])
    accounts: list[AccountLine] = field(
        default_factory=lambda: [
            AccountLine(ELEVEN, D("999.936"), D(0), D(0), D("0.064"), {"BTC-USDT": D("0.002")}),
            AccountLine(TWELVE, D(500), D(0), D(0), D(0), {}),
        ]
    )
    leader_fills: list[LeaderFillLine] = field(
        default_factory=lambda: [LeaderFillLine("BTC-USDT", "900", "BUY", D(64000), D("0.1"))]
    )
    leader_positions: dict[str, Decimal] = field(default_factory=lambda: {"BTC-USDT": D("0.1")})
    theirs: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: copy.deepcopy(
            {
                "orders": [
                    {
                        "account_id": "x1", "client_order_id": "c1e0", "order_id": 501, "symbol": "BTCUSDT",
                        "side": "BUY", "executed_quantity": "0.002", "reduce_only": False, "status": "FILLED",
                        "origin": "client",
                    }
                ],
                "fills": [
                    {
                        "account_id": "x1", "symbol": "BTCUSDT", "trade_id": 901, "side": "BUY", "price": "64000.0",
                        "quantity": "0.002", "commission": "0.06400000", "realised_pnl": "0",
                    },
                    {
                        "account_id": LEADER, "symbol": "BTCUSDT", "trade_id": 900, "side": "BUY",
                        "price": "64000", "quantity": "0.100", "commission": "3.2", "realised_pnl": "0",
                    },
                ],
                "positions": [
                    {"account_id": "x1", "symbol": "BTCUSDT", "quantity": "0.002"},
                    {"account_id": LEADER, "symbol": "BTCUSDT", "quantity": "0.1"},
                ],
                "accounts": [
                    {"account_id": "x1", "wallet": "999.93600000"},
                    {"account_id": "x2", "wallet": "500"},
                    {"account_id": LEADER, "wallet": "1"},
                    {"account_id": "another run's", "wallet": "7"},
                ],
            }
        )
    )  # fmt: skip

    @property
    def books(self) -> RunBooks:
        return RunBooks([], self.orders, self.fills, self.accounts, self.leader_fills, self.leader_positions)

    def compare(self) -> Comparison:
        return compare(self.books, ExchangeBooks(**self.theirs), ACCOUNTS, LEADER)


def test_equal_books_are_found_equal_however_amounts_are_written() -> None:
    found = Case().compare()
    assert found.differences == []
    assert (found.orders, found.fills, found.positions, found.wallets, found.leader_fills) == (1, 1, 1, 2, 1)


def ours(change: Callable[[Case], object]) -> Callable[[Case], object]:
    return change


def theirs(table: str, index: int, name: str, value: object) -> Callable[[Case], object]:
    return lambda case: case.theirs[table][index].__setitem__(name, value)


def without(table: str, index: int) -> Callable[[Case], object]:
    return lambda case: case.theirs[table].pop(index)


@pytest.mark.parametrize(
    ("corrupt", "words"),
    [
        (ours(lambda case: case.fills.clear()), "trade 901 of account 11: at the exchange, unknown in our books"),
        (ours(lambda case: case.orders.pop(0)), "order c1e0 of account 11: FILLED at the exchange"),
        (
            ours(lambda case: case.orders.append(our_order(client_order_id="c3e0"))),
            "unknown at the exchange",
        ),
        (
            ours(lambda case: case.orders.__setitem__(0, our_order(state="UNKNOWN"))),
            "do not know its outcome",
        ),
        (
            ours(lambda case: case.orders.__setitem__(0, our_order(state="REJECTED"))),
            "REJECTED in our books, FILLED",
        ),
        (
            ours(lambda case: case.fills.__setitem__(0, our_fill(fee=D("0.065")))),
            "fee 0.065 in our books",
        ),
        (
            ours(lambda case: case.accounts.__setitem__(1, replace(case.accounts[1], wallet=D("500.00000001")))),
            "account 12: wallet 500.00000001 in our books, 500 at the exchange",
        ),
        (
            ours(lambda case: case.accounts.__setitem__(1, replace(case.accounts[1], held=D(1)))),
            "still reserved",
        ),
        (
            ours(lambda case: case.accounts.__setitem__(0, replace(case.accounts[0], positions={}))),
            "position of account 11 on BTCUSDT: quantity 0 in our books, 0.002",
        ),
        (ours(lambda case: case.leader_fills.clear()), "the leader's trade 900: at the exchange, never seen"),
        (ours(lambda case: case.leader_positions.clear()), "the leader's position on BTCUSDT"),
        (theirs("orders", 0, "status", "CANCELED"), "FILLED in our books, CANCELED at the exchange"),
        (theirs("orders", 0, "side", "SELL"), "side BUY in our books, SELL"),
        (theirs("orders", 0, "executed_quantity", "0.001"), "executed quantity 0.002 in our books, 0.001"),
        (theirs("orders", 0, "reduce_only", True), "reduce-only False in our books, True"),
        (theirs("orders", 0, "order_id", 502), "venue order id 501 in our books, 502"),
        (theirs("orders", 0, "symbol", "ETHUSDT"), "symbol BTCUSDT in our books, ETHUSDT"),
        (theirs("fills", 0, "price", "64000.1"), "price 64000 in our books, 64000.1"),
        (theirs("fills", 0, "quantity", "0.003"), "quantity 0.002 in our books, 0.003"),
        (theirs("fills", 0, "realised_pnl", "1"), "realised result 0 in our books, 1"),
        (theirs("fills", 1, "price", "64001"), "the leader's trade 900: price"),
        (without("fills", 0), "trade 901 of account 11: in our books, unknown at the exchange"),
        (without("orders", 0), "order c1e0 of account 11: FILLED in our books, unknown at the exchange"),
        (without("positions", 0), "position of account 11 on BTCUSDT: quantity 0.002 in our books, 0 at"),
        (without("accounts", 1), "account 12: unknown at the exchange"),
        (
            ours(lambda case: case.theirs["orders"].append(dict(case.theirs["orders"][0]))),
            "1 orders with a client order id that another one bears too",
        ),
        (
            ours(
                lambda case: case.theirs["orders"].append(
                    case.theirs["orders"][0]
                    | {"client_order_id": "autoclose-1", "origin": "liquidation"}
                )
            ),
            "order autoclose-1 of account 11: FILLED at the exchange (liquidation), unknown in our books",
        ),
    ],
)  # fmt: skip
def test_every_corruption_is_found_and_named(corrupt: Callable[[Case], object], words: str) -> None:
    case = Case()
    corrupt(case)
    found = case.compare()
    assert any(words in sentence for sentence in found.differences), found.differences


@pytest.mark.parametrize(
    ("corrupted", "said"), [(False, "the books agree"), (True, "THE BOOKS DO NOT AGREE: 1")]
)
def test_the_summary_says_whether_the_books_agree(corrupted: bool, said: str) -> None:
    case = Case()
    if corrupted:
        case.fills.clear()
    money = Money(D(1), D(2))
    summary = Summary("r", 1, 2, 1, case.books, case.compare(), money, money, 1.0, 2.0, ())
    assert summary.agrees is not corrupted
    assert as_json(summary)["books_agree"] is not corrupted
    assert any(said in line for line in lines(summary, with_signals=True))
