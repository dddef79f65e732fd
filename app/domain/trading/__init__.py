"""Trading owns sizing, the intent (trade), the attempt (order), holds and positions. It does no I/O."""
