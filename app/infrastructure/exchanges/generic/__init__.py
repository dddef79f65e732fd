"""Generic owns any exchange without an adapter of its own: one gateway over the ccxt library's unified interface.

The library signs, names fields and knows error codes; our transport sends, our clock stamps, and our tables decide what
an answer means. Nothing here imports the library before a venue of this folder is used.
"""
