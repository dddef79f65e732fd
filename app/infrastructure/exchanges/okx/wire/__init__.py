"""The wire of OKX v5: texts to send and bytes to read, as pure functions. No I/O, no clock, no memory.

Contracts become coins here, and coins contracts: nothing outside of this folder counts in contracts.
"""
