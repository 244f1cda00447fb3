"""All that the outsider has: the published DuckDB file. He takes it apart by organisation and wave."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd

from tests.attack.organisations import Answer, Organisation, place
from tests.attack.outsider import CLASSES, Residual
from tests.attack.units import Released, Today, Unit

METRICS = """
select m.*, replace(d.path, ' > ', '/') as path, d.position
from mart.promoter_metrics m join mart.departments d using (release_id, department_id)
order by m.survey, m.wave, m.revision, d.position
"""
# What is held against an earlier wave, beside every figure of that wave that is published: there must be one that fits.
UNSAID = """
select m.release_id, m.department
from mart.changes c
join mart.promoter_metrics m using (release_id, department_id)
left join mart.promoter_metrics w on w.release_id = c.compared_release_id and w.department_id = c.department_id
left join mart.regrouped r
    on r.release_id = c.release_id and r.department_id = c.department_id
    and r.compared_release_id = c.compared_release_id
where coalesce(abs(m.nps - c.nps_change - if(c.is_regrouped, r.nps, w.nps)) > 1e-6, true)
"""
Counted = Mapping[str, Mapping[str, Sequence[Answer]]]  # release → organisation → answers


def read(warehouse: Path, sql: str) -> pd.DataFrame:
    """What everyone can ask."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        frame: pd.DataFrame = connection.sql(sql).to_arrow_table().to_pandas()
    return frame


def units(
    warehouse: Path, organisations: Mapping[str, Organisation], counted: Counted, *, is_below: bool
) -> Iterator[Unit]:
    """Each wave that is out of each organisation, which is a department of a survey (`is_below`) or one by itself.

    A revision that says what the one before it said is left out: nothing follows from it.
    """
    metrics = read(warehouse, METRICS)
    metrics = metrics.assign(**_placed(metrics["path"], metrics["survey"], is_below=is_below))
    regrouped = _regrouped(warehouse, is_below=is_below)
    for (name, wave), own in metrics.dropna(subset="organisation").groupby(["organisation", "wave"], sort=False):
        unit, revisions, said = Unit(f"{name} {wave}"), dict[str, int](), list[object]()
        for release_id, rows in own.groupby("release_id", sort=False):
            released = Released(rows.reset_index(drop=True), rows, counted[str(release_id)].get(str(name), ()))
            says = rows[["department_id", "status", *CLASSES]].astype(object).fillna(-1).to_numpy().tolist()
            if says not in said[-1:]:
                unit.released.append(released)
                said.append(says)
            revisions[str(release_id)] = len(said) - 1
        if (unit.released[0].metrics["status"].iloc[0]) == "published":
            unit.today += _today(unit, regrouped.get(str(name)), revisions, organisations[str(name)].moves)
            yield unit


def _placed(paths: pd.Series, surveys: pd.Series, *, is_below: bool) -> dict[str, pd.Series]:
    """Whose row it is, and where in that organisation; what is above all of them is nobody's."""
    parts = [path.split("/") if path else [] for path in paths]
    names = [part[0] if part else None for part in parts] if is_below else surveys.tolist()
    own = ["/".join(part[1:] if is_below else part) or "all" for part in parts]
    parents = [None if path == "all" else "/".join(path.split("/")[:-1]) or "all" for path in own]
    known = {"organisation": names, "department_id": own, "parent_id": parents}
    return {name: pd.Series(values, index=paths.index, dtype=object) for name, values in known.items()}


def _regrouped(warehouse: Path, *, is_below: bool) -> dict[str, pd.DataFrame]:
    """Earlier waves in a later tree, by organisation; the path of a row is told by those above it."""
    rows = read(warehouse, "from mart.regrouped order by release_id, compared_release_id, level")
    paths: dict[tuple[str, str, str], str] = {}
    for release_id, earlier, own, parent, name in rows[
        ["release_id", "compared_release_id", "department_id", "parent_id", "department"]
    ].itertuples(index=False):
        above = paths[release_id, earlier, parent] if isinstance(parent, str) else None
        paths[release_id, earlier, own] = "" if above is None else f"{above}/{name}".strip("/")
    rows = rows.assign(**_placed(pd.Series(list(paths.values()), dtype=object), rows["survey"], is_below=is_below))
    return {str(name): own for name, own in rows.dropna(subset="organisation").groupby("organisation")}


def _today(
    unit: Unit, regrouped: pd.DataFrame | None, revisions: Mapping[str, int], moves: Mapping[str, str]
) -> Iterator[Today]:
    """The unit's revisions in later trees: whoever knows which departments moved knows what hangs together there."""
    if regrouped is None:
        return
    cells = sorted({cell for one in unit.released for cell in one.metrics["department_id"]})
    now = {cell: place("" if cell == "all" else cell, moves) for cell in cells}
    regrouped = regrouped[regrouped["compared_release_id"].isin(revisions.keys())]
    for (_, earlier), own in regrouped.groupby(["release_id", "compared_release_id"], sort=False):
        revision = revisions[str(earlier)]
        below = {row: frozenset(c for c in cells if _hangs(now[c], row)) for row in own["department_id"]}
        shown = own[own["status"] == "published"]
        counts = zip(shown["department_id"], *(shown[name].astype(int) for name in CLASSES), strict=True)
        rows = [Residual(revision, below[row], (int(p), int(q), int(d))) for row, p, q, d in counts if below[row]]
        hidden = {row: below[row] for row in own.loc[own["status"] != "published", "department_id"]}
        yield Today(revision, rows, hidden)


def _hangs(path: str, above: str) -> bool:
    return above in ("all", path) or path.startswith(f"{above}/")
