"""Which departments may show a figure that only some of their answers go into, so that subtraction tells of no few."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def shown(
    counts: Mapping[str, Counts],
    tree: pd.DataFrame,
    *,
    sizes: Mapping[str, int],
    is_enough: Callable[[Counts, bool], bool],
) -> set[str]:
    """Of the departments with `sizes`, those with enough, also of what is left after those shown right below them.

    `is_enough` is asked of a department's counts, and, with true, of what is left of them. Where too little is left,
    the smallest of those below are not shown, nor is what is below these, until enough is.
    """
    found, given_up = set[str](), set[str]()
    below: dict[str, list[str]] = {}  # department: the topmost shown under it
    nodes = list(zip(tree["department_id"], tree["parent_id"], strict=True))
    for name, parent in reversed(nodes):
        parts = below.pop(name, [])
        if name in sizes and is_enough(counts[name], False):
            given_up |= _given_up(counts, name, sorted(parts, key=lambda part: (sizes[part], part)), is_enough)
            found.add(name)
            parts = [name]
        if isinstance(parent, str):
            below.setdefault(parent, []).extend(parts)
    for name, parent in nodes:
        if parent in given_up:
            given_up.add(name)
    return found - given_up


def _given_up(
    counts: Mapping[str, Counts], name: str, parts: list[str], is_enough: Callable[[Counts, bool], bool]
) -> set[str]:
    """So many of the parts, smallest first, that enough is left of the department without the others."""
    left = counts[name].copy()
    for part in parts:
        left -= counts[part]
    gone = set[str]()
    for part in parts:
        if is_enough(left, True):
            break
        left += counts[part]
        gone.add(part)
    return gone
