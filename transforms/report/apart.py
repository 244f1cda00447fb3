"""Departments compared fairly, in words and in the funnel: what differs beyond chance, never who is above whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from transforms.report import sentences
from transforms.report.beside import Comparison
from transforms.report.funnel import NARROW, WIDE, Funnel, Limits, Place, Size, Texts, axis, framed, funnel
from transforms.report.scene import Scene
from transforms.report.tree import Node, Tree
from transforms.report.words import Words

NAMED = 8  # so many departments a sentence names; of more it tells the number
LABELLED = {"w": 15, "n": 5}  # so many names a picture has room for
ROWS = 60  # of a table on the page; the download has all
Row = tuple[Node, Comparison]


@dataclass(frozen=True)
class Table:
    """A table behind the picture: labels of its columns, and rows of a name and cells."""

    caption: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    is_cut: bool


def apart(scene: Scene, words: Words, tree: Tree) -> dict[str, Any] | None:
    """The funnel and the comparisons with everyone else, in the order of the tree; None where there are none."""
    rows = [
        (node, found) for node in tree.root.walk() for found in scene.beside.comparisons.get(node.department_id, ())
    ]
    if not rows:
        return None
    lowest = [row for row in rows if _is_in_funnel(row[1]) and scene.metrics[row[0].department_id].responses]
    return {
        "sentence": _funnel_sentence(words, lowest, _marked) if lowest else None,
        "rest": _rest_sentence(words, rows),
        "finding": _funnel_sentence(words, lowest, _isolated) if lowest else "",
        "pictures": _pictures(scene, words, lowest) if lowest else (),
        "tables": [*([_funnel_table(scene, words, lowest)] if lowest else []), _rest_table(words, rows)],
        "caption": words.say("Which departments differ beyond chance"),
    }


def beside_the_rest(scene: Scene, words: Words, department_id: str) -> str | None:
    """A department's NPS beside that of everyone else, in words."""
    for row in scene.beside.comparisons.get(department_id, ()):
        low, high = row.rest_difference_low, row.rest_difference_high
        if row.nps is None or row.nps_rest is None or low is None or high is None:
            return None
        first = words.say(
            "The NPS here is %(nps)s, that of everyone else %(rest)s.",
            nps=words.points(row.nps),
            rest=words.points(row.nps_rest),
        )
        range_ = words.between(low, high)
        second = (
            words.say("That is beyond chance: the difference lies %(range)s.", range=range_)
            if row.is_different_from_rest
            else words.say("That could be chance: the difference lies %(range)s.", range=range_)
        )
        return f"{first} {second}"
    return None


def _is_in_funnel(row: Comparison) -> bool:
    return row.nps is not None and row.funnel_centre is not None and row.funnel_answer_sd is not None


def _marked(node: Node) -> str:
    return Markup("<bdi>%s</bdi>") % node.name


def _isolated(node: Node) -> str:
    return f"\u2068{node.name}\u2069"  # what <bdi> does, where there is text alone


def _funnel_sentence(words: Words, rows: Sequence[Row], named: Callable[[Node], str]) -> str:
    outside, total = [node for node, row in rows if row.is_outside_95], len(rows)
    if not outside:
        return words.say(
            "All %(total)s departments at the lowest level lie within what chance and ordinary differences produce.",
            total=words.spelled(total),
        )
    told = {"spelled": words.spelled(len(outside)), "total": words.spelled(total)}
    if len(outside) > NAMED:
        sentence = words.count(
            "%(spelled)s of the %(total)s departments at the lowest level lies outside what chance and ordinary "
            "differences produce.",
            "%(spelled)s of the %(total)s departments at the lowest level lie outside what chance and ordinary "
            "differences produce.",
            len(outside),
            **told,
        )
        return sentences.first_upper(sentence)
    names = words.listed([named(node) for node in outside])
    found = words.count(
        "%(spelled)s of the %(total)s departments at the lowest level lies outside what chance and ordinary "
        "differences produce: %(names)s.",
        "%(spelled)s of the %(total)s departments at the lowest level lie outside what chance and ordinary "
        "differences produce: %(names)s.",
        len(outside),
        names=names,
        **told,
    )
    return _upper(found)


def _upper(sentence: str) -> str:
    """The first letter as a capital; what is markup stays so."""
    first = sentences.first_upper(str(sentence[:1]))
    return sentence[:0] + first + sentence[1:]


def _rest_sentence(words: Words, rows: Sequence[Row]) -> str:
    found = [node for node, row in rows if row.is_different_from_rest]
    if not found:
        return words.say("No department differs from everyone else beyond chance.")
    spelled = words.spelled(len(found))
    if len(found) > NAMED:
        return _upper(
            words.count(
                "%(spelled)s department differs from everyone else beyond chance.",
                "%(spelled)s departments differ from everyone else beyond chance.",
                len(found),
                spelled=spelled,
            )
        )
    return _upper(
        words.count(
            "%(spelled)s department differs from everyone else beyond chance: %(names)s.",
            "%(spelled)s departments differ from everyone else beyond chance: %(names)s.",
            len(found),
            spelled=spelled,
            names=words.listed([_marked(node) for node in found]),
        )
    )


def _pictures(scene: Scene, words: Words, rows: Sequence[Row]) -> tuple[Funnel, ...]:
    first = rows[0][1]
    assert first.funnel_centre is not None and first.funnel_answer_sd is not None
    limits = Limits(first.funnel_centre, first.funnel_answer_sd, first.funnel_between_sd or 0.0)
    places = [
        Place(
            _isolated(node), scene.metrics[node.department_id].responses or 0, row.nps or 0.0, bool(row.is_outside_95)
        )
        for node, row in rows
    ]
    return tuple(_picture(words, places, limits, size) for size in (WIDE, NARROW))


def _picture(words: Words, places: Sequence[Place], limits: Limits, size: Size) -> Funnel:
    frame = framed(places, limits, size)
    texts = Texts(
        outer=words.say("998 of %(number)s", number=words.number(1000)),
        inner=words.say("95 of 100"),
        together=words.say("together %(nps)s", nps=words.points(limits.centre)),
        numbers={number: words.number(number) for numbers in axis(frame) for number in numbers},
    )
    named = [index for index, place in enumerate(places) if place.is_outside][: LABELLED[size.name]]
    if size.is_beside and len(places) <= LABELLED["w"]:
        named = list(range(len(places)))
    return funnel(places, limits, size, texts, named=named, frame=frame)


def _funnel_table(scene: Scene, words: Words, rows: Sequence[Row]) -> Table:
    shown = _cut(rows, [row.is_outside_95 for _, row in rows])
    labels = (
        words.say("Answers"),
        words.say("NPS"),
        words.say("95 of 100 lie within"),
        words.say("Outcome"),
        words.say("Drawn to the mean"),
    )
    cells = []
    for node, row in shown:
        assert row.nps is not None
        low, high = row.funnel_low_95, row.funnel_high_95
        range_ = "·" if low is None or high is None else words.to(low, high)
        shrunken = "·" if row.nps_shrunken is None else words.points(row.nps_shrunken)
        answers = words.number(scene.metrics[node.department_id].responses or 0)
        cells.append((node.name, (answers, words.points(row.nps), range_, _outcome(words, row), shrunken)))
    caption = words.say("The departments at the lowest level in the funnel, alphabetical within each part")
    return Table(caption, labels, tuple(cells), len(shown) < len(rows))


def _outcome(words: Words, row: Comparison) -> str:
    if row.is_outside_998:
        return words.say("outside both")
    return words.say("outside") if row.is_outside_95 else words.say("within")


def _rest_table(words: Words, rows: Sequence[Row]) -> Table:
    shown = _cut(rows, [row.is_different_from_rest for _, row in rows])
    labels = (
        words.say("NPS"),
        words.say("Everyone else"),
        words.say("Difference"),
        words.say("Interval"),
        words.say("Outcome"),
    )
    cells = tuple((node.name, _rest_cells(words, row)) for node, row in shown)
    caption = words.say("Each department beside everyone else, alphabetical within each part")
    return Table(caption, labels, cells, len(shown) < len(rows))


def _rest_cells(words: Words, row: Comparison) -> tuple[str, ...]:
    nps = "·" if row.nps is None else words.points(row.nps)
    low, high, rest = row.rest_difference_low, row.rest_difference_high, row.nps_rest
    if rest is None or row.rest_difference is None or low is None or high is None:
        return nps, "·", "·", "·", "·"
    outcome = words.say("beyond chance") if row.is_different_from_rest else words.say("could be chance")
    return nps, words.points(rest), words.signed(row.rest_difference), words.to(low, high), outcome


def _cut(rows: Sequence[Row], is_notable: Sequence[bool | None]) -> Sequence[Row]:
    """All rows where there is room, else those that differ: in the same order."""
    if len(rows) <= ROWS:
        return rows
    return [row for row, notable in zip(rows, is_notable, strict=True) if notable][:ROWS]
