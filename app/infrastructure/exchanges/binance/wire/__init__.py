"""The wire of Binance's markets as pure functions: text to send, bytes to domain facts, replies to outcomes.

No I/O, no clock, no loop. Whatever cannot be read raises `Unreadable`; the caller turns that into UNKNOWN or into
`VenueUnavailable`. Facts are from the derivatives and the spot documentation of Binance (developers.binance.com).
"""
