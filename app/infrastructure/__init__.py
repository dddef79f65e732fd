"""Adapters, cut by the thing they talk to: PostgreSQL, Redis, exchanges, the operating system. They fulfil the ports of domain and application; no rule of trading lives here."""
