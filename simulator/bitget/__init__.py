"""Bitget's v2 dialect owns the words, signatures, limits and streams in which it offers the engine's spot markets and
linear perpetuals. It decides nothing about money or matching: that is the engine's.
"""
