"""docs/reference/cli.md: the commands with their arguments and options; and what the prose may name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import typer

from app.presentation.cli.main import cli
from tools.docs.markdown import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPENING: Final = """`copytrade COMMAND`, or `python -m app COMMAND`. It ends with 0 when done, 1 when it failed and 2 when it was used wrongly
or a [setting](settings.md) is missing; then one line says what to do."""


def commands() -> Mapping[str, Any]:
    """Return the command line's commands as typer holds them, by name; one of a group as `group command`."""
    return dict(_commands_of(typer.main.get_command(cli)))


def _commands_of(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from _commands_of(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def options_of(command: str) -> frozenset[str]:
    """Return the options that a command takes."""
    return frozenset(
        {
            "--help",
            *(
                name
                for one in commands()[command].params
                for name in (*one.opts, *one.secondary_opts)
                if name.startswith("-")
            ),
        }
    )


def render() -> str:
    """Return the page."""
    return page(
        "Command line",
        _OPENING,
        table(
            ("command", "does"), ((code(name), _help(command.help)) for name, command in commands().items())
        ),
        *(part for name, command in commands().items() if command.params for part in _command(name, command)),
    )


def _command(name: str, command: Any) -> tuple[str, str]:
    rows = [
        (
            " or ".join(code(option) for option in (*one.opts, *one.secondary_opts)),
            _default(one),
            _help(one.help),
        )
        for one in command.params
    ]
    return f"## {name}", table(("", "default", "meaning"), rows)


def _default(one: Any) -> str:
    if one.required:
        return "required"
    value = one.default
    if value is None or callable(value):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(value)


def _help(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip()
