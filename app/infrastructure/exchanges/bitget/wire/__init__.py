"""The wire is the v2 dialect as pure functions: requests as text, answers and messages as values of the domain. It does
no I/O, reads no clock and holds no state.
"""
