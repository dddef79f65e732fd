"""The HTTP API: who may ask what, in which words, and what is answered. It holds no rule of the business; those are the use cases it calls."""
