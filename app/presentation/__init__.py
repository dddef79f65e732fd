"""Presentation owns the ways in: the HTTP API and the other entry points. It translates and admits; it decides nothing about trading and reaches adapters only through `config`."""
