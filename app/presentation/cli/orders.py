"""One intent's whole story as a command: from the signal to the fills and what is held."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from app.application.trading.story import Facts, Story, TradeStory
from app.config.operations import opened_stories
from app.config.settings import Settings
from app.domain.shared.ids import FollowId, SignalId
from app.presentation.cli.running import run_tool

orders = typer.Typer(no_args_is_help=True, help="Look at what became of an order.")


@orders.callback()
def _only_a_group() -> None:
    """Look at what became of an order."""


@orders.command()
def show(
    ident: Annotated[str, typer.Argument(metavar="ID", help="A client order id, or a signal's id.")],
    follow: Annotated[
        int | None, typer.Argument(metavar="[FOLLOW]", help="The follow's id, when ID is a signal's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the story as one JSON document.")] = False,
) -> None:
    """Tell the story of one intent: signal, decision, trade, attempts, fills, hold and position."""
    signal = None if follow is None else _uuid(ident)

    async def run(settings: Settings) -> bool:
        async with opened_stories(settings) as teller:
            if signal is None or follow is None:
                story = await teller.of_order(ident)
            else:
                story = await teller.of_signal(SignalId(signal), FollowId(follow))
        typer.echo(json.dumps(asdict(story), indent=2) if as_json else "\n".join(_lines(story)))
        return True

    run_tool(run)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("With FOLLOW, ID is a signal's id: a UUID.") from None


def _lines(story: Story) -> Iterator[str]:
    signal = story.signal
    if signal is None:
        yield "signal    missing: the decision speaks of a signal that is not stored"
    else:
        yield (
            f"signal    {signal['id']}  {signal['action']} {signal['side']} {signal['symbol']} "
            f"of whale {signal['whale_id']}, {signal['state']}"
        )
        yield from _more(
            signal, "quantity", "fraction", "reference_price", "leader_at", "expires_at", "trace_id"
        )
    decision = story.decision
    if decision is None:
        yield "decision  missing: there is a trade that nobody decided"
    else:
        yield f"decision  {decision['outcome']} {decision['code']} at {decision['decided_at']}"
        yield f"          {decision['reason']}"
        yield from _wrapped([f"{name}={value}" for name, value in sorted(story.inputs.items())])
    if not story.trades:
        yield "trade     none: nothing was to be sent"
    for told in story.trades:
        yield from _trade(told)
    for entry in story.ledger:
        yield f"ledger    {entry['kind']} {entry['amount']}  {entry['entry_key']}"
    if story.position is not None:
        held = story.position
        yield f"position  {held['quantity']} {held['symbol']} on account {held['account_id']}"
        yield from _more(held, "cost", "margin", "realised", "fees", "funding")


def _trade(told: TradeStory) -> Iterator[str]:
    trade = told.trade
    settled = "settled" if trade["settled"] == "yes" else "not settled"
    yield f"trade     {trade['leg']} {trade['side']} {trade['quantity']} {trade['symbol']}: {trade['state']}, {settled}"
    yield from _more(
        trade, "executed", "booked", "leverage", "reduce_only", "retry_at", "created_at", "updated_at"
    )
    yield f"hold      {trade['hold']} reserved, {trade['hold_left']} left"
    for order in told.orders:
        yield f"attempt {order['attempt']} {order['client_order_id']}: {order['state']}"
        signed, until = _window(order)
        yield f"          signed={signed}  deadline={until}"
        yield from _more(
            order, "quantity", "executed", "average_price", "venue_order_id", "code", "message", "acked_at",
            "looks", "look_at",
        )  # fmt: skip
    for fill in told.fills:
        yield f"fill      {fill['trade_id']}  {fill['side']} {fill['quantity']} at {fill['price']}, {fill['at']}"
        yield from _more(fill, "fee", "realised", "booked_at")


def _window(order: Facts) -> tuple[str, str]:
    """Return when the order was signed and when the venue stops accepting it, by the venue's clock."""
    signed = int(order["signed_ms"] or 0)
    return _of_ms(signed), _of_ms(signed + int(order["valid_ms"] or 0))


def _of_ms(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _more(facts: Facts, *names: str) -> Iterator[str]:
    return _wrapped([f"{name}={facts[name]}" for name in names if facts[name] is not None])


def _wrapped(words: Sequence[str], width: int = 100) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) > width:
            yield f"          {line}"
            line = ""
        line = f"{line}  {word}" if line else word
    if line:
        yield f"          {line}"
