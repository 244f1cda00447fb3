"""May this go on? Rules as data, evaluated by Great Expectations on the pipeline's own connection."""


class CheckError(Exception):
    """A check could not be evaluated, or its rule does not fit the data it was written for."""
