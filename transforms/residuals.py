"""Which departments may show a figure that only some of their answers go into, so that subtraction tells of no few."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd


def shown(sizes: Mapping[str, int], tree: pd.DataFrame, *, is_enough: Callable[[str, Sequence[str]], bool]) -> set[str]:
    """Of the departments with `sizes`, those with enough, also of what is left after those shown right below them.

    `is_enough` is asked of a department less parts of it, at first less none. Where too little is left after them, the
    smallest of the parts are not shown, nor is what is below those, until enough is left.
    """
    found: set[str] = set()
    below: dict[str, list[str]] = {}  # department: the topmost shown under it
    for row in tree.iloc[::-1].itertuples():
        name, parts = str(row.department_id), below.pop(str(row.department_id), [])
        if name in sizes and is_enough(name, ()):
            while parts and not is_enough(name, parts):
                smallest = min(parts, key=lambda part: (sizes[part], part))
                parts.remove(smallest)
                found -= _under(smallest, tree)
            found.add(name)
            parts = [name]
        if isinstance(row.parent_id, str):
            below.setdefault(row.parent_id, []).extend(parts)
    return found


def _under(name: str, tree: pd.DataFrame) -> set[str]:
    """The department and all below it."""
    under = {name}
    for row in tree.itertuples():
        if row.parent_id in under:
            under.add(str(row.department_id))
    return under
