"""Binance owns the dialects of USD-M, COIN-M and spot: their endpoints, error numbers, listen keys and streams. It matches
nothing and keeps no money: that is the engine's.
"""
