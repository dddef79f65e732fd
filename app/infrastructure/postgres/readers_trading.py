"""Orders, positions and money as they are served, and what a follow would have to leave."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, case, func, or_, select, text, tuple_, union

from app.application.queries import FundsRow, HeldMarket, Keyset, OrderRow, Page, PositionRow
from app.application.readers import OrderFilter, Viewer
from app.domain.shared.execution import Leg
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Money, Price, settle_up
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from app.infrastructure.postgres.readers import Query, Reader, followed, owned
from app.infrastructure.postgres.schema import accounts, follows, funds, orders, positions, signals, trades

_LEG_RANK = case((orders.c.leg == Leg.EXIT.value, 1), else_=0).label("leg_rank")
_ORDERS: Query = (
    select(
        orders,
        signals.c.seq,
        trades.c.venue,
        trades.c.symbol,
        trades.c.side,
        trades.c.reduce_only,
        trades.c.state.label("trade_state"),
        _LEG_RANK,
    )
    .join(
        trades,
        and_(
            trades.c.follow_id == orders.c.follow_id,
            trades.c.signal_id == orders.c.signal_id,
            trades.c.leg == orders.c.leg,
        ),
    )
    .join(follows, follows.c.id == orders.c.follow_id)
    .join(signals, signals.c.id == orders.c.signal_id)
)
_TODAY = text("(now() AT TIME ZONE 'utc')::date")


class PostgresTradingReader(Reader):
    """TradingReader."""

    async def orders(
        self, viewer: Viewer, wanted: OrderFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[OrderRow]:
        """Return the viewer's orders, those of the newest signals first."""
        order = (signals.c.seq, orders.c.follow_id, _LEG_RANK.element, orders.c.attempt)
        query = _ORDERS.where(followed(viewer)).order_by(*(each.desc() for each in order))
        if wanted.follow_id is not None:
            query = query.where(orders.c.follow_id == wanted.follow_id)
        if wanted.signal_id is not None:
            query = query.where(orders.c.signal_id == wanted.signal_id)
        if wanted.symbol is not None:
            query = query.where(trades.c.symbol == wanted.symbol)
        if wanted.state is not None:
            query = query.where(orders.c.state == wanted.state.value)
        if after is not None:
            query = query.where(tuple_(*order) < after)
        return await self.page(
            query,
            limit,
            _order,
            lambda row: (row["seq"], row["follow_id"], row["leg_rank"], row["attempt"]),
        )

    async def order(self, viewer: Viewer, client_order_id: str) -> OrderRow:
        """Return one order of the viewer's, or raise NotFound."""
        query = _ORDERS.where(orders.c.client_order_id == client_order_id, followed(viewer))
        return _order(await self.one(query, "order"))

    async def positions(
        self,
        viewer: Viewer,
        *,
        limit: int,
        after: Keyset | None = None,
        follow_id: FollowId | None = None,
        open_only: bool = True,
    ) -> Page[PositionRow]:
        """Return the viewer's positions, newest follow first, then by symbol."""
        query: Query = (
            select(positions, follows.c.user_id, follows.c.whale_id, accounts.c.venue)
            .join(follows, follows.c.id == positions.c.follow_id)
            .join(accounts, accounts.c.id == positions.c.account_id)
            .where(followed(viewer))
            .order_by(positions.c.follow_id.desc(), positions.c.symbol)
        )
        if open_only:
            query = query.where(positions.c.quantity != 0)
        if follow_id is not None:
            query = query.where(positions.c.follow_id == follow_id)
        if after is not None:
            follow, symbol = after
            here = and_(positions.c.follow_id == follow, positions.c.symbol > symbol)
            query = query.where(or_(positions.c.follow_id < follow, here))
        return await self.page(query, limit, _position_row, lambda row: (row["follow_id"], row["symbol"]))

    async def funds(self, viewer: Viewer) -> Sequence[FundsRow]:
        """Return the money of each of the viewer's accounts, oldest account first."""
        earned = (
            select(
                positions.c.account_id,
                func.sum(positions.c.realised).label("realised"),
                func.sum(positions.c.fees).label("fees"),
                func.sum(positions.c.funding).label("funding"),
            )
            .group_by(positions.c.account_id)
            .where(positions.c.account_id == accounts.c.id)
            .lateral()
        )
        today = case((funds.c.realised_day == _TODAY, funds.c.realised_today), else_=0)
        query: Query = (
            select(
                accounts.c.id,
                accounts.c.venue,
                accounts.c.label,
                funds.c.wallet,
                funds.c.held,
                funds.c.margin,
                funds.c.high_water,
                funds.c.synced_at,
                today.label("realised_today"),
                earned.c.realised,
                earned.c.fees,
                earned.c.funding,
            )
            .outerjoin(funds, funds.c.account_id == accounts.c.id)
            .outerjoin(earned, text("true"))
            .where(owned(accounts.c.user_id, viewer))
            .order_by(accounts.c.id)
        )
        return [_funds(row) for row in await self.all(query)]


class PostgresHeldMarkets(Reader):
    """HeldMarkets."""

    async def of_follow(self, follow_id: FollowId) -> Sequence[HeldMarket]:
        """Return what the follow holds, and the markets of its entries that are not booked to the end.

        A market whose other side is on its way in comes twice: what is held first.
        """
        held = select(positions.c.symbol, positions.c.quantity, positions.c.cost).where(
            positions.c.follow_id == follow_id, positions.c.quantity != 0
        )
        entering = select(trades.c.symbol, trades.c.side, trades.c.quantity, trades.c.reference_price).where(
            trades.c.follow_id == follow_id, trades.c.leg == Leg.ENTRY.value, ~trades.c.settled
        )
        found: dict[tuple[str, bool], HeldMarket] = {}
        # What is on its way is read first: an entry that settles in between is then held, and never in neither.
        coming = await self.all(entering)
        for row in await self.all(held):
            entry = Price(settle_up(row["cost"] / abs(row["quantity"])))
            market = HeldMarket(Symbol(row["symbol"]), row["quantity"], entry)
            found[row["symbol"], row["quantity"] > 0] = market
        for row in coming:
            signed = row["quantity"] * Side(row["side"]).sign
            market = HeldMarket(Symbol(row["symbol"]), signed, Price(row["reference_price"]))
            found.setdefault((row["symbol"], signed > 0), market)
        return sorted(found.values(), key=lambda market: market.symbol)

    async def of_account(self, account_id: AccountId) -> int:
        """Return on how many markets the account holds something or has a trade that is not booked to the end."""
        held = select(positions.c.symbol).where(
            positions.c.account_id == account_id, positions.c.quantity != 0
        )
        working = select(trades.c.symbol).where(trades.c.account_id == account_id, ~trades.c.settled)
        markets = union(held, working).subquery()
        rows = await self.all(select(func.count().label("number")).select_from(markets))
        number: int = rows[0]["number"]
        return number


def _order(row: RowMapping) -> OrderRow:
    return OrderRow(
        client_order_id=row["client_order_id"],
        signal_id=row["signal_id"],
        follow_id=FollowId(row["follow_id"]),
        account_id=AccountId(row["account_id"]),
        leg=Leg(row["leg"]),
        attempt=row["attempt"],
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        side=Side(row["side"]),
        reduce_only=row["reduce_only"],
        quantity=row["quantity"],
        executed=row["executed"],
        average_price=row["average_price"],
        state=OrderState(row["state"]),
        trade_state=TradeState(row["trade_state"]),
        venue_order_id=row["venue_order_id"],
        code=row["code"],
        message=row["message"],
        created_at=row["created_at"],
    )


def _position_row(row: RowMapping) -> PositionRow:
    return PositionRow(
        user_id=UserId(row["user_id"]),
        follow_id=FollowId(row["follow_id"]),
        whale_id=WhaleId(row["whale_id"]),
        account_id=AccountId(row["account_id"]),
        venue=Venue(row["venue"]),
        symbol=Symbol(row["symbol"]),
        position=Position(
            quantity=row["quantity"],
            cost=Money(row["cost"]),
            margin=Money(row["margin"]),
            realised=Money(row["realised"]),
            fees=Money(row["fees"]),
            funding=Money(row["funding"]),
        ),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
    )


def _funds(row: RowMapping) -> FundsRow:
    return FundsRow(
        account_id=AccountId(row["id"]),
        venue=Venue(row["venue"]),
        label=row["label"],
        wallet=_money(row, "wallet"),
        held=_money(row, "held"),
        margin=_money(row, "margin"),
        high_water=_money(row, "high_water"),
        realised_today=_money(row, "realised_today"),
        realised=_money(row, "realised"),
        fees=_money(row, "fees"),
        funding=_money(row, "funding"),
        synced_at=row["synced_at"],
    )


def _money(row: RowMapping, name: str) -> Money:
    """Read an amount; an account that was never synced, or holds nothing, has none."""
    return NO_MONEY if row[name] is None else Money(row[name])
