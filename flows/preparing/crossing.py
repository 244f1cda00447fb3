"""Figures by segment and over rolling windows: tables that overlap with the departments', and are audited with them.

They are made with the first release of a wave, and a revision carries them as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from flows.errors import ConfigurationError, HeldError
from flows.preparing.carried import carried
from flows.preparing.counting import wave_departments
from flows.preparing.examination import Examination
from flows.preparing.figures import TO_PROTECT
from flows.preparing.pooling import Shown, cells_of, in_window, past, pooled_cells, rows_of
from flows.preparing.seal import Sealed
from flows.preparing.tables import TABLES
from flows.run import Run
from transforms import TransformError
from transforms.departments import ROOT_ID
from transforms.interval import Method, scored
from transforms.overlaps import Row, hidden, overlap, says, spread
from transforms.rolling import rolling
from transforms.segments import CLASSES, Rule, segment_cells, segments
from transforms.waves import in_order
from warehouse.store import Store

NOW = ""  # this release has no id yet
NAMES = ("segments", "rolling")
COUNTS = ("responses", *CLASSES)


@dataclass(frozen=True)
class Crossing:
    """One wave on its way: its tree, what it shows of that, and what was released before it."""

    run: Run
    examination: Examination
    tree: pd.DataFrame
    pattern: pd.DataFrame
    earlier: Sequence[Sealed]
    rule: Rule

    @property
    def wave(self) -> str:
        """The wave's label."""
        return self.examination.wave

    @property
    def names(self) -> list[str]:
        """The segments that are mapped."""
        return list(self.run.survey(self.examination.survey).roles.segments)

    @property
    def keys(self) -> dict[str, str]:
        """The key of each department."""
        return dict(zip(self.tree["department_id"], self.tree["department_key"], strict=True))

    @property
    def statuses(self) -> dict[str, str]:
        """Which departments are shown."""
        return dict(zip(self.pattern["department_id"], self.pattern["status"], strict=True))


def cross(
    store: Store,
    run: Run,
    examination: Examination,
    *,
    tree: pd.DataFrame,
    pattern: pd.DataFrame,
    earlier: Sequence[Sealed],
) -> dict[str, pd.DataFrame]:
    """The tables `segments` and `rolling`, of which nothing can be computed that is hidden; held where that cannot be.

    Reads single responses only where segments are mapped or windows configured.
    """
    settings, what = run.survey(examination.survey), f"{examination.survey} {examination.wave}"
    if examination.first_release_id is not None:
        return {name: _sealable(carried(run, examination.first_release_id, name), name) for name in NAMES}
    crossing = Crossing(
        run, examination, tree, pattern, earlier, Rule(settings.min_respondents, run.home.secret(), what)
    )
    if not settings.roles.segments and not settings.windows:
        return {name: _sealable(pd.DataFrame(columns=TABLES[name].names), name) for name in NAMES}
    try:
        cells = store.frame(segment_cells(crossing.names))
        parted = segments(
            cells, tree, pattern, names=crossing.names, levels=settings.segment_levels, rule=crossing.rule
        )
    except TransformError as error:
        raise ConfigurationError(f"{what}: {error}", public=f"{what} cannot be shown by segment") from None
    try:
        tables = _audited(store, crossing, cells, {"segments": parted, "rolling": _windows(store, crossing)})
    except TransformError as error:
        raise HeldError(f"{what} is held: {error}", public=f"{what} is held {TO_PROTECT}") from None
    return {name: _sealable(_told(frame, settings.interval), name) for name, frame in tables.items()}


def downloads(tables: Mapping[str, pd.DataFrame], tree: pd.DataFrame) -> dict[str, bytes]:
    """The two tables as files, departments named in the file's language; one without rows has none."""
    from transforms.report.downloads import table

    found = {}
    for name in NAMES:
        rows = tables[name]
        columns = tuple(column for column in rows.columns if column != "pooled_release_ids")
        if "pooled_waves" in columns:
            rows = rows.assign(pooled_waves=[" ".join(waves) for waves in rows["pooled_waves"]])
        for language in tree["names"].iloc[0] if len(rows) else ():
            names = {key: own[language] for key, own in zip(tree["department_id"], tree["names"], strict=True)}
            called = rows["department_id"].map(names).fillna(rows["department"])
            found[f"downloads/{name}-{language}.csv"] = table(rows.assign(department=called), columns)
    return found


def _windows(store: Store, crossing: Crossing) -> pd.DataFrame:
    """The rows of every window that is whole, shortest first."""
    made = [
        _window(store, crossing, before)
        for length in sorted(crossing.run.survey(crossing.examination.survey).windows)
        if (before := in_window(length, crossing.wave, crossing.earlier))
    ]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=[*TABLES["rolling"].names, "is_known"])


def _window(store: Store, crossing: Crossing, before: Sequence[Sealed]) -> pd.DataFrame:
    shown = [Shown(one) for one in before]
    cells = pooled_cells(store, shown)
    keys = {*crossing.tree["department_key"], *(key for one in shown for key in one.keys.values())}
    rows = rolling(
        cells,
        wave_departments(crossing.run, sorted(keys), wave=crossing.wave),
        [*(one.statuses for one in shown), crossing.statuses],
        shown_now=crossing.tree,
        rule=crossing.rule,
    )
    waves, releases = [*(one.wave for one in before), crossing.wave], [one.release_id for one in before]
    pooled = {"pooled_waves": waves, "pooled_release_ids": releases}
    return rows.assign(**{name: pd.Series([one] * len(rows), dtype=object) for name, one in pooled.items()})


def _audited(
    store: Store, crossing: Crossing, cells: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The tables with what else must be hidden; an error where all of a segment would have to be."""
    if cells.empty:
        return tables
    columns = [f"segment_{number}" for number in range(1, len(crossing.names) + 1)]
    counted = pd.Series([(NOW,)] * len(cells), dtype=object)
    now = spread(cells.assign(wave=crossing.wave, releases=counted), columns)
    ours = [*_parted(crossing, tables["segments"]), *_pooled(crossing, tables["rolling"])]
    frames, rows = [now], [*(row for _, _, row in ours), *_shown(crossing)]
    if any(name == "rolling" for name, _, _ in ours):
        also, beside = _past(store, crossing, [row for name, _, row in ours if name == "rolling"])
        frames, rows = [*frames, *also], [*rows, *beside]
    crossed = overlap(pd.concat(frames, ignore_index=True), rows)
    is_hidden, named = hidden(crossed, min_respondents=crossing.rule.min_respondents)
    made = {name: frame.copy() for name, frame in tables.items()}
    for (name, place, _), hide in zip(ours, is_hidden, strict=False):
        if hide:
            made[name].loc[place, "status"] = "suppressed"
    if _parts(tables["segments"]) != _parts(made["segments"]):
        raise TransformError(says(named))
    return made


def _parted(crossing: Crossing, parted: pd.DataFrame) -> list[tuple[str, int, Row]]:
    """The rows by segment that would be shown, and where they stand."""
    columns = {name: f"segment_{number}" for number, name in enumerate(crossing.names, start=1)}
    return [
        (
            "segments",
            place,
            Row(
                crossing.keys[row["department_id"]],
                {crossing.wave: NOW},
                segment=columns[row["segment"]],
                value=row["value"] if isinstance(row["value"], str) else None,
                weight=int(row["weight"]),
            ),
        )
        for place, row in enumerate(parted.to_dict("records"))
        if row["status"] == "published"
    ]


def _pooled(crossing: Crossing, rows: pd.DataFrame) -> list[tuple[str, int, Row]]:
    """The rows over windows that would be shown and that nobody could add up; and where they stand."""
    return [
        (
            "rolling",
            place,
            Row(
                crossing.keys[row["department_id"]],
                dict(zip(row["pooled_waves"], [*row["pooled_release_ids"], NOW], strict=True)),
                weight=int(row["weight"]),
            ),
        )
        for place, row in enumerate(rows.to_dict("records"))
        if row["status"] == "published" and not row["is_known"]
    ]


def _shown(crossing: Crossing) -> list[Row]:
    """The departments that are shown: these stay."""
    of = {crossing.wave: NOW}
    return [Row(crossing.keys[name], of) for name, status in crossing.statuses.items() if status == "published"]


def _past(store: Store, crossing: Crossing, windows: Sequence[Row]) -> tuple[list[pd.DataFrame], list[Row]]:
    """The cells and the rows of the waves that our windows hang together with."""
    before = past(crossing.run, crossing.examination.survey, crossing.wave, crossing.earlier)
    pooled_here = {wave for row in windows for wave in row.releases} - {crossing.wave}
    wanted, rows = set(pooled_here), list[Row]()
    for one, shown, releases in before.windows(wanted):
        rows += [Row(one.keys[name], releases, is_out=True) for name in shown["department_id"]]
    frames = []
    for wave in in_order(wanted - {crossing.wave}):
        names = crossing.names if wave in pooled_here else []
        frames.append(cells_of(store, before.waves[wave], segments=names))
        for one in before.waves[wave]:
            rows += rows_of(one, segments=names)
    return frames, rows


def _parts(parted: pd.DataFrame) -> set[str]:
    """The segments of which the whole organisation is shown anything."""
    return set(parted.loc[(parted["status"] == "published") & (parted["department_id"] == ROOT_ID), "segment"])


def _told(rows: pd.DataFrame, method: Method) -> pd.DataFrame:
    """The rows with their scores; what is suppressed shows nothing."""
    made = scored(rows, method=method)
    is_shown = made["status"] == "published"
    return made.assign(**{name: made[name].where(is_shown) for name in (*COUNTS, "nps", "nps_low", "nps_high")})


def _sealable(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns of the sealed table, whole numbers whole."""
    columns = [column for column in TABLES[name].names if column not in ("survey", "wave")]
    lists = {
        column: pd.Series([list(one) for one in rows[column]], index=rows.index, dtype=object)
        for column in columns
        if column.startswith("pooled_")
    }
    return rows[columns].assign(**{column: rows[column].astype("Int64") for column in COUNTS}, **lists)
