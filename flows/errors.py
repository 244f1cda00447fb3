"""What a run may end with, other than done: each has the exit code that schedulers see."""

from collections.abc import Mapping
from copy import copy
from typing import Any, Self


class FlowError(Exception):
    """Something that a person has to know about; its message says what to do, and never shows a figure or a secret.

    Where the operator's message names counts, addresses or an unreleased id, `public` is what Prefect may keep.
    """

    exit_code = 1
    facts: Mapping[str, Any] = {}  # what a machine that asked for JSON is told besides

    def __init__(self, says: str, *, public: str | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.public = public

    def in_public(self) -> Self:
        """The same error with the words that Prefect may keep; the operator's own go with it, for the terminal."""
        shown = copy(self)
        shown.args = (self.public or self.says,)
        return shown


class ConfigurationError(FlowError):
    """`zwerm.toml` or the call is wrong."""

    exit_code = 2


class StoppedByCheckError(FlowError):
    """A critical check stopped the run before anything was sealed."""

    exit_code = 3


class HeldError(FlowError):
    """A release was held before its moment: nobody has anything."""

    exit_code = 4


class LeaseTakenError(FlowError):
    """Another process holds the lease or the warehouse."""

    exit_code = 5
