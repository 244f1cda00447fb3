"""What the published warehouse has of one release, and what the configuration calls it: all that its pages may tell."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import duckdb
import pandas as pd

from tests.flows.whole import Survey

Row = dict[Any, Any]
TABLES = (
    *("releases", "departments", "promoter_metrics", "changes", "comparisons", "trends", "drivers", "themes", "quotes"),
    *("highlights", "quality", "deliveries"),
)


class Mart:
    """Every table of a published warehouse as rows, NULL as None; and the configuration beside it."""

    def __init__(self, survey: Survey) -> None:
        self.site = survey.published / "site"
        with duckdb.connect(str(survey.published / "warehouse.duckdb"), read_only=True) as connection:
            self.tables = {name: list(_rows(connection.sql(f"from mart.{name}").df())) for name in TABLES}
        self.by_release: dict[str, dict[tuple[str, str, int], list[Row]]] = {name: {} for name in TABLES}
        for name, rows in self.tables.items():
            for row in rows:
                key = (row["survey"], row["wave"], row["revision"])
                self.by_release[name].setdefault(key, []).append(row)
        self.configuration = tomllib.loads(survey.config.read_text(encoding="utf-8"))

    @property
    def organisation(self) -> dict[str, Any]:
        """The organisation in the configuration."""
        found: dict[str, Any] = self.configuration.get("organisation", {})
        return found

    def release(self, path: str) -> "Released":
        """The release whose pages stand at `survey/wave/rN`."""
        survey, wave, revision = path.split("/")
        return Released(self, survey, wave, int(revision[1:]))


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    for row in frame.astype(object).to_dict("records"):
        yield {name: None if _is_null(value) else value for name, value in row.items()}


def _is_null(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value


@dataclass(frozen=True)
class Released:
    """The rows of one release."""

    mart: Mart
    survey: str
    wave: str
    revision: int

    def rows(self, table: str, **having: Any) -> list[Row]:
        """The rows of a table, in its order, that have these values."""
        key = (self.survey, self.wave, having.pop("revision", self.revision))
        own = self.mart.by_release[table].get(key, ())
        return [row for row in own if all(row[name] == value for name, value in having.items())]

    @cached_property
    def metrics(self) -> dict[str, Row]:
        """promoter_metrics by department, in the order of the tree of ids."""
        return {row["department_id"]: row for row in self.rows("promoter_metrics")}

    @cached_property
    def before(self) -> dict[str, Row]:
        """promoter_metrics of the revision before this one."""
        return {row["department_id"]: row for row in self.rows("promoter_metrics", revision=self.revision - 1)}

    @cached_property
    def release(self) -> Row:
        """Its row in releases."""
        return self.rows("releases")[0]

    @cached_property
    def earlier(self) -> list[dict[str, Row]]:
        """promoter_metrics of each earlier wave by department, oldest first: of what was released before this was."""
        newest: dict[str, Row] = {}
        for row in self.mart.tables["releases"]:
            is_before = row["wave"] < self.wave and row["released_at"] < self.release["released_at"]
            if row["survey"] == self.survey and is_before:
                newest[row["wave"]] = max(newest.get(row["wave"], row), row, key=lambda one: one["revision"])
        return [
            {row["department_id"]: row for row in self.mart.tables["promoter_metrics"] if row["release_id"] == chosen}
            for chosen in (newest[wave]["release_id"] for wave in sorted(newest))
        ]

    def previous(self, department_id: str) -> Row:
        """A department in the release that its change is measured against."""
        compared = self.metrics[department_id]["previous_release_id"]
        (found,) = (
            row
            for row in self.mart.tables["promoter_metrics"]
            if row["release_id"] == compared and row["department_id"] == department_id
        )
        return found

    def below(self, department_id: str) -> list[str]:
        """A department and all that are part of it."""
        found = [department_id]
        for above in found:
            found += [key for key, row in self.metrics.items() if row["parent_id"] == above]
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """The survey in the configuration."""
        found: dict[str, Any] = self.mart.configuration["surveys"][self.survey]
        return found

    @property
    def least(self) -> int:
        """Fewer answers than this are hidden."""
        return int(self.settings.get("min_respondents", 10))

    @property
    def is_asked(self) -> bool:
        """Whether the survey asks what makes a superpromoter."""
        return "told_count" in self.settings["roles"]

    def local(self, moment: datetime) -> pd.Timestamp:
        """A moment of the mart on the organisation's clock."""
        return pd.Timestamp(moment, tz="UTC").tz_convert(self.mart.organisation.get("timezone", "UTC"))
