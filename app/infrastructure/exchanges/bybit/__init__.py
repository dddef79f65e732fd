"""Bybit owns the v5 dialect: spot, USDT-settled linear and inverse perpetuals behind one gateway and one stream, told
apart by a table of categories. It does not decide when to send, how often to try or how fast: that is the guard's.
"""
