"""Signals owns what was asked, once, how urgently and until when. It does not decide who copies it."""
