"""The picture of the demo in the README, made from a real run: `python -m tools.picture [OPTIONS OF THE DEMO]`.

The demo runs at a pretended terminal; the last signals of its live view and its closing lines become one SVG. Nothing is drawn that the
run did not print, and the SVG asks for no font or style from elsewhere.
"""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs/demo.svg"
COLUMNS: Final = 120
ROWS: Final = 48
OPTIONS: Final = ("--once", "--fast")
# Rich redraws a live view by going up and clearing line by line.
REDRAW: Final = re.compile(r"(?:\r|\x1b\[\d*A|\x1b\[2K|\x1b\[\?25[lh])+")
CLOSING: Final = re.compile(r"^(\d+ signals from|decisions: |leader's |compared with|the books )")
SVG: Final = """\
<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
  line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
<rect width="{terminal_width}" height="{terminal_height}" rx="8" fill="#0c0c0c" />
<g transform="translate({terminal_x}, 24)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def recorded(options: Sequence[str]) -> str:
    """Run the demo at a terminal of its own and return all that it wrote; CalledProcessError when it failed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "app", "demo", *options]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as demo:
        os.close(theirs)
        written = io.BytesIO()
        while part := _read(ours):
            written.write(part)
    os.close(ours)
    if demo.returncode:
        raise subprocess.CalledProcessError(demo.returncode, command, written.getvalue())
    return written.getvalue().decode()


def last_view(written: str) -> list[str]:
    """Return the table of signals, with its colours, of the last whole live view in what a demo wrote."""
    views = [part for part in REDRAW.split(written.replace("\r\n", "\n")) if "why not in full" in part]
    if not views:
        raise ValueError("The demo showed no live view.")
    return list(itertools.takewhile(str.strip, views[-1].strip("\n").split("\n")))


def closing_lines(written: str) -> list[str]:
    """Return the summary's chief lines."""
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written.replace("\r\n", "\n"))
    return [line for line in plain.split("\n") if CLOSING.match(line)]


def svg_of(lines: Sequence[str]) -> str:
    """Return lines of a terminal as a picture."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=False)
    return console.export_svg(title="", theme=MONOKAI, code_format=SVG, unique_id="demo")


def main(arguments: list[str]) -> int:
    """Run the demo and write the picture."""
    options = arguments or list(OPTIONS)
    written = recorded(options)
    asked = f'$ make demo ARGS="{" ".join(options)}"'
    lines = [asked, "", *last_view(written), "", *closing_lines(written)]
    PICTURE.write_text(svg_of(lines), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last program has closed the terminal
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
