"""OKX owns the v5 dialect of two markets, spot and USDT-settled perpetual swaps: its wire, its REST gateway, its market
data and its private stream. It does not decide when to send, how often to try or how fast: that is the guard's.
"""
