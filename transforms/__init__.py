"""What does it mean? SQL text and pure functions over frames; no engine, clock, disk or network."""


class TransformError(Exception):
    """Input that a formula is not defined for; the message names the figure and what it would need."""
