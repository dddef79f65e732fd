"""The simulated exchange: a program of its own that pretends to be a venue, with real signatures, margin, matching,
rate limits, streams and injected faults. It owns its whole engine and shares no code with `app`; it knows nothing of
leaders, followers or copying.
"""
