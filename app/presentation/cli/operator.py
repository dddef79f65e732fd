"""Make an operator and print a token: the first thing to do on a new installation."""

from __future__ import annotations

from typing import Annotated

import typer

from app.config.container import build
from app.config.settings import Settings
from app.domain.users.user import Role, user_name
from app.presentation.cli.running import run_tool


def operator(name: Annotated[str, typer.Argument(help="The operator's name.")]) -> None:
    """Make an operator and print an API token for it, once."""

    async def make(settings: Settings) -> bool:
        async with build(settings) as app, app.uow() as uow:
            user = await uow.users.add(user_name(name), Role.OPERATOR)
            token = await uow.tokens.issue(user.id, "command line")
            await uow.commit()
        typer.echo(token)
        return True

    run_tool(make)
