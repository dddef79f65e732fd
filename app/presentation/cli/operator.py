"""Make an operator and print a token: the first thing to do on a new installation."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.config.container import build
from app.config.settings import load
from app.domain.users.user import Role, user_name


def operator(name: Annotated[str, typer.Argument(help="The operator's name.")]) -> None:
    """Make an operator and print an API token for it, once."""

    async def run() -> str:
        async with build(load()) as app, app.uow() as uow:
            user = await uow.users.add(user_name(name), Role.OPERATOR)
            token = await uow.tokens.issue(user.id, "command line")
            await uow.commit()
            return token

    typer.echo(asyncio.run(run()))
