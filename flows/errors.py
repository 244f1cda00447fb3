"""What a run may end with, other than done: each has the exit code that schedulers see."""


class FlowError(Exception):
    """Something that a person has to know about; its message says what to do, and never shows a figure or a secret."""

    exit_code = 1


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
