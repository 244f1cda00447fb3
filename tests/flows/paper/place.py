"""A page of a release: whose it is, in which language, and what its readers call everything."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.flows.paper.mart import Released, Row
from tests.flows.paper.write import Writing

ALL = "all"


@dataclass(frozen=True)
class Place:
    """One page, with the names that departments have in its language."""

    released: Released
    writing: Writing
    department_id: str
    names: Mapping[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether it is the page of the organisation itself."""
        return self.department_id == ALL

    @property
    def metric(self) -> Row:
        """Its department's row in promoter_metrics."""
        return self.released.metrics[self.department_id]

    @property
    def has_figures(self) -> bool:
        """Whether its department has an NPS to show."""
        return self.metric["nps"] is not None

    @property
    def below(self) -> list[str]:
        """Its department and all that are part of it."""
        return self.released.below(self.department_id)

    @property
    def previous_wave(self) -> str | None:
        """The wave before, of which departments tell their change."""
        named = [row["previous_wave"] for row in self.released.metrics.values() if row["previous_wave"]]
        earlier = [next(iter(wave.values()))["wave"] for wave in self.released.earlier]
        return named[0] if named else earlier[-1] if earlier else None

    @property
    def over_time(self) -> list[Row]:
        """Its department's rows in promoter_metrics, oldest wave first, this one last."""
        waves = [*self.released.earlier, self.released.metrics]
        return [wave[self.department_id] for wave in waves if self.department_id in wave]

    @property
    def has_course(self) -> bool:
        """Whether two waves at least have something to show."""
        figures = ("nps", "superpromoter_rate") if self.released.is_asked else ("nps",)
        return any(sum(row[name] is not None for row in self.over_time) > 1 for name in figures)

    def rows(self, table: str) -> list[Row]:
        """Its department's rows in a table."""
        return self.released.rows(table, department_id=self.department_id)

    def moved(self, kind: str) -> list[Row]:
        """Who rose or fell beyond chance, of its department and what is part of it; never the whole."""
        below = set(self.below) - {ALL}
        return [row for row in self.released.rows("highlights", kind=kind) if row["department_id"] in below]

    @property
    def revised(self) -> list[str]:
        """The departments that a revision changed, of those that its page tells of."""
        now, before = self.released.metrics, self.released.before
        told = ("responses", "nps")
        return [
            key
            for key in self.below
            if before and any(now[key][name] != before.get(key, {}).get(name) for name in told)
        ]

    def driver(self, row: Row) -> str:
        """What readers call a subject that was rated."""
        label = self.released.settings["roles"]["drivers"][row["driver"]].get("label", {})
        return str(label.get(self.writing.language, row["driver"].replace("_", " ")))

    def strengths(self) -> list[Row]:
        """The subjects that are praised."""
        return [r for r in self.rows("drivers") if r["kind"] in ("strength", "both") and r["importance"] is not None]

    def levers(self) -> list[Row]:
        """The subjects that would help."""
        return [r for r in self.rows("drivers") if r["kind"] in ("lever", "both") and r["importance"] is not None]

    @property
    def by_super(self) -> bool:
        """Whether it is superpromoters who praise."""
        return self.released.is_asked and all(row["rating_superpromoters"] is not None for row in self.strengths())
