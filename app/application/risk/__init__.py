"""Use cases on limits and halts."""
