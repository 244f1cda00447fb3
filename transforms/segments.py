"""Figures by segment: what those say who gave a certain answer to another question, in the whole and in departments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from transforms import TransformError
from transforms.departments import SEPARATOR
from transforms.protect import protect, weight
from transforms.sql import filled, literal

CLASSES = ("promoters", "passives", "detractors")
COUNTS = (*CLASSES, *(f"respondent_{name}" for name in CLASSES))
COLUMNS = ("department_id", "department", "segment", "value", "status", "responses", *CLASSES)
MOST_VALUES = 50  # of one segment: what has more is no segment, and its values are shown


@dataclass(frozen=True)
class Rule:
    """What protects a wave's rows: the minimum, and the noise by which least loss is chosen."""

    min_respondents: int
    noise: bytes
    wave: str


def segment_cells(names: Sequence[str], *, answers: str = "counted", also: Sequence[str] = ()) -> str:
    """The select over the relation `answers`, with a column per segment: segment_1, segment_2, …, and those `also`."""
    labels = [f"segments[{literal(name)}] as segment_{number}" for number, name in enumerate(names, start=1)]
    columns = [f"segment_{number}" for number in range(1, len(names) + 1)]
    parts = {"labels": [*labels, *also], "names": [*columns, *also]}
    return filled("segments", {"answers": answers} | {k: "".join(f"{one}, " for one in v) for k, v in parts.items()})


def segments(
    cells: pd.DataFrame,
    departments: pd.DataFrame,
    pattern: pd.DataFrame,
    *,
    names: Sequence[str],
    levels: int,
    rule: Rule,
) -> pd.DataFrame:
    """One row per shown department down to `levels` × segment × value: its counts, and whether it may be shown.

    The values of a segment in one department are a tree of two levels, which hides small ones alone and by subtraction;
    who did not say is a value of its own (None). What several such trees tell together is not looked at here. Beside
    COLUMNS: respondents, each once, and the weight of a row, which is what hiding it loses.
    """
    shown = departments.merge(pattern[["department_id", "status"]], on="department_id", validate="one_to_one")
    shown = shown[(shown["status"] == "published") & (shown["level"] <= levels)].sort_values("position")
    values = {name: _values(cells[f"segment_{number}"], name) for number, name in enumerate(names, start=1)}
    rows = [
        row
        for department in shown.to_dict("records")
        for number, name in enumerate(names, start=1)
        for row in _rows(_within(cells, department), department, name, f"segment_{number}", values[name], rule)
    ]
    made = pd.DataFrame(rows, columns=[*COLUMNS, "respondents", "weight"])
    return made.assign(value=pd.Series([row["value"] for row in rows], dtype=object))


def is_under(keys: pd.Series, department_key: str) -> pd.Series:
    """Whether answers hang on a department or below it."""
    return (keys == department_key) | keys.str.startswith(department_key + SEPARATOR) | (department_key == "")


def _values(column: pd.Series, name: str) -> list[str | None]:
    """What was said, in order, and last that nothing was."""
    said: list[str | None] = sorted(set(column.dropna()))
    if len(said) > MOST_VALUES:
        raise TransformError(
            f"segment '{name}' has {len(said)} values, and more than {MOST_VALUES} are no segment; merge them by "
            "values = { … } of the role, or leave it out"
        )
    return [*said, None] if column.isna().any() else said


def _within(cells: pd.DataFrame, department: Mapping[Any, Any]) -> pd.DataFrame:
    return cells[is_under(cells["department_key"], department["department_key"])]


def _rows(
    within: pd.DataFrame,
    department: Mapping[Any, Any],
    name: str,
    column: str,
    values: Sequence[str | None],
    rule: Rule,
) -> Iterator[dict[str, Any]]:
    said = within[column].astype(object).where(within[column].notna(), None)
    sums = [within.loc[[one == value for one in said], list(COUNTS)].sum().astype(int) for value in values]
    place = f"{rule.wave}\x1f{department['department_id']}\x1f{name}"
    for number, (value, counts, status) in enumerate(zip(values, sums, _statuses(sums, place, rule), strict=True)):
        respondents = int(counts[3:].sum())
        yield {
            "department_id": department["department_id"],
            "department": department["name"],
            "segment": name,
            "value": value,
            "status": status,
            "responses": int(counts[:3].sum()),
            **{name: int(counts[name]) for name in CLASSES},
            "respondents": respondents,
            "weight": weight(respondents, rule.noise, wave=place, department=str(number)),
        }


def _statuses(sums: Sequence[pd.Series], place: str, rule: Rule) -> list[str]:
    """Which values of one segment in one department may be shown, beside the department itself."""
    frame = pd.DataFrame(sums, columns=list(COUNTS)).astype(int).reset_index(drop=True)
    frame = pd.concat([frame.sum().to_frame().T, frame], ignore_index=True)
    ids = ["all", *(str(number) for number in range(len(sums)))]
    tallies = frame.assign(department_id=ids, responses=frame[list(CLASSES)].sum(axis="columns"))
    tree = pd.DataFrame({"department_id": ids, "parent_id": pd.Series([None, *["all"] * len(sums)], dtype=object)})
    pattern = protect(tallies, tree, min_respondents=rule.min_respondents, noise=rule.noise, wave=place)
    return pattern["status"].tolist()[1:]
