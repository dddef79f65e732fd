"""The wire of Hyperliquid as pure functions: signed actions to send, bytes to domain facts, replies to outcomes.

No I/O, no clock, no loop. Whatever cannot be read raises `Unreadable`; the caller turns that into UNKNOWN or into
`VenueUnavailable`. Facts are from the documentation of Hyperliquid (hyperliquid.gitbook.io, for developers: API).
"""
