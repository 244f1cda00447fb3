"""Which question plays which part, and what its answers mean: the roles of a survey in `zwerm.toml`."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, field_validator, model_validator

from flows.model import Model, Text


def _texts(value: Any) -> Any:
    return tuple(_text(item) for item in (value if isinstance(value, (list, tuple)) else [value]))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text_keys(value: Any) -> Any:
    return {_text(key): item for key, item in value.items()} if isinstance(value, Mapping) else value


class Role(Model):
    """Where a role's answers come from, and what they mean: a column or an SQL expression over text columns."""

    column: str | None = None
    sql: str | None = None
    missing: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()
    values: Annotated[Mapping[str, float | tuple[int, int] | str], BeforeValidator(_text_keys)] | None = None
    scale: tuple[int, int] | None = None
    format: str | None = None
    language: str | None = None  # the column that tells a comment's language

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.sql is None):
            raise ValueError("give either a column or an sql expression")
        return self


def _role(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


RoleSetting = Annotated[Role, BeforeValidator(_role)]


class Driver(Role):
    """A rating of something that may lie behind the score, and what readers call it; default: its key."""

    label: Text | None = None


DriverSetting = Annotated[Driver, BeforeValidator(_role)]


def _roles(value: Any) -> Any:
    return tuple(_role(item) for item in (value if isinstance(value, (list, tuple)) else [value]))


class Roles(Model):
    """Which question plays which part. Only `score` is needed; what is not mapped is not guessed."""

    score: RoleSetting
    response_id: RoleSetting | None = None
    respondent_id: RoleSetting | None = None
    responded_at: RoleSetting | None = None
    department: Annotated[tuple[Role, ...], BeforeValidator(_roles)] = ()
    weight: RoleSetting | None = None
    stratum: RoleSetting | None = None  # how the sample was drawn: weighted figures' intervals take it into account
    cluster: RoleSetting | None = None
    told_count: RoleSetting | None = None
    acted_count: RoleSetting | None = None
    copied: RoleSetting | None = None
    warned_count: RoleSetting | None = None
    warned_acted_count: RoleSetting | None = None
    comment: RoleSetting | None = None
    drivers: Mapping[str, DriverSetting] = {}
    segments: Mapping[str, RoleSetting] = {}

    @property
    def is_sampled(self) -> bool:
        """Whether it is known how the sample was drawn: in strata, or in clusters."""
        return self.stratum is not None or self.cluster is not None

    @field_validator("score")
    @classmethod
    def _score_is_an_nps(cls, role: Role) -> Role:
        low, high = role.scale or (0, 10)
        if role.values is None and (high != 10 or high - low > 10 or low >= high):
            raise ValueError(
                f"a scale of {low} to {high} is not a recommendation score: a scale ends at 10 and is at most 10 wide; "
                "map other scales with values = { … }"
            )
        return role
