"""The table of generated files, and writing or comparing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.docs import (
    api_page,
    cli_page,
    codes_page,
    conformance_page,
    database_page,
    fault_matrix_page,
    metrics_page,
    settings_page,
    states_page,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/settings.md": settings_page.render,
    "docs/reference/decision-codes.md": codes_page.render,
    "docs/reference/states.md": states_page.render,
    "docs/reference/venue-conformance.md": conformance_page.render,
    "docs/reference/fault-matrix.md": fault_matrix_page.render,
    "docs/reference/metrics.md": metrics_page.render,
    "docs/reference/database.md": database_page.render,
    "docs/reference/cli.md": cli_page.render,
    "docs/reference/api.md": api_page.render,
    "docs/reference/openapi.json": api_page.render_openapi,
}


def write(root: Path) -> list[str]:
    """Write what differs under `root`; return its paths."""
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(PAGES[path](), encoding="utf-8")
    return changed


def stale(root: Path) -> list[str]:
    """Return the generated files under `root` that are missing or differ from what the code says now."""
    return [path for path, render in PAGES.items() if _text(root / path) != render()]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
