"""What other waves' releases say and were made from: what a rolling window pools, and what its audit must know of.

Every release that is out counts, and those that are sealed and may yet open. Windows that share a wave with one of ours
are audited with it, and so are windows that share one with those, for as far as they hang together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from flows.errors import ConfigurationError
from flows.preparing.counting import view_released
from flows.preparing.seal import Sealed, read_sealed, read_table
from flows.run import Run
from transforms.departments import SEPARATOR
from transforms.overlaps import Row, spread
from transforms.segments import CLASSES, segment_cells
from transforms.sql import text
from transforms.waves import distances
from warehouse.ledger import Ledger
from warehouse.store import Store

COUNTED = "wave, batch, record_number, response_key, respondent_key, responded_at, department_key, score"
NO_SEGMENTS = "null::map(varchar, varchar)"


@dataclass(frozen=True)
class Shown:
    """What one release shows of its wave."""

    sealed: Sealed

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """The figures of its departments."""
        return read_table(self.sealed.folder, "promoter_metrics")

    @cached_property
    def keys(self) -> dict[str, str]:
        """The key of each of its departments."""
        table = read_table(self.sealed.folder, "departments")
        return {name: SEPARATOR.join(path) for name, path in zip(table["department_id"], table["path"], strict=True)}

    @cached_property
    def statuses(self) -> dict[str, str]:
        """Which of its departments are shown."""
        return dict(zip(self.metrics["department_id"], self.metrics["status"], strict=True))

    def published(self, name: str) -> pd.DataFrame:
        """The rows of `segments` or `rolling` that its first making shows; a revision only carries them."""
        if self.sealed.revision > 1 or not (self.sealed.folder / "tables" / f"{name}.parquet").exists():
            return pd.DataFrame()
        rows = read_table(self.sealed.folder, name)
        return rows[rows["status"] == "published"]


@dataclass(frozen=True)
class Past:
    """The releases of all other waves of a survey: by wave, oldest first."""

    waves: Mapping[str, Sequence[Shown]]

    def windows(self, wanted: set[str]) -> Iterator[tuple[Shown, pd.DataFrame, dict[str, str]]]:
        """The windows that hang together with `wanted` waves: what they show, and which release of each wave."""
        all_ = {one.sealed.release_id: one for among in self.waves.values() for one in among}
        left = [(one, rows) for one in all_.values() if len(rows := one.published("rolling"))]
        found = True
        while found:
            found = False
            for one, rows in list(left):
                pooled = [all_[name] for among in rows["pooled_release_ids"] for name in among if name in all_]
                own = {other.sealed.wave for other in pooled} | {one.sealed.wave}
                if own & wanted:
                    wanted |= own
                    left.remove((one, rows))
                    found = True
                    for _, length in rows.groupby("waves"):
                        releases = {all_[name].sealed.wave: name for name in length["pooled_release_ids"].iloc[0]}
                        yield one, length, {**releases, one.sealed.wave: one.sealed.release_id}


def past(run: Run, survey: str, wave: str, also: Sequence[Sealed]) -> Past:
    """All that was sealed of other waves and not withdrawn, and what opens with this one."""
    found: dict[str, dict[str, Shown]] = {}
    with Ledger.open(run.home.ledger) as ledger:
        known = [one.release_id for one in ledger.releases(survey) if one.state not in ("drafted", "withdrawn")]
    for one in [*(read_sealed(run.home.releases / name) for name in known), *also]:
        if one.wave != wave and one.survey == survey:
            found.setdefault(one.wave, {})[one.release_id] = Shown(one)
    return Past({name: list(releases.values()) for name, releases in found.items()})


def in_window(length: int, wave: str, earlier: Sequence[Sealed]) -> list[Sealed]:
    """The releases that a window of this length pools with the wave: none where one of its waves was not released."""
    before = list(earlier[1 - length :])
    is_whole = len(before) == length - 1 and set(distances([*(one.wave for one in before), wave])[1:]) == {1}
    return before if is_whole else []


def cells_of(store: Store, shown: Sequence[Shown], *, segments: Sequence[str]) -> pd.DataFrame:
    """The cells of one wave over its releases, with those that nobody is in."""
    wave, columns = shown[0].sealed.wave, [f"segment_{number}" for number in range(1, len(segments) + 1)]
    store.run("drop table if exists pooled")
    for one in shown:
        _pool(store, one, with_segments=bool(segments))
    if len(shown) == 1:
        cells = store.frame(segment_cells(segments, answers="pooled"))
        cells["releases"] = pd.Series([(shown[0].sealed.release_id,)] * len(cells), dtype=object)
    else:
        cells = store.frame(segment_cells(segments, answers=f"({text('present')})", also=["releases"]))
        cells["releases"] = pd.Series([tuple(among) for among in cells["releases"]], dtype=object)
    store.run("drop table pooled")
    return spread(cells.assign(wave=wave), columns)


def pooled_cells(store: Store, shown: Sequence[Shown]) -> pd.DataFrame:
    """The answers of several waves with those of this one, by the department that they hang on; people count once."""
    store.run("drop table if exists pooled")
    for one in shown:
        _pool(store, one, with_segments=False)
    both = f"(from pooled union all by name select {COUNTED}, {NO_SEGMENTS} as segments from counted)"
    cells = store.frame(segment_cells([], answers=both))
    store.run("drop table pooled")
    return cells


def rows_of(shown: Shown, *, segments: Sequence[str]) -> list[Row]:
    """What a release shows of its departments, and by these segments."""
    of = {shown.sealed.wave: shown.sealed.release_id}
    rows = [Row(shown.keys[name], of, is_out=True) for name, status in shown.statuses.items() if status == "published"]
    columns = {name: f"segment_{number}" for number, name in enumerate(segments, start=1)}
    parted = shown.published("segments")
    for row in parted[parted["segment"].isin(columns)].to_dict("records") if columns and len(parted) else []:
        value = row["value"] if isinstance(row["value"], str) else None
        rows.append(
            Row(shown.keys[row["department_id"]], of, segment=columns[row["segment"]], value=value, is_out=True)
        )
    return rows


def _pool(store: Store, shown: Shown, *, with_segments: bool) -> None:
    """Add what a release counted to the table `pooled`; its answers must be the very ones that it was made from."""
    sealed = shown.sealed
    view_released(store, sealed.release_id, wave=sealed.wave, name="earlier")
    segments = "segments" if with_segments else NO_SEGMENTS
    made = f"select $id as release_id, {COUNTED}, {segments} as segments from earlier"
    is_there = store.rows("select 1 from duckdb_tables() where table_name = 'pooled'")
    store.run(
        f"insert into pooled {made}" if is_there else f"create temporary table pooled as {made}",
        {"id": sealed.release_id},
    )
    counts = ", ".join(f"count_if({said})" for said in ("score >= 9", "score between 7 and 8", "score <= 6"))
    found = store.rows(f"select {counts} from earlier")[0]
    if list(found) != [int(count) for count in shown.metrics.iloc[0][list(CLASSES)]]:
        raise ConfigurationError(
            f"the answers that {sealed.survey} {sealed.wave} was released from are not in the working warehouse any "
            f"more, so they cannot be pooled: leave out windows of surveys.{sealed.survey}"
        )
