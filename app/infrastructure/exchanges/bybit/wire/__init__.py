"""The wire of Bybit v5 as pure functions: text to send, bytes to domain facts, replies to outcomes.

No I/O, no clock, no loop. Whatever cannot be read raises `Unreadable`; the caller turns that into UNKNOWN or into
`VenueUnavailable`. Facts are from the v5 documentation of Bybit (bybit-exchange.github.io/docs/v5).
"""
