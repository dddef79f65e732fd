"""One intent's protocol against an exchange, as a graph of states: every step that any party may take next.

Parties: worker 1, which commits, sends, and may be a zombie that sends long after others have acted; worker 2, which recovers
and sends again; the network, which delays, drops and repeats; the venue. Whatever may happen may also never happen: a lost
message is one that is never delivered, a crash is a send that never comes. Time is in ticks and only ages matter, so the graph
is finite though time is not bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.exchanges.venue import IdUniqueness
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.trade import TradeState
from tests.model.books import Books, News, abandon, commit, older, take
from tests.model.rules import GONE, HORIZON, VALIDITY, Placed, Rules, State

RESTING = (OrderState.OPEN, OrderState.PARTIAL)


def start(rules: Rules) -> State:
    """The first attempt is committed with its hold; nothing has left."""
    books = Books(hold=0 if rules.is_exit else rules.lots)
    return State(commit(books, rules.lots), unsent=(0,))


Step = tuple[str, State]


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Every step that may come next, by name. Names that begin with `stream` are the private stream's."""
    yield from _time(state, rules)
    yield from _workers(state, rules)
    yield from _network(state, rules)
    yield from _venue(state, rules)
    yield from _stream(state, rules)
    yield from _recovery(state, rules)


def _after(state: State, news: News, rules: Rules) -> State:
    books = take(state.books, news, rules.lots, is_exit=rules.is_exit, flaws=rules.flaws)
    return state._replace(books=books)


def _time(state: State, rules: Rules) -> Iterator[Step]:
    books = older(state.books, HORIZON)
    venue = tuple(
        (
            order._replace(visible=True)
            if rules.visibility_bound or books.rows[order.attempt].age >= HORIZON
            else order
        )
        for order in state.venue
    )
    flying = tuple((attempt, max(GONE, left - 1)) for attempt, left in state.flying)
    yield "tick", state._replace(books=books, venue=venue, flying=flying)


def _workers(state: State, rules: Rules) -> Iterator[Step]:
    for attempt in state.unsent:
        rest = tuple(other for other in state.unsent if other != attempt)
        row = state.books.rows[attempt]
        left = VALIDITY - row.age if rules.committed_timestamp else VALIDITY
        name = f"worker {min(attempt, 1) + 1}"
        flying = tuple(sorted((*state.flying, (attempt, max(GONE, left)))))
        yield f"{name} sends {attempt}", state._replace(unsent=rest, flying=flying)
        yield f"{name} crashes before sending {attempt}", state._replace(unsent=rest)
        if left < 0:
            kept = _after(state, News(attempt, OrderEvent.NEVER_LEFT), rules)
            yield f"{name} finds the window of {attempt} closed", kept._replace(unsent=rest)
    for attempt, row in enumerate(state.books.rows):
        if row.state is OrderState.SUBMITTING and attempt not in state.unsent:
            lost = _after(state, News(attempt, OrderEvent.LOST), rules)
            yield f"no reply to {attempt}", lost
            if rules.retries_the_post and not state.retried:
                yield f"no reply to {attempt}, posted again", lost._replace(
                    unsent=(*lost.unsent, attempt), retried=True
                )


def _network(state: State, rules: Rules) -> Iterator[Step]:
    for place, (attempt, left) in enumerate(state.flying):
        arrived = state._replace(flying=state.flying[:place] + state.flying[place + 1 :])
        if left < 0:
            yield f"{attempt} arrives too late, refused", _after(
                arrived, News(attempt, OrderEvent.NEVER_LEFT), rules
            )
            yield f"{attempt} arrives too late, reply lost", arrived
            continue
        if _id_is_taken(state, attempt, rules):
            yield f"{attempt} arrives, duplicate", _after(arrived, News(attempt, OrderEvent.LOST), rules)
            continue
        quantity = state.books.rows[attempt].quantity
        nothing_to_reduce = rules.is_exit and not rules.spot and state.executed >= rules.held + rules.beside
        if rules.spot or rules.beside:
            yield from _at_once(arrived, attempt, quantity, rules)
        elif not nothing_to_reduce:
            yield f"{attempt} arrives, accepted", arrived._replace(
                venue=(*arrived.venue, Placed(attempt, quantity))
            )
        # Any refusal but "nothing to reduce" leaves an exit waiting: no close is lost.
        refusal = OrderEvent.NEVER_LEFT if rules.is_exit and not nothing_to_reduce else OrderEvent.REFUSED
        yield f"{attempt} arrives, refused", _after(arrived, News(attempt, refusal), rules)
        yield f"{attempt} arrives, refused, reply lost", arrived


def _at_once(arrived: State, attempt: int, quantity: int, rules: Rules) -> Iterator[Step]:
    there = rules.held + rules.owner + rules.beside - arrived.executed
    if rules.spot and there < quantity:
        return
    for filled in range(1, min(quantity, there) + 1):
        sold = Placed(attempt, quantity, filled, live=False)
        yield f"{attempt} arrives, sells {filled}", arrived._replace(venue=(*arrived.venue, sold))


def _id_is_taken(state: State, attempt: int, rules: Rules) -> bool:
    same = [order for order in state.venue if order.attempt == attempt]
    if rules.uniqueness is IdUniqueness.ALWAYS:
        return bool(same)
    return rules.uniqueness is IdUniqueness.OPEN_ORDERS and any(order.live for order in same)


def _venue(state: State, rules: Rules) -> Iterator[Step]:
    for place, order in enumerate(state.venue):

        def changed(new: Placed, place: int = place) -> State:
            return state._replace(venue=(*state.venue[:place], new, *state.venue[place + 1 :]))

        if order.live:
            if not rules.is_exit or state.executed < rules.held:
                filled = order.filled + 1
                more = filled < order.quantity
                yield f"fill {filled} of order {place}", changed(order._replace(filled=filled, live=more))
            yield f"venue cancels order {place}", changed(order._replace(live=False))
        if not order.visible:
            yield f"order {place} becomes visible", changed(order._replace(visible=True))


def _stream(state: State, rules: Rules) -> Iterator[Step]:
    """Every message that was ever sent may come at any time, any number of times, in any order; so may the reply."""
    for place, order in enumerate(state.venue):
        for stage in range(order.filled + 1):
            fills = ((place, stage),) if stage else ()
            event = _event_at(order, stage)
            if fills:
                told = News(order.attempt, event, stage, fills)
                yield f"stream tells of fill {stage} of order {place}", _after(state, told, rules)
            yield f"reply tells of order {place} at {stage}", _after(
                state, News(order.attempt, event, stage), rules
            )
        if not order.live and order.filled < order.quantity:
            ended = News(order.attempt, OrderEvent.SEEN_CANCELED, order.filled)
            yield f"stream tells that order {place} was canceled", _after(state, ended, rules)


def _event_at(order: Placed, stage: int) -> OrderEvent:
    if stage == order.quantity:
        return OrderEvent.SEEN_FILLED
    return OrderEvent.SEEN_PARTIAL if stage else OrderEvent.SEEN_OPEN


def _recovery(state: State, rules: Rules) -> Iterator[Step]:
    books = state.books
    for attempt, row in enumerate(books.rows):
        due = row.state is OrderState.UNKNOWN or (row.state is OrderState.SUBMITTING and row.age >= VALIDITY)
        resting = rules.looks_up_resting and row.state in RESTING
        absent = row.state is OrderState.ABSENT and row.age >= HORIZON
        if due or resting or (absent and _is_still_watched(books, attempt, rules)):
            yield from _look(state, attempt, rules)
        if not books.settled and books.executed > books.booked and row.executed:
            news = News(attempt, fills=_fills_of(state, attempt))
            yield f"recovery books the fills of {attempt}", _after(state, news, rules)
    if books.trade is TradeState.WAITING:
        yield from _serve_waiting(state, rules)


def _abandoned(books: Books, rules: Rules) -> Books:
    return abandon(books, whatever_is_unbooked=not rules.settles_only_when_booked)


def _is_still_watched(books: Books, attempt: int, rules: Rules) -> bool:
    return (books.trade is TradeState.ABSENT and attempt == books.attempt) or rules.looks_again_after_resend


def _fills_of(state: State, attempt: int) -> tuple[tuple[int, int], ...]:
    return tuple(
        (place, number)
        for place, order in enumerate(state.venue)
        if order.attempt == attempt
        for number in range(1, order.filled + 1)
    )


def _look(state: State, attempt: int, rules: Rules) -> Iterator[Step]:
    books, row = state.books, state.books.rows[attempt]
    shown = [order for order in state.venue if order.attempt == attempt and order.visible]
    if shown:
        order = shown[-1]
        event = _event_at(order, order.filled)
        if not order.live and order.filled < order.quantity:
            event = OrderEvent.SEEN_CANCELED
        fills = _fills_of(state, attempt)
        yield f"look finds {attempt}", _after(state, News(attempt, event, order.filled, fills), rules)
        yield f"look finds {attempt}, fills lag", _after(state, News(attempt, event, order.filled), rules)
        return
    if row.state is OrderState.ABSENT:
        if books.trade is TradeState.ABSENT and attempt == books.attempt:
            yield f"horizon of {attempt}: given up", state._replace(books=_abandoned(books, rules))
        return
    if row.state in RESTING:
        return
    if row.age < rules.counts_from:
        yield f"look misses {attempt}, too early to count", _after(
            state, News(attempt, OrderEvent.LOST, looks=0), rules
        )
        return
    looks = row.looks + 1
    lost = _after(state, News(attempt, OrderEvent.LOST, looks=looks), rules)
    if looks < rules.answers:
        yield f"look misses {attempt}", lost
        return
    if rules.spot or rules.beside:
        other = tuple(_asked_before_absent(state, attempt, rules))
        if other:
            yield from other
            return
    for resend in (True,) if rules.is_exit else (True, False) if rules.visibility_bound else (False,):
        news = News(attempt, OrderEvent.PROVEN_ABSENT, looks=looks, resend=resend)
        then = "to be sent again" if resend else "the hold stays"
        yield f"look misses {attempt} beyond the fence: absent, {then}", _after(lost, news, rules)


def _asked_before_absent(state: State, attempt: int, rules: Rules) -> Iterator[Step]:
    """What else the venue is asked for before an exit counts as absent that could close twice what its follow holds."""
    books, row = state.books, state.books.rows[attempt]
    unseen = [order for order in state.venue if order.attempt == attempt and order.filled]
    if unseen and rules.lists_fills and rules.asks_for_fills:
        order = unseen[-1]
        ended = OrderEvent.SEEN_FILLED if order.filled == order.quantity else OrderEvent.SEEN_CANCELED
        news = News(attempt, ended, order.filled, _fills_of(state, attempt))
        yield f"look finds {attempt} by its fills", _after(state, news, rules)
    elif rules.asks_for_holding and rules.owner + books.executed < state.executed:
        missing = News(attempt, OrderEvent.LOST, looks=row.looks)
        yield f"look misses {attempt}, coins are missing", _after(state, missing, rules)


def _serve_waiting(state: State, rules: Rules) -> Iterator[Step]:
    books = state.books
    quantity = rules.lots - books.executed
    if rules.is_exit:
        closable = rules.held - books.executed  # what is executed and not yet booked is gone as well
        if closable <= 0 or quantity <= 0 or len(books.rows) >= rules.attempts:
            yield "recovery gives the exit up", state._replace(books=_abandoned(books, rules))
            return
        quantity = min(quantity, closable)
    else:
        yield "recovery gives the entry up: expired", state._replace(books=_abandoned(books, rules))
        if len(books.rows) >= rules.attempts:
            return
    new = len(books.rows)
    yield f"worker 2 commits {new}", state._replace(
        books=commit(books, quantity), unsent=(*state.unsent, new)
    )
