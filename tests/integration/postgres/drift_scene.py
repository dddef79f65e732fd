"""A scene for reconciling on a real database: one account, one lot for each of its leaders, and a venue that is scripted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from app.application.trading.accept_drift import AcceptDrift, Accepted, Approval
from app.application.trading.audit import AuditBounds
from app.application.trading.drift import AccountToCompare
from app.application.trading.evidence import Evidence
from app.application.trading.explain import ExplainShortfall
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.reconcile import Patience, Reconcile
from app.application.trading.settle import Settler
from app.domain.shared.execution import Action, Fill, FillCause, OrderReport, OrderStatus, VenuePosition
from app.domain.shared.ids import FollowId, WhaleId
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.protection_book import PostgresProtectionBook
from app.infrastructure.postgres.reconcile_book import PostgresReconcileBook
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import START
from tests.fakes.venue import Counts, FixedQuotes, HeardBell, OneGateway, ScriptedGateway
from tests.integration.postgres.cast import make_whales
from tests.integration.postgres.hot_scene import SECRET, HotScene
from tests.unit.domain.builders import BTC, D, instrument

TABLES = (
    "signals", "decisions", "trades", "orders", "fills", "positions", "funds", "ledger_entries", "drift_marks", "outbox",
)  # fmt: skip

PATIENCE = Patience(looks=3, spread=timedelta(seconds=30))


@dataclass
class DriftScene(HotScene):
    """`lots` opens them, each of 2 base units at 100; the venue then holds as much until a test says otherwise."""

    gateway: ScriptedGateway = field(default_factory=ScriptedGateway)
    metrics: Counts = field(default_factory=Counts)
    alarms: list[str] = field(default_factory=list)
    numbers: int = 100

    def __post_init__(self) -> None:
        self.bell = HeardBell()
        self.settler = Settler(
            self.executions, self.bell, self.clock, self.metrics, lambda why, _: self.alarms.append(why)
        )

    @property
    def account(self) -> AccountToCompare:
        return AccountToCompare(self.ids[0][1], instrument().venue, "l", b"s")

    @property
    def explain(self) -> ExplainShortfall:
        protections = PostgresProtectionBook(self.engine, lambda: PostgresUnitOfWork(self.engine, self.clock))
        desk = ProtectionDesk(protections, self.clock, self.metrics)
        quotes = FixedQuotes({BTC: instrument()})
        return ExplainShortfall(self.book, self.settler, desk, quotes, self.clock, SECRET)

    @property
    def book(self) -> PostgresReconcileBook:
        return PostgresReconcileBook(self.engine, self.clock)

    @property
    def reconcile(self) -> Reconcile:
        return Reconcile(
            book=self.book,
            executions=self.executions,
            gateways=OneGateway(self.gateway),
            explain=self.explain,
            clock=self.clock,
            metrics=self.metrics,
            patience=PATIENCE,
            pause=_at_once,
        )

    async def accept(self, *, dry: bool = False, sym: Symbol = BTC) -> Accepted | None:
        """Accept what the venue holds, one second later."""
        self.clock.advance(timedelta(seconds=1))
        act = AcceptDrift(self.book, OneGateway(self.gateway), self.explain, self.clock, PATIENCE, SECRET)
        self.settler.start()
        try:
            return await act(
                self.account.account_id, sym, None if dry else Approval("Ada", "The coins were withdrawn.")
            )
        finally:
            await self.settler.stop()

    async def lots(self, number: int = 1) -> None:
        """Open so many lots on one account, each for a leader of its own, and let the venue agree."""
        await self.followers(1, wallet="10000", value="200")
        first, account = self.ids[0]
        await self.run(
            "INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)"
            " SELECT account_id, 'first', 'DEPOSIT', wallet, :at FROM funds WHERE wallet > 0",
            at=START,
        )
        leaders = [self.whale, *(await _more_leaders(self, number - 1))]
        for leader in leaders[1:]:
            await self.run(
                "INSERT INTO follows (user_id, whale_id, account_id, mode, value, leverage_max, drift_max, sides,"
                " symbols_allowed, symbols_denied, tiny, tiny_factor_max, state)"
                " SELECT user_id, :whale, account_id, mode, value, leverage_max, drift_max, sides, symbols_allowed,"
                " symbols_denied, tiny, tiny_factor_max, state FROM follows WHERE id = :id",
                whale=leader,
                id=first,
            )
            follow = await self.value("SELECT max(id) FROM follows")
            self.ids.append((FollowId(follow), account))
        for leader in leaders:
            signal = await self.signal(Action.OPEN, whale=leader)
            await self.copy(signal)
            cid = await self.value("SELECT client_order_id FROM orders WHERE signal_id = :id", id=signal.id)
            executed = await self.fill(cid, self._number(), "2", fee="0.05")
            told = await self.report(cid, OrderStatus.FILLED, "2")
            await self.settler.apply([Evidence(cid, report=told, fills=(executed,))])
            await self.run(
                "UPDATE signals SET state = 'DONE', owner = NULL, lease_until = NULL WHERE id = :id",
                id=signal.id,
            )
            self.gateway.executions.append(executed)
            self.gateway.reports[cid] = told
        await self.run("UPDATE positions SET opened_at = :at", at=START)
        self.venue_holds(str(2 * number))
        await self.wallets_agree()

    async def funds(self, column: str) -> Decimal:
        found: Decimal = await self.value(
            f"SELECT {column} FROM funds WHERE account_id = :id", id=self.ids[0][1]
        )
        return found

    def venue_holds(self, *quantities: str, sym: Symbol = BTC) -> None:
        self.gateway.held = [
            VenuePosition(sym, D(each), D(100), NO_MONEY, 5) for each in quantities if D(each)
        ]

    async def wallets_agree(self) -> None:
        self.gateway.wallet = Money(await self.funds("wallet"))

    def owner_trades(
        self, signed: str, *, cause: FillCause = FillCause.TRADE, realised: str = "-3", told: bool = False
    ) -> Fill:
        """Let somebody else trade on the account: one order, one fill; `told`: only the order tells of the cause."""
        quantity = D(signed)
        number = self._number()
        made = Fill(
            venue=instrument().venue, symbol=BTC, trade_id=number, order_id=f"web{number}", client_order_id="",
            side=Side.of(quantity), price=Price(D(99)), quantity=Quantity(abs(quantity)), fee=Money(D("0.1")),
            realised_pnl=Money(D(realised)), at=START + timedelta(seconds=int(number)),
            cause=FillCause.TRADE if told else cause,
        )  # fmt: skip
        self.gateway.executions.append(made)
        self.gateway.reports[made.order_id] = OrderReport(
            venue=made.venue, symbol=BTC, order_id=made.order_id, client_order_id=f"web_{number}", side=made.side,
            status=OrderStatus.FILLED, quantity=made.quantity, executed=made.quantity, average_price=made.price,
            reduce_only=False, at=made.at, cause=cause,
        )  # fmt: skip
        held = sum((each.quantity for each in self.gateway.held if each.symbol == BTC), Decimal(0))
        self.venue_holds(str(held + quantity))
        self.gateway.wallet = Money(self.gateway.wallet + made.realised_pnl - made.fee)
        return made

    def _number(self) -> str:
        self.numbers += 1
        return str(self.numbers)

    async def look(self, after: float = 0) -> list[tuple[str, str, str]]:
        """Reconcile once, so many seconds later; return (cause, what, told) of each finding."""
        self.clock.advance(timedelta(seconds=after))
        self.settler.start()
        try:
            found = await self.reconcile(self.account)
        finally:
            await self.settler.stop()
        return [(each.cause.value, each.what, each.told) for each in found]

    async def held(self) -> list[Decimal]:
        rows = await self.rows("SELECT quantity FROM positions ORDER BY follow_id")
        return [row.quantity for row in rows]

    async def fingerprint(self) -> list[str]:
        """Every row of every table of the books, with the transaction that wrote it."""
        made = []
        for table in TABLES:
            made.append(
                await self.value(
                    f"SELECT coalesce(md5(string_agg(x::text || xmin::text, ',' ORDER BY x::text)), '') FROM {table} x"
                )
            )
        return made

    async def audit_is_clean(self) -> None:
        bounds = AuditBounds(*[timedelta(days=9999)] * 3)
        found = await PostgresAuditor(self.engine).findings(bounds)
        assert [(each.name, each.example) for each in found if not each.is_clean] == []


async def _more_leaders(scene: DriftScene, number: int) -> list[WhaleId]:
    return await make_whales(scene.engine, scene.clock, number) if number else []


async def _at_once() -> None:
    return None
