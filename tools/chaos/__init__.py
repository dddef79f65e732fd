"""Rehearsed faults: real workers, PostgreSQL, Valkey and the simulated exchange, killed and disturbed at named points; owns
the plan, the runner and the counting, not the failpoints themselves, which are the program's.
"""
