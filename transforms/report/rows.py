"""One row of a table of departments, in words and in its place on the common scale."""

from dataclasses import dataclass

from transforms.report.edition import Metric
from transforms.report.figures import Scale
from transforms.report.tree import Node
from transforms.report.views import Strip, strip
from transforms.report.words import Words

DEEPEST = 6  # deeper levels are indented no further


@dataclass(frozen=True)
class DepartmentRow:
    """A department in the tree."""

    name: str
    href: str | None
    indent: int
    is_here: bool
    is_published: bool
    answers: str = ""
    answers_unit: str = ""
    nps: str | None = None
    between: str = ""
    range: str = ""
    strip: Strip | None = None


def department_row(
    words: Words, node: Node, metric: Metric, *, scale: Scale, href: str | None, is_here: bool, top: int = 0
) -> DepartmentRow:
    """A row of the tree, indented from level `top`; one that cannot be shown carries its name alone."""
    indent = min(node.level - top, DEEPEST)
    if not metric.is_published or metric.nps is None:
        answers = words.number(metric.responses) if metric.responses else ""
        return DepartmentRow(node.name, href, indent, is_here, metric.is_published, answers)
    assert metric.responses is not None and metric.nps_low is not None and metric.nps_high is not None
    return DepartmentRow(
        name=node.name,
        href=href,
        indent=indent,
        is_here=is_here,
        is_published=True,
        answers=words.number(metric.responses),
        answers_unit=words.count("answer", "answers", metric.responses),
        nps=words.points(metric.nps),
        between=words.between(metric.nps_low, metric.nps_high),
        range=words.to(metric.nps_low, metric.nps_high),
        strip=strip(scale, metric.nps, metric.nps_low, metric.nps_high),
    )


@dataclass(frozen=True)
class MovedRow:
    """A department that rose or fell beyond chance."""

    name: str
    href: str | None
    is_here: bool
    was: str
    nps: str
    change: str
    between: str
    range: str
    was_strip: Strip | None
    strip: Strip | None


def moved_row(
    words: Words, node: Node, metric: Metric, before: Metric | None, *, scale: Scale, href: str | None, is_here: bool
) -> MovedRow:
    """A row of rises or falls: then, now, and the change with its interval.

    Then is what the change was measured against: where that wave was revised since, not what it says by now.
    """
    assert metric.nps is not None and metric.nps_change is not None
    assert metric.nps_change_low is not None and metric.nps_change_high is not None
    then = round(metric.nps - metric.nps_change, 8)
    is_same = before is not None and before.nps is not None and abs(before.nps - then) < 1e-6
    return MovedRow(
        name=node.name,
        href=href,
        is_here=is_here,
        was=words.points(then),
        nps=words.points(metric.nps),
        change=words.signed(metric.nps_change),
        between=words.between(metric.nps_change_low, metric.nps_change_high),
        range=words.to(metric.nps_change_low, metric.nps_change_high),
        was_strip=strip(scale, before.nps, before.nps_low, before.nps_high) if before is not None and is_same else None,
        strip=strip(scale, metric.nps, metric.nps_low, metric.nps_high),
    )
