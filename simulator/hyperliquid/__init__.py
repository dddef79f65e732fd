"""The Hyperliquid dialect: perpetuals margined in USDC, actions signed by agents, and what anybody may ask about an
address. It knows nothing of other venues.
"""
