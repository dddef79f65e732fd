"""Use cases on leaders: watching them, managing them."""
