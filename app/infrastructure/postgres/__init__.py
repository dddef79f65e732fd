"""PostgreSQL: the truth. Schema, migrations, repositories, the set-based statements of the hot path, the outbox."""
