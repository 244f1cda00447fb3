"""What a release's pages share in all languages: figures by department, one scale, and the pictures over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transforms import TransformError
from transforms.report.beside import Beside, beside
from transforms.report.edition import Edition, Metric, metrics_of
from transforms.report.figures import Scale, scale, share_scale
from transforms.report.over_time import drawings
from transforms.report.trend import Drawing


@dataclass(frozen=True)
class Scene:
    """One release, looked up by department."""

    edition: Edition
    root_id: str
    metrics: Mapping[str, Metric]
    over_time: Mapping[
        str, Sequence[Metric]
    ]  # oldest wave first, this one last; a wave without the department is absent
    previous_wave: str | None  # None in the first wave
    scale: Scale
    drawings: Mapping[tuple[str, str], Drawing]
    beside: Beside
    driver_scale: Scale


def scene(edition: Edition) -> Scene:
    """The scene of an edition; the frames metrics and departments must name the same departments."""
    now, before = metrics_of(edition.metrics), metrics_of(edition.history)
    metrics = {metric.department_id: metric for metric in now}
    roots = [metric.department_id for metric in now if metric.parent_id is None]
    missing = sorted(set(metrics) ^ set(edition.departments["department_id"]))
    if missing or len(roots) != 1:
        raise TransformError(
            f"metrics and departments name different departments ({len(missing)} of them, first {missing[:1]}) "
            f"or not exactly one organisation ({len(roots)}); make both from the same tree"
        )
    over_time: dict[str, list[Metric]] = {department_id: [] for department_id in metrics}
    for metric in (*before, *now):
        over_time.get(metric.department_id, []).append(metric)
    told = beside(edition.tables)
    rated = [row for rows in told.drivers.values() for row in rows]
    waves = [metric.wave for metric in before]
    named = [metric.previous_wave for metric in now if metric.previous_wave]
    return Scene(
        edition=edition,
        root_id=roots[0],
        metrics=metrics,
        over_time=over_time,
        previous_wave=named[0] if named else waves[-1] if waves else None,
        scale=scale([*before, *now]),
        drawings=drawings(over_time, told.trends, is_asked=edition.superpromoters_asked),
        beside=told,
        driver_scale=share_scale(
            [row.importance if row.importance_high is None else row.importance_high for row in rated]
        ),
    )
