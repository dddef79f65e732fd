"""The operator API: how a person, the demo or a test sets the pretended exchange up, makes it fail, and reads its
ledger. It owns input checks and ledger views; it holds no rule about money and knows no venue's wire.
"""
