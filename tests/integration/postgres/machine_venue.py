"""A venue for the database's machine: orders of many accounts, reduce-only, told late, twice or only when asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from app.application.trading.evidence import Evidence, of_outcome
from app.domain.exchanges.outcomes import Accepted, DefiniteNo, NotSent, Outcome, RefusalKind, Unknown
from app.domain.exchanges.ports import ExchangeGateway, MarketData, PrivateStream
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import epoch_ms
from app.domain.shared.errors import NotFound
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Venue
from app.domain.shared.money import Money, Price, Quantity
from tests.fakes.clock import FakeClock
from tests.fakes.venue import ScriptedGateway, ScriptedStream

FATES = ("filled", "part", "rests", "lost", "gone", "refused", "throttled", "not sent")


@dataclass
class AtVenue:
    """One order as the venue has it; `visible` once queries show it."""

    account: AccountId
    asked: PlaceOrder
    visible: bool
    fills: list[Fill] = field(default_factory=list)
    ended: OrderStatus | None = None

    @property
    def executed(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.asked.quantity - self.executed


class MachineVenue:
    """GatewayFactory and the venue behind it. `fates` are taken in turn; without one an order is filled."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.orders: dict[ClientOrderId, AtVenue] = {}
        self.news: list[Evidence] = []
        self.told: list[Evidence] = []
        self.fates: list[str] = []
        self.arrivals: list[ClientOrderId] = []
        self.numbers = 0

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        return AccountGateway(venue=self, account=account)

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        return ScriptedStream(())

    def market(self, venue: Venue) -> MarketData:
        raise NotFound("No market data is scripted.")

    def net(self, account: AccountId) -> Decimal:
        """What the account holds."""
        fills = [f for o in self.orders.values() if o.account == account for f in o.fills]
        return sum((fill.side.sign * fill.quantity for fill in fills), Decimal(0))

    def take(self, account: AccountId, asked: PlaceOrder) -> Outcome:
        """Receive one order; each id must arrive once."""
        fate = self.fates.pop(0) if self.fates else "filled"
        if fate == "not sent":
            return NotSent("no connection")
        if epoch_ms(self.clock.now()) > asked.signed_ms + asked.valid_ms:
            return DefiniteNo(RefusalKind.CLOCK, "-1021", "outside of the window")
        if fate == "throttled":
            return DefiniteNo(RefusalKind.THROTTLED, "-1003", "slower")
        if fate == "gone":
            return Unknown("timeout")
        if fate == "refused":
            return DefiniteNo(RefusalKind.OTHER, "-1", "no")
        if asked.reduce_only and self.net(account) <= 0:
            return DefiniteNo(RefusalKind.NOTHING_TO_REDUCE, "-2022", "nothing to reduce")
        self.arrivals.append(asked.client_order_id)
        order = self.orders[asked.client_order_id] = AtVenue(account, asked, visible=fate != "lost")
        if fate in ("filled", "lost"):
            self.execute(order, order.left)
        elif fate == "part":
            self.execute(order, order.left / 2)
        return Unknown("timeout") if fate == "lost" else Accepted(self.report(order))

    def execute(self, order: AtVenue, quantity: Decimal) -> None:
        """Execute some of an order in whole steps, a reducing one at most for what is held, and put the news on its way."""
        step = order.asked.instrument.step
        quantity = min(max(step, order.asked.instrument.round_quantity(quantity)), order.left)
        if order.asked.reduce_only:
            quantity = min(quantity, self.net(order.account))
        if quantity <= 0:
            order.ended = OrderStatus.EXPIRED
            self.news.append(Evidence(order.asked.client_order_id, report=self.report(order)))
            return
        self.numbers += 1
        fill = Fill(
            venue=Venue.BINANCE_USDM,
            symbol=order.asked.instrument.symbol,
            trade_id=str(self.numbers),
            order_id=f"v{order.asked.client_order_id}",
            client_order_id=order.asked.client_order_id,
            side=order.asked.side,
            price=Price(Decimal(100 + self.numbers % 7)),
            quantity=Quantity(quantity),
            fee=Money(Decimal("0.05")),
            realised_pnl=Money(Decimal("0.3") if order.asked.reduce_only else Decimal(0)),
            at=self.clock.now(),
        )
        order.fills.append(fill)
        if order.left <= 0:
            order.ended = OrderStatus.FILLED
        self.news.append(Evidence(fill.client_order_id, report=self.report(order), fills=(fill,)))

    def cancel(self, order: AtVenue) -> None:
        """End an order as a venue does for its own reasons."""
        order.ended = OrderStatus.EXPIRED
        self.news.append(Evidence(order.asked.client_order_id, report=self.report(order)))

    def report(self, order: AtVenue) -> OrderReport:
        partly = OrderStatus.PARTIAL if order.fills else OrderStatus.OPEN
        return OrderReport(
            venue=Venue.BINANCE_USDM,
            symbol=order.asked.instrument.symbol,
            order_id=f"v{order.asked.client_order_id}",
            client_order_id=order.asked.client_order_id,
            side=order.asked.side,
            status=order.ended or partly,
            quantity=order.asked.quantity,
            executed=Quantity(order.executed),
            average_price=Price(Decimal(100)) if order.fills else None,
            reduce_only=order.asked.reduce_only,
            at=self.clock.now(),
        )

    def answered(self, asked: PlaceOrder, outcome: Outcome) -> None:
        """Put the answer to a request on its way; it may come late or never be read."""
        exit_ = asked.side is Side.SELL
        self.news.append(
            of_outcome(asked.client_order_id, outcome, self.clock.now(), is_exit=exit_, attempt=0)
        )

    @property
    def live(self) -> list[AtVenue]:
        return [order for order in self.orders.values() if order.ended is None]


@dataclass(kw_only=True)
class AccountGateway(ScriptedGateway):
    """One account's view of the venue."""

    venue: MachineVenue
    account: AccountId

    async def place(self, order: PlaceOrder) -> Outcome:
        return self.venue.take(self.account, order)

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        found = self.venue.orders.get(client_order_id)
        return self.venue.report(found) if found is not None and found.visible else None

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        found = self.venue.orders.get(client_order_id)
        if found is not None and found.ended is None:
            self.venue.cancel(found)
        return self.venue.report(found) if found is not None else None

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        return await self.order(instrument, ClientOrderId(order_id.removeprefix("v")))

    async def fills(
        self, instrument: Instrument, *, since: object = None, order_id: str | None = None
    ) -> list[Fill]:
        mine = [o for o in self.venue.orders.values() if o.account == self.account and o.visible]
        return [f for o in mine for f in o.fills if order_id is None or f.order_id == order_id]
