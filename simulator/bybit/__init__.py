"""The Bybit v5 dialect for spot, linear and inverse markets: translates its REST and WebSocket wire to the engine and back.
It owns field names, error numbers, limits per account and the acknowledgement before matching; it holds no rule about
money.
"""
