"""Whales owns who leads and what a leader meant by a burst of fills. It does not know followers."""
