"""Bitget owns the v2 dialect of the spot market and of USDT-settled perpetuals: its wire, its REST gateways, its market
data and its private stream. It does not decide when to send, how often to try or how fast: that is the guard's.
"""
