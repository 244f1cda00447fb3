"""Homes that are less careful, each in one thing: what the attack must find."""

import pandas as pd

from flows.preparing import comparing, figures, steps
from flows.preparing.comparing import Compared
from flows.preparing.counting import released_sql, wave_departments
from flows.preparing.examination import Examination
from flows.preparing.seal import Sealed, read_table
from flows.run import Run
from tests.attack.holding import Manner, by_organisation
from transforms.departments import SEPARATOR, path_of
from transforms.moves import placed
from transforms.protect import protect
from warehouse.store import Store

FIRST, REVISED, REORGANISED = ((0, 0),), ((0, 0), (0, 1)), ((0, 0), (1, 0))
CLASSES = ("promoters", "passives", "detractors")


def primary_only(tallies: pd.DataFrame, departments: pd.DataFrame, **settings: object) -> pd.DataFrame:
    """Only what is small by itself is hidden: who subtracts has it."""
    pattern = protect(tallies, departments, **settings)  # type: ignore[arg-type]
    counts = tallies.set_index("department_id").reindex(pattern["department_id"])["responses"]
    is_small = counts.between(1, int(str(settings["min_respondents"])) - 1).to_numpy()
    return pattern.assign(status=["suppressed" if small else "published" for small in is_small])


def cell_by_cell(store: Store, run: Run, examination: Examination) -> pd.DataFrame:
    """A department's row is made anew once enough came into it, whatever those below it do."""
    metrics = figures.compute(store, run, examination)
    if examination.released is None:
        return metrics
    before = read_table(run.home.releases / examination.released.release_id, "promoter_metrics")
    before = before.set_index("department_id").reindex(metrics["department_id"]).reset_index()
    came = (metrics["responses"] - before["responses"]).abs()
    is_new = ~came.between(1, run.survey(examination.survey).min_respondents - 1)
    renewed = {name: metrics[name].where(is_new, before[name]) for name in metrics.columns.intersection(before.columns)}
    return metrics.assign(**renewed)


def recounted(
    store: Store,
    run: Run,
    examination: Examination,
    metrics: pd.DataFrame,
    tree: pd.DataFrame,
    previous: Sealed | None,
    earlier: list[Sealed],
) -> Compared:
    """The answers of an earlier wave are counted again in today's tree, and protected in it alone."""
    made = comparing.compare(store, run, examination, metrics, tree=tree, previous=previous, earlier=earlier)
    rows = [
        _recounted(store, run, examination, own, made) for _, own in made.tables["regrouped"].groupby("compared_wave")
    ]
    return Compared(
        made.metrics,
        {**made.tables, "regrouped": pd.concat([made.tables["regrouped"].head(0), *rows])} if rows else made.tables,
        made.history,
        made.moves,
    )


def _recounted(store: Store, run: Run, examination: Examination, rows: pd.DataFrame, made: Compared) -> pd.DataFrame:
    was, release_id = rows["compared_wave"].iloc[0], rows["compared_release_id"].iloc[0]
    counted = released_sql(store, release_id, wave=was)
    kind = "case when score >= 9 then 'promoters' when score >= 7 then 'passives' else 'detractors' end"
    answers = store.frame(f"select department_key as key, {kind} as kind from ({counted})")
    now = placed(sorted(set(answers["key"])), made.moves, since=was, until=examination.wave)
    tree = wave_departments(run, sorted({*now.values(), *_keys(store)}), wave=examination.wave)
    tree = tree[tree["department_id"].isin(rows["department_id"])]
    counts = pd.DataFrame(0, index=tree["department_key"], columns=list(CLASSES))
    for key, what in answers.itertuples(index=False):
        path = path_of(now[key])
        for depth in range(len(path) + 1):
            counts.loc[SEPARATOR.join(path[:depth]), what] += 1
    counts = counts.reset_index(drop=True).assign(
        department_id=tree["department_id"].to_numpy(), responses=counts.sum(axis="columns").to_numpy()
    )
    people = counts.rename(columns={name: f"respondent_{name}" for name in CLASSES})
    settings = {
        "min_respondents": run.survey(examination.survey).min_respondents,
        "noise": run.home.secret(),
        "wave": was,
    }
    pattern = by_organisation(people, tree, protect, settings)
    told = counts.merge(pattern, on="department_id").set_index("department_id").reindex(rows["department_id"])
    is_shown = (told["status"] == "published").to_numpy()
    return rows.assign(
        status=told["status"].to_numpy(),
        **{name: told[name].where(is_shown).to_numpy() for name in ("responses", *CLASSES)},
        **{name: rows[name].where(is_shown) for name in ("nps", "nps_low", "nps_high")},
    )


def _keys(store: Store) -> list[str]:
    return [key for (key,) in store.rows("select department_key from departments")]


MANNERS = {
    "no complementary suppression": Manner(protect=primary_only, order=FIRST),
    "a new pattern with each revision": Manner(is_frozen=False, order=REVISED),
    "each department is revised by itself": Manner(material=True, steps={steps.compute: cell_by_cell}, order=REVISED),
    "earlier waves are counted again in today's tree": Manner(steps={steps.compare: recounted}, order=REORGANISED),
}
LOOKED_AT_ONE = Manner(order=((0, 0), (0, 1), (0, 2)))
