"""The documents' workshop: writes docs/reference from the code, and checks that what people wrote still holds.

Run `python -m tools.docs` to write, `python -m tools.docs --check` to be told what is stale or wrong. It owns the shape of
the generated pages and the sentences that the code has no place for; facts come from the code alone.
"""
