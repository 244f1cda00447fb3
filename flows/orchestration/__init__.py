"""Prefect at the edge: its server, what is served to it, and how a step looks in it."""
