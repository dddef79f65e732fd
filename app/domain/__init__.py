"""Pure business logic: standard library only; no clock, no I/O, no chance, no float. Knows nothing of the other rooms."""
