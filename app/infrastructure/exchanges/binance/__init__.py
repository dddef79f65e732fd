"""Binance owns the dialects of spot, USD-M and COIN-M futures: their wire, REST gateways, market data and user-data streams.

It does not decide when to send, how often to try or how fast: that is the guard's.
"""
