"""The venue-neutral exchange: instruments, accounts, matching, margin, conditional orders, liquidation and the ledger.
It owns every rule about money and orders; it knows no wire format, no HTTP and no error number of any venue.
"""
