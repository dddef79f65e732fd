"""Workers: Celery tasks, the beat that schedules them, and the feed that watches streams. Thin: use cases do the work."""
