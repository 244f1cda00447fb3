"""The outsider who replays a publication: which of all integer solutions give the very figures that are printed?

He deals a region's people over its cells in every way, asks whether the search for the pattern could have ended where
it did, under any noise at all, and publishes what is left again: what then prints another figure is ruled out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tests.attack.country import Wave, published
from tests.attack.organisations import KINDS, Answer, Organisation
from tests.attack.outsider import Counts, Outsider
from tests.attack.units import Released, Unit
from transforms.change import change
from transforms.comparisons import comparisons
from transforms.pattern import Node, hidden, is_sensitive
from transforms.trends import trends

Solution = Mapping[str, Counts]
Tables = Callable[[Released, Released | None, int], Sequence[pd.DataFrame]]


@dataclass(frozen=True)
class Printed:
    """All that is printed of a wave's first release."""

    frames: Sequence[pd.DataFrame]

    def is_as(self, other: "Printed") -> bool:
        return all(one.equals(two) for one, two in zip(self.frames, other.frames, strict=True))


def tables(now: Released, before: Released | None, k: int) -> Sequence[pd.DataFrame]:
    """The metrics with their changes, the comparisons, and the trends."""
    previous = now.metrics.head(0) if before is None else before.metrics
    moved = change(now.metrics, previous, previous_release_id="earlier")
    series = [("2026-10", now.metrics)] if before is None else [("2026-09", previous), ("2026-10", now.metrics)]
    return moved, comparisons(now.metrics, min_respondents=k), trends(series)


def tables_over_all_rows(now: Released, before: Released | None, k: int) -> Sequence[pd.DataFrame]:
    """The same by a careless hand: p values are adjusted over hidden departments too, which are left out afterwards."""
    is_hidden = now.metrics["status"] != "published"
    previous = _with_hidden(before) if before else now.metrics.head(0)
    moved = change(_with_hidden(now), previous, previous_release_id="earlier")
    figures = moved.columns[list(moved.columns).index("status") + 1 :]
    moved.loc[is_hidden, figures] = None
    return moved.assign(status=now.metrics["status"]), *tables(now, before, k)[1:]


def _with_hidden(released: Released) -> pd.DataFrame:
    counts = released.tallies
    n = counts["responses"].astype("Float64")
    filled = {name: counts[name].astype("Float64") for name in ("responses", "promoters", "passives", "detractors")}
    nps = (100 * (filled["promoters"] - filled["detractors"]) / n.mask(n == 0)).round(10)
    return released.metrics.assign(**filled, nps=nps, status="published")


def survivors(unit: Unit, candidates: Iterator[Solution], k: int, *, is_noisy: bool = True) -> list[Solution]:
    """The solutions under which the search for the least-loss pattern can end in the one that is printed."""
    metrics = unit.released[0].metrics
    hides = set(metrics.loc[metrics["status"] != "published", "department_id"])
    places = {path: place for place, path in enumerate(metrics["department_id"])}
    parents = [-1 if parent is None else places[parent] for parent in metrics["parent_id"]]
    return [one for one in candidates if _can_end_in(one, hides, list(places), parents, k=k, is_noisy=is_noisy)]


def _can_end_in(
    solution: Solution, hides: set[str], paths: Sequence[str], parents: Sequence[int], *, k: int, is_noisy: bool
) -> bool:
    """Weights are n × 2^u, u in [-1, 1]: a pattern can be best if it is with its own rows as cheap as can be."""
    counts = [list(solution[path]) for path in paths]
    for place in range(len(paths) - 1, 0, -1):
        counts[parents[place]] = [a + b for a, b in zip(counts[parents[place]], counts[place], strict=True)]
    nodes = [
        Node(path, parent, (one[0], one[1], one[2]), sum(one), sum(one) * (4 if is_noisy and path not in hides else 1))
        for path, parent, one in zip(paths, parents, counts, strict=True)
    ]
    best = {node.name for node, is_hidden in zip(nodes, hidden(nodes, k), strict=True) if is_hidden}
    return _loss(nodes, best, k) == _loss(nodes, hides, k)


def _loss(nodes: Sequence[Node], hides: set[str], k: int) -> int:
    return sum(n.weight for n in nodes if n.name in hides and not is_sensitive(n.classes, k, answers=n.answers))


def published_again(
    unit: Wave, before: Wave | None, candidates: Sequence[Solution], k: int, *, tables: Tables = tables
) -> list[bool]:
    """For each solution whether it prints what was printed: its people dealt over the cells, and published anew."""
    outsider, pattern = Outsider([unit.released[0].metrics]), unit.pattern.set_index("department_id")["status"]
    paths = [cell for cell in outsider.cells if cell != "all"]
    dealt = [Organisation([[_dealt(unit.released[0].counted, outsider, one)]], paths) for one in candidates]
    status = dict(zip(unit.released[0].metrics["department_id"], pattern, strict=True))

    def as_printed(_: pd.DataFrame, departments: pd.DataFrame, **__: object) -> pd.DataFrame:
        known = [status[name] for name in departments["name"]]
        return departments[["department_id"]].assign(status=known, region="")

    again = published(dealt, k=k, protect=as_printed)
    earlier = before.released[-1] if before else None
    printed = Printed(tables(unit.released[0], earlier, k))
    return [printed.is_as(Printed(tables(again[place][0].released[0], earlier, k))) for place in range(len(dealt))]


def _dealt(answers: Sequence[Answer], outsider: Outsider, solution: Solution) -> list[Answer]:
    """The same people, dealt over the cells of their region as the solution says."""
    found = []
    for region in outsider.residuals:
        cells = [cell for cell in outsider.cells if cell in region.cells]
        for place, kind in enumerate(KINDS):
            people = [one for one in answers if (one.cell or "all") in region.cells and one.kind == kind]
            where = [cell for cell in cells for _ in range(solution[cell][place])]
            found += [replace(one, cell="" if c == "all" else c) for one, c in zip(people, where, strict=True)]
    return sorted(found, key=lambda one: one.number)
