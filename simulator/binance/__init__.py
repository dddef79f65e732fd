"""The Binance USD-M futures dialect: translates its REST and WebSocket wire to the engine and back. It owns field
names, error numbers, weights and listen keys; it holds no rule about money.
"""
