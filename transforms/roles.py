"""Which question plays which part: what a mapping says of each role, in one fixed order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

IDS = ("response_id", "respondent_id")
DESIGN = ("stratum", "cluster")  # how the sample was drawn
NUMBERS = ("score", "weight", "told_count", "acted_count", "copied", "warned_count", "warned_acted_count")
BANDS = ("told_count", "warned_count")
COUNTS = ("told_count", "told_count_most", "acted_count", "warned_count", "warned_count_most", "warned_acted_count")


class Role(Protocol):
    """Where one question's answers come from, and what they mean."""

    @property
    def column(self) -> str | None: ...  # noqa: D102
    @property
    def sql(self) -> str | None: ...  # noqa: D102
    @property
    def missing(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def values(self) -> Mapping[str, float | tuple[int, int] | str] | None: ...  # noqa: D102
    @property
    def scale(self) -> tuple[int, int] | None: ...  # noqa: D102
    @property
    def format(self) -> str | None: ...  # noqa: D102


class Comment(Role, Protocol):
    """A free text, and the column that tells its language."""

    @property
    def language(self) -> str | None: ...  # noqa: D102


class Roles(Protocol):
    """Which question plays which part; None is not asked."""

    @property
    def score(self) -> Role: ...  # noqa: D102
    @property
    def response_id(self) -> Role | None: ...  # noqa: D102
    @property
    def respondent_id(self) -> Role | None: ...  # noqa: D102
    @property
    def responded_at(self) -> Role | None: ...  # noqa: D102
    @property
    def department(self) -> tuple[Role, ...]: ...  # noqa: D102
    @property
    def weight(self) -> Role | None: ...  # noqa: D102
    @property
    def stratum(self) -> Role | None: ...  # noqa: D102
    @property
    def cluster(self) -> Role | None: ...  # noqa: D102
    @property
    def told_count(self) -> Role | None: ...  # noqa: D102
    @property
    def acted_count(self) -> Role | None: ...  # noqa: D102
    @property
    def copied(self) -> Role | None: ...  # noqa: D102
    @property
    def warned_count(self) -> Role | None: ...  # noqa: D102
    @property
    def warned_acted_count(self) -> Role | None: ...  # noqa: D102

    @property
    def comment(self) -> Comment | None: ...  # noqa: D102
    @property
    def drivers(self) -> Mapping[str, Role]: ...  # noqa: D102
    @property
    def segments(self) -> Mapping[str, Role]: ...  # noqa: D102


class WaveColumn(Protocol):
    """The wave is a label that the data carry."""

    @property
    def column(self) -> str: ...  # noqa: D102


class WaveValue(Protocol):
    """All answers are of one wave."""

    @property
    def value(self) -> str: ...  # noqa: D102


Wave = str | WaveColumn | WaveValue  # 'month', 'quarter', 'year'


@dataclass(frozen=True)
class Column:
    """A role that is a column and no more."""

    column: str | None
    sql: str | None = None
    missing: tuple[str, ...] = ()
    values: Mapping[str, float | tuple[int, int] | str] | None = None
    scale: tuple[int, int] | None = None
    format: str | None = None


def mapped(roles: Roles) -> Iterator[tuple[str, Role]]:
    """Each mapped role by name; levels, drivers and segments are numbered, as SQL can name no others."""
    for name in (*IDS, *DESIGN, "responded_at", *NUMBERS):
        role: Role | None = getattr(roles, name)
        if role is not None:
            yield name, role
    for number, level in enumerate(roles.department, start=1):
        yield f"level_{number}", level
    if roles.comment is not None:
        yield "comment", roles.comment
        if roles.comment.language is not None:
            yield "comment_language", Column(roles.comment.language)
    for number, driver in enumerate(roles.drivers.values(), start=1):
        yield f"driver_{number}", driver
    for number, segment in enumerate(roles.segments.values(), start=1):
        yield f"segment_{number}", segment


def called(name: str, roles: Roles) -> str:
    """A role as a person calls it: drivers and segments by their names, levels as departments, from the top."""
    kind, _, number = name.rpartition("_")
    if kind == "driver":
        return f"driver {list(roles.drivers)[int(number) - 1]}"
    if kind == "segment":
        return f"segment {list(roles.segments)[int(number) - 1]}"
    return name.replace("level_", "department ") if len(roles.department) > 1 else name.replace("level_1", "department")


def said(roles: Roles) -> list[list[object]]:
    """All that a mapping says, in a form that can be hashed."""
    made: list[list[object]] = [[name, _said(role)] for name, role in mapped(roles)]
    return [*made, ["drivers", list(roles.drivers)], ["segments", list(roles.segments)]]


def _said(role: Role) -> dict[str, object]:
    values = None if role.values is None else [[key, value] for key, value in role.values.items()]
    said = {"column": role.column, "sql": role.sql, "missing": role.missing, "values": values, "format": role.format}
    return {**said, "scale": role.scale}
