"""What `zwerm.toml` says of the population that answers are weighted to."""

from collections.abc import Mapping
from math import inf

from pydantic import Field, field_validator

from flows.model import Model

MAY_LACK = 0.001  # of 1, by rounding


class Weighting(Model):
    """The population by segment, or by level of departments: each category's share, or its number of people."""

    margins: Mapping[str, Mapping[str, float]] = Field(min_length=1)

    @field_validator("margins")
    @classmethod
    def _margins_add_up(cls, margins: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        for name, categories in margins.items():
            shares, total = list(categories.values()), sum(categories.values())
            if len(shares) < 2 or not all(0 < share < inf for share in shares):
                raise ValueError(f"margin '{name}' needs two categories or more, each with a share above 0")
            if abs(total - 1) > MAY_LACK and min(shares) < 1:
                raise ValueError(
                    f"the shares of margin '{name}' add up to {total:g}, and not to 1; or give numbers of people"
                )
        return margins
