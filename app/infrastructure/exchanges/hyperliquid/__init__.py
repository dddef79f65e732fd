"""Hyperliquid owns the perpetual contracts of Hyperliquid, margined in USDC: their wire and signatures, the gateway, the
market data and the private stream. It does not decide when to send, how often to try or how fast: that is the guard's.
"""
