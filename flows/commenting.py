"""What a survey says about its comments: which names and numbers are personal data besides those that are known."""

import re
from typing import Annotated

from pydantic import BeforeValidator, field_validator

from flows.model import Model


def _listed(value: object) -> object:
    return value if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class Comments(Model):
    """Comments are cleaned of personal data before anything else; with show = false nothing of them is read at all."""

    names: Annotated[str | tuple[str, ...], BeforeValidator(_listed)] = ()  # or a file beside zwerm.toml, one a line
    order_numbers: tuple[str, ...] = ()  # regular expressions
    show: bool = True
    quotes: bool = False  # whether whole sentences of superpromoters are shown too, beside the words that stand out

    @field_validator("order_numbers")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                matches_nothing = re.compile(pattern).fullmatch("") is not None
            except re.error as error:
                raise ValueError(f"'{pattern}' is not a regular expression: {error}") from None
            if matches_nothing:
                raise ValueError(f"'{pattern}' matches nothing at all; write what every number has")
        return value
