"""Chooses the play by the options and runs the show."""

from __future__ import annotations

from app.config.logging import configure_logging
from app.presentation.demo.live import ScriptedPlay
from app.presentation.demo.options import BadOption, Options
from app.presentation.demo.recording import RecordingError, read_recording
from app.presentation.demo.replay import RecordedPlay
from app.presentation.demo.screen import Screen
from app.presentation.demo.show import Show
from app.presentation.demo.stage import Play


async def start(options: Options) -> int:
    """Run the demo and return its exit status; raises BadOption when the recording cannot be used."""
    configure_logging(level="ERROR")
    return await Show(options, _play(options), Screen()).run()


def _play(options: Options) -> Play:
    if options.fills is None:
        return ScriptedPlay(options.seed, fast=options.fast)
    try:
        return RecordedPlay(options.fills.name, read_recording(options.fills), options.speed)
    except RecordingError as error:
        raise BadOption(f"--fills: {error}") from None
