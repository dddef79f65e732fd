"""The house rules that imports and types cannot show: a table of small lints over one shared parse of every file.

Run `python -m tools.tidy [PATH...]`. Rules on imports between packages live in `.importlinter`, style in ruff.
"""
