"""Risk answers one question: may this happen, and up to what size. It neither sizes nor sends."""
