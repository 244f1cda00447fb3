"""Holds what an outsider worked out against the truth: which small group he has bounded, and whose class he knows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd

from tests.attack.outsider import CLASSES, Bounds, Column, Counts, Life, Outsider
from tests.attack.units import Released, Today, Unit

Group = tuple[str, frozenset[Column], Counts]  # what it is, its columns, how many there are of each class
ORDER = ("promoter", "passive", "detractor")


@dataclass(frozen=True)
class Finding:
    """A group that was given away."""

    unit: str
    group: str
    truth: Counts
    bounds: Bounds
    says: str


def findings(unit: Unit, k: int) -> list[Finding]:
    """What linear programmes over all revisions of a wave give away of it, and over each of them in a later tree."""
    outsider = Outsider([one.metrics for one in unit.released], [row for one in unit.today for row in one.rows])
    groups = list(_groups(outsider, unit.released, unit.today))
    found = []
    for (name, columns, truth), bounds in zip(
        groups, outsider.bounds([columns for _, columns, _ in groups]), strict=True
    ):
        low = max(bounds[3][0], sum(least for least, _ in bounds[:3]))
        high = min(bounds[3][1], sum(most for _, most in bounds[:3]))
        assert low <= sum(truth) <= high
        if sum(truth) < k and high - low < k:
            found.append(Finding(unit.name, name, truth, bounds, f"between {low} and {high}"))
        elif sum(most > 0 for _, most in bounds[:3]) < 2 and not _is_said(outsider, columns):
            found.append(Finding(unit.name, name, truth, bounds, "of one class"))
    return found


def few_by_subtraction(unit: Unit, k: int) -> list[str]:
    """The published rows that, less the published ones below them, leave a few: by sums alone, in any revision."""
    residuals = Outsider([one.metrics for one in unit.released]).residuals
    return [
        f"{sorted(row.cells)} in revision {row.revision}: {row.counts}"
        for row in residuals
        if 0 < sum(row.counts) < k or min(row.counts) < 0
    ]


def _groups(outsider: Outsider, released: Sequence[Released], today: Sequence[Today]) -> Iterator[Group]:
    """Every hidden group with people in it: cells and lives, hidden departments, who came, left or stayed."""
    people = _lives(released)
    named: dict[frozenset[Column], str] = {frozenset([column]): f"{column[0]} {column[1]}" for column in people}
    for revision, shown in enumerate(outsider.shown):
        for row in set(outsider.cells) - set(shown):
            named.setdefault(_columns(outsider.below(row), outsider.lives, revision), f"{row} in revision {revision}")
    for one in today:
        for row, cells in one.hidden.items():
            in_revision = f"{row} of today in revision {one.revision}"
            named.setdefault(_columns(cells, outsider.lives, one.revision), in_revision)
    for region in {row.cells for row in outsider.residuals}:
        for what, lives in _spans(outsider.lives, len(outsider.shown)):
            named.setdefault(frozenset(product(region, lives)), f"{what} in {sorted(region)}")
    known = {_columns(row.cells, outsider.lives, row.revision) for row in outsider.residuals}
    for columns, name in sorted(named.items(), key=lambda item: item[1]):
        truth = Counter[str]()
        for column in columns & people.keys():
            truth += people[column]
        if truth and columns not in known:
            yield name, columns, (truth["promoter"], truth["passive"], truth["detractor"])


def _columns(cells: Iterable[str], lives: Sequence[Life], revision: int) -> frozenset[Column]:
    return frozenset((cell, life) for cell in cells for life in lives if _is_in(revision, life))


def _spans(lives: Sequence[Life], revisions: int) -> Iterator[tuple[str, list[Life]]]:
    for life in lives:
        yield f"those of {life}", [life]
    for first in range(revisions):
        for last in range(first + 1, revisions):
            yield f"stayed {first}-{last}", [life for life in lives if life[0] <= first and life[1] >= last]
            yield f"came {first}-{last}", [life for life in lives if first < life[0] <= last <= life[1]]
            yield f"left {first}-{last}", [life for life in lives if life[0] <= first <= life[1] < last]


def _lives(released: Sequence[Released]) -> Mapping[Column, Counter[str]]:
    """How many people of each class live in each cell from which revision to which; who comes back is somebody else."""
    there: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for revision, one in enumerate(released):
        for answer in one.counted:
            there[answer.key, answer.cell or "all", answer.kind].append(revision)
    people: dict[Column, Counter[str]] = defaultdict(Counter)
    for (_, cell, kind), revisions in there.items():
        start = revisions[0]
        for now, after in zip(revisions, [*revisions[1:], None], strict=True):
            if after != now + 1:
                people[cell, (start, now)][kind] += 1
                start = after if after is not None else start
    return people


def _is_in(revision: int, life: Life) -> bool:
    return life[0] <= revision <= life[1]


def _is_said(outsider: Outsider, columns: frozenset[Column]) -> bool:
    """Whether all of them stood in published rows of nobody, or of many of one class, which say so by themselves."""
    one_class = [row for row in outsider.residuals if sum(count > 0 for count in row.counts) < 2]
    return all(any(cell in row.cells and _is_in(row.revision, life) for row in one_class) for cell, life in columns)


def counts_of(metrics: pd.DataFrame) -> dict[str, Counts]:
    """The counts of every row, by path."""
    columns = [metrics[f"respondent_{name}"].astype(int).tolist() for name in CLASSES]
    return dict(zip(metrics["department_id"], zip(*columns, strict=True), strict=True))
