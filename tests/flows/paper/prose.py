"""Every sentence and every drawn number of a page that tells a figure, and which column of the mart it is of.

What a page must say is made anew from the mart; a number that then remains in its sentences is one that nobody knows.
"""

import re
from collections.abc import Iterator, Mapping

from tests.flows.paper.drawn import undrawn
from tests.flows.paper.place import Place
from tests.flows.paper.read import Element
from tests.flows.paper.sentences import said

BLOCKS = ("p", "h1", "h2", "h3", "li", "summary", "blockquote", "figcaption")
FIXED: Mapping[str, tuple[str, ...]] = {  # what stands on pages with a number that is no figure
    "en": (
        "One dot is one of 100 respondents.",
        "Of 100 departments that differ in no other way, 95 lie in the inner funnel",
        "95% interval",
        "95 of 100 such intervals",
    ),
    "nl": (
        "Eén stip is één van 100 respondenten.",
        "Van 100 afdelingen die niet anders verschillen dan zo, liggen er 95 in de binnenste trechter",
        "95%-interval",
        "95 van de 100 zulke intervallen",
    ),
}
DOWNLOAD = ("Download as CSV", "Download als CSV")  # names the table above it


def unsaid(place: Place, sections: Mapping[str, Element], shown: Element) -> Iterator[str]:
    """What a page does not say, or draw, though the mart has it; and what it says without knowing from where."""
    wanted: dict[str, list[str]] = {}
    for section, sentence in said(place):
        wanted.setdefault(section, []).append(sentence)
    for section in sorted(set(wanted) - set(sections)):
        yield f"there is no part {section!r}, to say {wanted[section][0]!r}"
    known = [*FIXED[place.writing.language], *sorted(place.names.values(), key=len, reverse=True)]
    for name, part in sections.items():
        expected = sorted(wanted.get(name, ()), key=len, reverse=True)
        blocks = [block for block in _blocks(part) if not block.startswith(DOWNLOAD)]
        yield from (f"{name}: it does not say {one!r}" for one in expected if not any(one in b for b in blocks))
        for block in blocks:
            if (rest := re.search(r"\d", _without(block, [*expected, *known]))) is not None:
                yield f"{name}: nobody knows the {rest[0]} in {block!r}"
    headline = next(
        one.attributes["content"] for one in shown.all("meta") if one.attributes.get("name") == "description"
    )
    if headline != sections["lead"].first("h1").text():
        yield f"its description is {headline!r}"
    yield from undrawn(place, sections)


def _blocks(section: Element) -> Iterator[str]:
    for figures in section.all("dl"):
        yield from (figure.text() for figure in figures.all("div"))
    for tag in BLOCKS:
        yield from (block.text(without=("svg", "table")) for block in section.all(tag, outside=("svg", "table")))


def _without(block: str, known: list[str]) -> str:
    for sentence in known:
        block = block.replace(sentence, " ")
    return block
