"""The whole way below the orchestrator, for tests: from a configuration to what everyone reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from flows.preparing.steps import prepare
from flows.release import Report, open_moment
from flows.releasing.moment import nothing
from flows.releasing.recover import recover
from flows.releasing.staging import stage_together
from flows.run import Run

TEAMS = """
[surveys.guests]
wave = { value = "2026-10" }
[surveys.guests.roles]
score = "score"
department = "team"
"""


@dataclass(frozen=True)
class Survey:
    """A survey in a folder of its own: its configuration, and what comes of it."""

    folder: Path

    @classmethod
    def written(cls, folder: Path, rows: str, *, configuration: str, more: str = "") -> "Survey":
        """A folder with `answers.csv` and a `zwerm.toml` that reads it."""
        (folder / "answers.csv").write_text(rows, encoding="utf-8")
        source = '[[surveys.guests.sources]]\npath = "answers*.csv"\n'
        (folder / "zwerm.toml").write_text(f"{configuration}\n{source}\n{more}", encoding="utf-8")
        return cls(folder)

    @property
    def config(self) -> Path:
        """Its zwerm.toml."""
        return self.folder / "zwerm.toml"

    @property
    def published(self) -> Path:
        """What everyone reads."""
        return Run.begin(self.config).home.published

    def release(
        self,
        wave: str | None = None,
        *,
        survey: str = "guests",
        may_revise: bool = False,
        material: bool = False,
        on_step: Callable[[str], None] = nothing,
    ) -> Report | None:
        """Prepare a wave and open it at once; None where there was nothing to release."""
        run = Run.begin(self.config)
        recover(run.home, run.settings)
        reason = "more answers" if may_revise else None
        prepared = prepare(run, survey, wave, may_revise=may_revise, reason=reason, material=material)
        staged = stage_together(run, [prepared], on_step=on_step)
        reports = [open_moment(run.home, run.settings, m.moment_id, on_step=on_step) for m in staged.moments]
        return reports[0] if reports else None

    def read(self, sql: str) -> pd.DataFrame:
        """A query on the published warehouse, as a BI tool would ask it."""
        with duckdb.connect(str(self.published / "warehouse.duckdb"), read_only=True) as connection:
            frame: pd.DataFrame = connection.sql(sql).df()
        return frame
