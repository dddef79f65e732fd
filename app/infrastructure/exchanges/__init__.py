"""Exchanges owns how venues are reached: HTTP and streams, clocks, breakers, budgets, and the table of venues.

A venue's own dialect lives in its own folder; nothing here knows one. Rules about money and orders live in the domain.
"""
