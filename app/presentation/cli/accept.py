"""Accepting by hand that the venue holds less than a follow's books say, where no execution explains it."""

from __future__ import annotations

from typing import Annotated

import typer

from app.application.trading.accept_drift import Accepted, Approval
from app.config.operations import opened_accepting
from app.config.settings import Settings
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol
from app.domain.shared.money import plain
from app.presentation.cli.running import run_tool


def accept(
    account: Annotated[int, typer.Argument(help="The account's number, as `copytrade reconcile` tells it.")],
    market: Annotated[str, typer.Argument(help="The frozen market (BTC-USDT).")],
    write: Annotated[bool, typer.Option("--write", help="Change the books; without it only shown.")] = False,
    by: Annotated[str, typer.Option(help="Who accepts; kept with the decision.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the decision, and followers read it.")] = "",
) -> None:
    """Accept that the venue holds less on a frozen market than the books say; shows only, unless told to write."""
    if write and not (by.strip() and reason.strip()):
        raise typer.BadParameter("To write, say --by and --reason.")

    async def run(settings: Settings) -> bool:
        approval = Approval(by, reason) if write else None
        async with opened_accepting(settings) as act:
            found = await act(AccountId(account), Symbol(market), approval)
        for line in _lines(account, market, found):
            typer.echo(line)
        return True

    run_tool(run)


def _lines(account: int, market: str, found: Accepted | None) -> list[str]:
    if found is None:
        return [f"account {account}: {market}: the venue holds all that the books say, nothing to accept"]
    lines = [f"account {account}: {market}: ours {plain(found.ours)}, theirs {plain(found.theirs)}"]
    if found.explained:
        return [
            *lines,
            "executions at the venue told of it after all and were taken up; nothing was accepted",
        ]
    did = "lost" if found.written else "would lose"
    lines += [f"follow {lot.follow_id} {did} {plain(lot.quantity)}" for lot in found.gone]
    return [*lines, "written: entries are copied again" if found.written else "nothing written (--write)"]
