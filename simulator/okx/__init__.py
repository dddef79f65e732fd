"""The OKX v5 dialect for spot and USDT-settled perpetual swaps: translates its REST and WebSocket wire to the engine and
back. It owns names, contract sizes, error numbers and limits per endpoint; it holds no rule about money.
"""
