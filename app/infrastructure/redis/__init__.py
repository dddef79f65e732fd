"""Redis owns what workers share for speed and may lose without harm: budgets of requests. It holds no truth."""
