"""`python -m app …` is the command line."""

from __future__ import annotations

from app.presentation.cli.main import main

if __name__ == "__main__":
    main()
