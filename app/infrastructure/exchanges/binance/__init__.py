"""Binance owns the USD-M futures dialect: its wire, its REST gateway, its market data and its user-data stream.

It does not decide when to send, how often to try or how fast: that is the guard's.
"""
