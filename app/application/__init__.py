"""Use cases: they orchestrate the domain through ports. No framework, no I/O of their own."""
