"""Exchanges owns the language of the venue port and the taxonomy of its outcomes. It holds no wire format."""
