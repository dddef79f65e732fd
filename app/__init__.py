"""A copy-trading backend: it owns everything between a leader's fill and the followers' closed positions; the pretended exchange is the sibling `simulator`."""

__version__ = "0.1.0"
