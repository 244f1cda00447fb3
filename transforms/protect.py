"""Disclosure control of one wave: which departments are shown, and to whose region hidden answers belong."""

import hashlib
import hmac
from collections.abc import Collection

import pandas as pd

from transforms import TransformError
from transforms.pattern import Node, hidden

_CLASSES = ["respondent_promoters", "respondent_passives", "respondent_detractors"]
_FINE = 1 << 20  # weights are whole numbers of this part: sums of whole numbers do not depend on their order


def protect(
    tallies: pd.DataFrame, departments: pd.DataFrame, *, min_respondents: int, noise: bytes, wave: str
) -> pd.DataFrame:
    """One row per department: whether it is shown, and the region that its own answers belong to.

    The pattern of least loss that hides every group under `min_respondents`, or of one class and under twice that,
    alone and by subtraction. Losses are respondents × 2^u, u in [-1, 1] from `noise`, `wave` and the department, so
    that replaying the search tells nothing; `b""` leaves them as they are. Departments without tallies count as empty.
    Raises TransformError where not even the whole can be shown.
    """
    order, parents = _tree(departments)
    counts = _counts(tallies, departments)
    nodes = [
        Node(
            name=department,
            parent=parents[department],
            classes=(row := counts.get(department, (0, 0, 0, 0)))[:3],
            answers=row[3],
            weight=weight(sum(row[:3]), noise, wave=wave, department=department),
        )
        for department in order
    ]
    shown = dict(zip(order, (not is_hidden for is_hidden in hidden(nodes, min_respondents)), strict=True))
    return _pattern(departments, order, is_shown=shown, parents=parents)


def freeze(pattern: pd.DataFrame, departments: pd.DataFrame) -> pd.DataFrame:
    """One row per department of today's tree under an earlier release's pattern, which stays as it was.

    A department that is new since is hidden, in the region of the one above it. `departments` must still hold every
    department that answers hang on, also one that today's files no longer name: its answers may be waiting to leave.
    """
    order, parents = _tree(departments)
    was_shown = dict(zip(pattern["department_id"], pattern["status"] == "published", strict=True))
    if not was_shown.get(order[0], False):
        raise TransformError(
            f"the earlier pattern does not show '{order[0]}', the root of the tree: it is of another survey or wave"
        )
    shown = {department: bool(was_shown.get(department, False)) for department in order}
    return _pattern(departments, order, is_shown=shown, parents=parents)


def without(departments: pd.DataFrame, barred: Collection[str]) -> pd.DataFrame:
    """The tree that is left without some departments: what hangs on one of these, hangs on the department above it."""
    parents = dict(zip(departments["department_id"], departments["parent_id"], strict=True))
    remains = [name for name in departments["department_id"] if name not in barred]
    above: list[str | None] = []
    for name in remains:
        parent = parents[name]
        while parent in barred:
            parent = parents[parent]
        above.append(parent if isinstance(parent, str) else None)
    return pd.DataFrame({"department_id": remains, "parent_id": pd.Series(above, dtype=object)})


def _tree(departments: pd.DataFrame) -> tuple[list[str], dict[str, int]]:
    """The departments with parents before children, siblings by id, and the place of each one's parent (-1: none)."""
    below: dict[str | None, list[str]] = {}
    for department, parent in zip(departments["department_id"], departments["parent_id"], strict=True):
        below.setdefault(parent if isinstance(parent, str) else None, []).append(department)
    order = sorted(below.get(None, []))
    place = dict.fromkeys(order, -1)
    for index, department in enumerate(order):  # grows while it is read: breadth first
        children = sorted(below.get(department, []))
        place |= dict.fromkeys(children, index)
        order += children
    if len(below.get(None, [])) != 1 or len(order) != len(departments) or len(place) != len(order):
        raise TransformError(
            f"the department tree has {len(below.get(None, []))} roots, and {len(place)} departments hang on one, of "
            f"{len(departments)} rows; it needs one root, every parent present, and no department twice"
        )
    return order, place


def _counts(tallies: pd.DataFrame, departments: pd.DataFrame) -> dict[str, tuple[int, int, int, int]]:
    columns = [tallies[name].astype(int).tolist() for name in (*_CLASSES, "responses")]
    counts = dict(zip(tallies["department_id"], zip(*columns, strict=True), strict=True))
    unknown = sorted(set(counts) - set(departments["department_id"]))
    if unknown or len(counts) != len(tallies):
        raise TransformError(
            f"tallies must have one row per department of the tree; {len(tallies) - len(counts)} rows are double, "
            f"{len(unknown)} departments are not in the tree (first: {unknown[:1]})"
        )
    return counts


def weight(respondents: int, noise: bytes, *, wave: str, department: str) -> int:
    """What hiding a row loses, blurred by the home's secret so that replaying the choice tells nothing."""
    if not noise:
        return respondents * _FINE
    digest = hmac.digest(noise, f"{wave}\x1f{department}".encode(), hashlib.sha256)
    exponent = int.from_bytes(digest[:8]) / (1 << 63) - 1
    return round(respondents * 2**exponent * _FINE)


def _pattern(
    departments: pd.DataFrame, order: list[str], *, is_shown: dict[str, bool], parents: dict[str, int]
) -> pd.DataFrame:
    region: dict[str, str] = {}
    for department in order:
        region[department] = department if is_shown[department] else region[order[parents[department]]]
    names = departments["department_id"].tolist()
    status = ["published" if is_shown[name] else "suppressed" for name in names]
    return pd.DataFrame({"department_id": names, "status": status, "region": [region[name] for name in names]})
