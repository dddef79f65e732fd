"""The answer to an order that the exchange took: it counts once the exchange's own id and ours are both confirmed."""

from __future__ import annotations

from app.domain.exchanges.outcomes import Accepted, Unknown, VenueError
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.money import NO_QUANTITY
from app.infrastructure.exchanges.generic.account import GenericAccount, single
from app.infrastructure.exchanges.generic.history import named
from app.infrastructure.exchanges.generic.rows import client_id, identity, report_of, text
from app.infrastructure.exchanges.reading import Unreadable


async def accepted(account: GenericAccount, order: PlaceOrder, row: object) -> Accepted | Unknown:
    """Judge the library's row about a new order; never raises.

    A row without the exchange's id is no order, though the library makes one of any answer. One without our id is
    asked for once more, since some exchanges answer with their own id alone.
    """
    recipe = account.recipe
    try:
        answer = single(row)
        order_id, heard = identity(answer, "id"), client_id(answer)
    except Unreadable as error:
        return Unknown(f"an unreadable acknowledgement: {error}")
    if heard and not recipe.is_ours(heard, order.client_order_id):
        return Unknown("the answer is about another client order id")
    if heard:
        return Accepted(_first_word(account, order, answer, order_id))
    return await _asked(account, order, order_id)


def _first_word(account: GenericAccount, order: PlaceOrder, answer: object, order_id: str) -> OrderReport:
    """Return the report in the answer where it is whole and about this order, else an order with nothing executed."""
    instrument = order.instrument
    try:
        found = report_of(single(answer), instrument, account.recipe, unified=account.unified(instrument))
        if (found.side, found.quantity) == (order.side, order.quantity):
            return named(found, order.client_order_id)
    except Unreadable:
        pass
    return OrderReport(
        venue=instrument.venue,
        symbol=instrument.symbol,
        order_id=order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        status=OrderStatus.OPEN,
        quantity=order.quantity,
        executed=NO_QUANTITY,
        average_price=None,
        reduce_only=order.reduce_only,
        at=from_epoch_ms(order.signed_ms),
    )


async def _asked(account: GenericAccount, order: PlaceOrder, order_id: str) -> Accepted | Unknown:
    unified = account.unified(order.instrument)

    def read(answer: object) -> OrderReport:
        found = single(answer)
        if text(found, "id") != order_id or not account.recipe.is_ours(
            client_id(found), order.client_order_id
        ):
            raise Unreadable("the answer is about another order")
        return _first_word(account, order, found, order_id)

    try:
        report = await account.ask_for(lambda client: client.fetch_order(order_id, unified), read)
    except VenueError as error:
        return Unknown(f"acknowledged without our id, and not confirmed: {error.code}")
    if report is None:
        return Unknown("acknowledged without our id, and not yet visible")
    return Accepted(report)
