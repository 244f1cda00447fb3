"""May this go on? Rules as data, evaluated by Great Expectations on the pipeline's own connection."""


class CheckError(Exception):
    """A check could not be evaluated, or its rule does not fit the data it was written for.

    Where a survey sets what a check does not have, `allowed` names what it has.
    """

    def __init__(self, says: str, *, allowed: str = "") -> None:
        super().__init__(f"{says}; it has: {allowed}" if allowed else says)
        self.says, self.allowed = says, allowed
