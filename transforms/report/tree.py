"""The departments as a reader finds them: a tree, by name within each parent, cut where a page would grow too long."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from transforms import TransformError
from transforms.report.words import collated


@dataclass(frozen=True)
class Node:
    """One department by its name in one language."""

    department_id: str
    name: str
    level: int
    parent_id: str | None
    children: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """This department and all below it, in tree order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(frozen=True)
class Tree:
    """All departments of a wave in one language; the root is the organisation."""

    root: Node
    nodes: Mapping[str, Node] = field(repr=False)

    def above(self, department_id: str) -> list[Node]:
        """The departments from the top down to this one's parent, the organisation left out."""
        found: list[Node] = []
        parent = self.nodes[department_id].parent_id
        while parent is not None and parent != self.root.department_id:
            found.insert(0, self.nodes[parent])
            parent = self.nodes[parent].parent_id
        return found


def tree(departments: pd.DataFrame, language: str) -> Tree:
    """The tree with names in one language, alphabetical within each parent: never by score."""
    parents = [None if pd.isna(parent) else str(parent) for parent in departments["parent_id"]]
    rows = list(
        zip(
            departments["department_id"].tolist(),
            departments[f"name_{language}"].tolist(),
            departments["level"].tolist(),
            parents,
            strict=True,
        )
    )
    below: dict[str | None, list[tuple[str, str, int, str | None]]] = {}
    for row in rows:
        below.setdefault(row[3], []).append(row)
    roots = below.get(None, [])
    if len(roots) != 1:
        raise TransformError(f"the frame departments has {len(roots)} rows without a parent; it needs exactly one")
    nodes: dict[str, Node] = {}
    for row in sorted(rows, key=lambda row: -row[2]):  # from the deepest level up
        children = sorted((nodes[child[0]] for child in below.get(row[0], [])), key=lambda node: collated(node.name))
        nodes[row[0]] = Node(row[0], row[1], row[2], row[3], tuple(children))
    return Tree(nodes[roots[0][0]], nodes)


def cut(node: Node, *, most: int) -> list[Node]:
    """A department and as many whole levels below it as fit in `most` rows; its own row always does."""
    rows = list(node.walk())
    if len(rows) <= most:
        return rows
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.level] = counts.get(row.level, 0) + 1
    deepest, total = node.level, 0
    for level in sorted(counts):
        total += counts[level]
        if total > most:
            break
        deepest = level
    return [row for row in rows if row.level <= deepest]


def parts(node: Node, *, most: int) -> list[list[Node]]:
    """All rows of a tree in pieces of at most `most`, in tree order, as equal as can be."""
    rows = list(node.walk())
    pieces = -(-len(rows) // most)
    size = -(-len(rows) // pieces)
    return [rows[start : start + size] for start in range(0, len(rows), size)]
