"""What an answer weighs, and what drives the score: passes of their own over single responses, where mapped."""

from collections.abc import Mapping

import pandas as pd

from flows.errors import ConfigurationError
from flows.preparing.carried import carried
from flows.preparing.counting import released_sql
from flows.preparing.examination import Examination
from flows.run import Run, in_languages
from flows.settings import Survey
from transforms import TransformError
from transforms.drivers import MOST, drivers, rated
from transforms.ratings import rating_sample, rating_sums, ratings
from transforms.weight_groups import tellable, weight_groups_sql
from transforms.weights import blunt, cells_sql, counted_sql, level_of, weights
from warehouse.ledger import Ledger
from warehouse.store import Store


def weigh(store: Store, run: Run, examination: Examination) -> None:
    """Give the answers of the view `counted` the weights of the configured margins; without any, nothing is done.

    One pass groups the answers into cells, and whoever reads `counted` joins them with their cells' weights.
    """
    settings = run.survey(examination.survey)
    if settings.weighting is None:
        return
    margins, segments = settings.weighting.margins, list(settings.roles.segments)
    has_design = settings.roles.weight is not None
    cells = store.frame(cells_sql(list(margins), segments), {"has_design": has_design})
    try:
        weighed = weights(cells, margins, min_respondents=settings.min_respondents)
    except TransformError as error:
        what = f"{examination.survey} {examination.wave} cannot be weighted"
        raise ConfigurationError(
            f"{what}: {error}. Mend [surveys.{examination.survey}.weighting] in {run.settings.file}", public=what
        ) from None
    store.register("weighed", weighed)
    store.run(
        "create or replace temporary table cell_weights as"
        " select * replace (weight::decimal(18, 10) as weight) from weighed"
    )
    store.run("drop view if exists as_answered")
    store.run("alter view counted rename to as_answered")
    store.run(f"create temporary view counted as {counted_sql(list(margins), segments, has_design=has_design)}")


def blunted(store: Store, run: Run, examination: Examination, metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics with weighted figures that tell of no small group, whatever others know of margins and weights.

    Where answers came with their weights and nothing is known of how these were made, the whole's stay exact.
    """
    settings = run.survey(examination.survey)
    if settings.weighting is None:
        return blunt(metrics, but=() if settings.roles.is_sampled else metrics["department_id"][:1].to_list())
    margins, segments = list(settings.weighting.margins), list(settings.roles.segments)
    levels = [level for margin in margins if (level := level_of(margin, segments)) is not None]
    return blunt(metrics, levels=levels, tellable=_tellable(store, run, examination, metrics))


def _tellable(store: Store, run: Run, examination: Examination, metrics: pd.DataFrame) -> set[str] | None:
    """The departments whose weighted figures tell of no small group, now and beside those of every earlier release."""
    settings = run.survey(examination.survey)
    assert settings.weighting is not None
    margins, segments = list(settings.weighting.margins), list(settings.roles.segments)
    if all(level_of(margin, segments) is not None for margin in margins):
        return None
    with Ledger.open(run.home.ledger) as ledger:
        out = [one for one in ledger.releases(examination.survey, examination.wave) if one.is_out]
    counted = [released_sql(store, one.release_id, wave=examination.wave) for one in out]
    has_design = {"has_design": settings.roles.weight is not None}
    now, *before = (
        store.frame(weight_groups_sql(responses, margins, segments), has_design)
        for responses in ("from counted", *counted)
    )
    return tellable(now, before, metrics, least=settings.min_respondents)


def value(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
    """The table `drivers`: what the ratings tell of the score, per published department with enough of them.

    A revision carries it from the wave's first release.
    """
    settings, labels = run.survey(examination.survey), driver_labels(run, examination.survey)
    if examination.first_release_id is not None:
        return _named(carried(run, examination.first_release_id, "drivers"), tree, labels)
    roles, scales = settings.roles, driver_scales(settings)
    names, seed = list(roles.drivers), f"{examination.survey}|{examination.wave}"
    if not names:
        none = pd.DataFrame(columns=["department_id"])
        return _named(drivers(none, none, scales, seed=seed), tree, labels)
    asked = {"acted_is_asked": roles.acted_count is not None, "copied_is_asked": roles.copied is not None}
    told_min = settings.superpromoters.told_min
    store.run(f"create or replace temporary table ratings as {ratings(names)}", {"told_min": told_min, **asked})
    sums = rated(store.frame(rating_sums(names)), tree, drivers=len(names), min_respondents=settings.min_respondents)
    store.register("rated_departments", sums[["department_id"]])
    made = drivers(sums, store.frame(rating_sample(names), {"most": MOST}), scales, seed=seed)
    store.run("drop table ratings")
    return _named(made, tree, labels)


def driver_labels(run: Run, survey: str) -> dict[str, dict[str, str]]:
    """What readers call each driver, per language of the organisation; by default its key, in words."""
    languages = run.settings.organisation.languages
    return {
        name: in_languages(role.label or name.replace("_", " "), languages)
        for name, role in run.survey(survey).roles.drivers.items()
    }


def driver_scales(settings: Survey) -> dict[str, tuple[int, int] | None]:
    """The declared ends of each driver's scale."""
    return {name: role.scale for name, role in settings.roles.drivers.items()}


def _named(made: pd.DataFrame, tree: pd.DataFrame, labels: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The rows with the department's name and the driver's, in the organisation's first language.

    A driver that is mapped no longer keeps the name that it had.
    """
    names = dict(zip(tree["department_id"], tree["name"], strict=True))
    first = {name: next(iter(label.values())) for name, label in labels.items()}
    had = made["label"] if "label" in made else made["driver"]
    return made.assign(
        department=[names[department] for department in made["department_id"]],
        label=[first.get(driver, label) for driver, label in zip(made["driver"], had, strict=True)],
    )
