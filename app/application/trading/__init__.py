"""Use cases of the hot path: copy, place, settle, recover, close."""
