"""What a revision changed, and why."""

from typing import Any

from transforms.report.edition import Changed, Edition
from transforms.report.tree import Tree
from transforms.report.words import Words


def revised(edition: Edition, words: Words, tree: Tree, department_id: str | None) -> dict[str, Any] | None:
    """The notice on top of a revision's pages; on a department's page of itself and what is below it."""
    if edition.revision == 1:
        return None
    names = {node.department_id: node.name for node in tree.root.walk()}
    within = set(names) if department_id is None else {n.department_id for n in tree.nodes[department_id].walk()}
    changes = {item.department_id: item for item in edition.changes if item.department_id in within}
    rows = [_row(words, names[key], changes[key]) for key in names if key in changes]
    number = words.number(edition.revision)
    if rows:
        sentence = words.count(
            "This is revision %(revision)s: the figures of %(number)s department changed.",
            "This is revision %(revision)s: the figures of %(number)s departments changed.",
            len(rows),
            revision=number,
        )
    else:
        sentence = words.say("This is revision %(revision)s: no figure changed here.", revision=number)
    return {
        "sentence": sentence,
        "reason": edition.reason,
        "rows": rows,
        "labels": [
            words.say("Answers, before"),
            words.say("Answers, now"),
            words.say("NPS, before"),
            words.say("NPS, now"),
        ],
        "earlier": f"../../r{edition.revision - 1}/{words.language}/index.html",
    }


def _row(words: Words, name: str, item: Changed) -> dict[str, Any]:
    def counted(value: int | None) -> str:
        return "·" if value is None else words.number(value)

    def scored(value: float | None) -> str:
        return "·" if value is None else words.points(value)

    cells = [counted(item.previous_responses), counted(item.responses), scored(item.previous_nps), scored(item.nps)]
    return {"name": name, "cells": cells}
