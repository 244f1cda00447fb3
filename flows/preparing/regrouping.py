"""Earlier waves in today's tree: what their releases showed, added up again where departments moved since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from flows.preparing.counting import released_sql, wave_departments
from flows.preparing.examination import Examination
from flows.preparing.seal import Sealed, read_manifest, read_table
from flows.run import Run
from transforms import TransformError
from transforms.departments import SEPARATOR, path_of
from transforms.moves import Move, placed, reshaped
from transforms.reorganisations import in_todays_tree, regrouped
from warehouse.store import Store

COLUMNS = (
    *("department_id", "department", "parent_id", "level", "compared_wave", "compared_release_id", "status"),
    *("responses", "promoters", "passives", "detractors", "nps", "nps_low", "nps_high"),
)


@dataclass(frozen=True)
class Earlier:
    """An earlier release as this wave is held against it."""

    sealed: Sealed
    metrics: pd.DataFrame  # as released; of departments that have other answers today, as they are added up again
    regrouped: pd.DataFrame | None = None  # all of it in today's tree; None where nothing moved since
    placed: Mapping[str, str] = field(default_factory=dict)  # where its answers hang today, by department key


def as_of_today(
    store: Store, run: Run, examination: Examination, tree: pd.DataFrame, *, sealed: Sealed, moves: Sequence[Move]
) -> Earlier:
    """The release in today's tree, made of what it published and of nothing else."""
    metrics = read_table(sealed.folder, "promoter_metrics")
    now = placed(_keys(store, sealed) if moves else (), moves, since=sealed.wave, until=examination.wave)
    others = reshaped(now)
    if not others:
        return Earlier(sealed, in_todays_tree(metrics, None, reshaped=others))
    settings = run.survey(examination.survey)
    today = wave_departments(run, sorted({*tree["department_key"], *now.values()}), wave=examination.wave)
    try:
        rows = regrouped(
            metrics,
            today,
            keys=now,
            moves={path_of(key): path_of(place) for key, place in now.items()},
            min_respondents=max(settings.min_respondents, read_manifest(sealed.folder)["min_respondents"]),
            noise=run.home.secret(),
            wave=f"{examination.survey} {sealed.wave}",
        )
    except TransformError:  # it was released when fewer respondents were enough: as a whole it has too few today
        return Earlier(sealed, in_todays_tree(metrics, None, reshaped=others))
    rows = rows.assign(compared_wave=sealed.wave, compared_release_id=sealed.release_id)[list(COLUMNS)]
    return Earlier(sealed, in_todays_tree(metrics, rows, reshaped=others), rows, now)


def regroupings(earlier: Sequence[Earlier]) -> pd.DataFrame:
    """The table `regrouped`: every earlier release that departments moved since, in today's tree."""
    frames = [one.regrouped for one in earlier if one.regrouped is not None]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def view_moved(store: Store, name: str, placed: Mapping[str, str]) -> None:
    """Put the departments of a view of responses where their answers hang today."""
    places = pd.DataFrame(placed.items(), columns=["department_key", "key_today"])
    store.register("places", places)
    store.run("drop view if exists as_it_was")
    store.run(f"alter view {name} rename to as_it_was")
    key = "coalesce(key_today, department_key) as department_key"
    moved = f"select * exclude (key_today) replace ({key}) from as_it_was left join places using (department_key)"
    store.run(f"create temporary view {name} as {moved}")


def _keys(store: Store, sealed: Sealed) -> set[str]:
    """What answers of a release hang on: its lowest departments, and those above that have answers of their own.

    Of a release that this warehouse does not know, every department may have some: that bars more, and tells nothing.
    """
    nodes = read_table(sealed.folder, "departments")
    keys = dict(zip(nodes["department_id"], map(SEPARATOR.join, nodes["path"]), strict=True))
    above = set(nodes["parent_id"])
    lowest = {key for name, key in keys.items() if name not in above}
    counted = released_sql(store, sealed.release_id, wave=sealed.wave)
    found = {key for (key,) in store.rows(f"select distinct department_key from ({counted})")}
    return lowest | (found & {*keys.values()}) if found else {*keys.values()}
