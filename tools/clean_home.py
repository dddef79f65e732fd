"""Remove the demo's servers, their data and its logs: `python -m tools.clean_home [FOLDER]`, by default COPYTRADE_HOME or .copytrade."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from app.infrastructure.embedded.folders import discard_home
from app.infrastructure.embedded.processes import EmbeddedServerError


def main(arguments: list[str]) -> int:
    home = Path(arguments[0] if arguments else os.environ.get("COPYTRADE_HOME") or ".copytrade")
    try:
        discard_home(home)
        shutil.rmtree(
            home / "demo", ignore_errors=True
        )  # its secrets, worthless without the data, and its logs
        discard_home(home)  # once more: now the folder itself may go
    except EmbeddedServerError as error:
        print(f"{error.code}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
