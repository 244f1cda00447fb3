"""A page as its readers see it: a tree of elements, and the text of each on a wide screen and on a phone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "wbr", "img", "input"}
APART = {"br", "div", "section", "p", "li", "h1", "h2", "h3", "dt", "dd", "td", "th", "caption", "summary", "tspan"}
HIDDEN = {"wide": ("unit", "lab"), "phone": ("col",), "both": ()}  # classes that style.css hides on one of the two


@dataclass
class Element:
    """One element, with what it holds in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    holds: list["Element | str"] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return self.attributes.get("class", "").split()

    def all(self, tag: str, *, outside: tuple[str, ...] = ()) -> Iterator["Element"]:
        """Every element of that tag in it, in the order of the page; none that lies in one of those outside."""
        for held in self.holds:
            if isinstance(held, Element):
                if held.tag == tag:
                    yield held
                if held.tag not in outside:
                    yield from held.all(tag, outside=outside)

    def first(self, tag: str) -> "Element":
        """The first element of that tag in it."""
        return next(self.all(tag))

    def text(self, seen: str = "both", *, without: tuple[str, ...] = ("svg",)) -> str:
        """What a reader sees of it, with single spaces."""
        return " ".join("".join(self._pieces(HIDDEN[seen], without)).split())

    def _pieces(self, hidden: tuple[str, ...], without: tuple[str, ...]) -> Iterator[str]:
        for held in self.holds:
            if isinstance(held, str):
                yield held
            elif held.tag not in without and not any(name in hidden for name in held.classes):
                is_apart = held.tag in APART or "lab" in held.classes
                yield from held._pieces(hidden, without)
                yield " " if is_apart else ""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].holds.append(found)
        if tag not in VOID:
            self.open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].holds.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].holds.append(data)


def page(source: str) -> Element:
    """The tree of a page's source."""
    parser = _Parser()
    parser.feed(source)
    parser.close()
    return parser.open[0]


@dataclass(frozen=True)
class Table:
    """A table: what it is called, its headings, and its rows of one name and cells."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Element, ...], ...]
    element: Element

    def cells(self, seen: str) -> list[tuple[str, ...]]:
        """Its cells as they are seen; of a drawing, where it stands."""
        return [tuple(_seen(cell, seen) for cell in row) for row in self.rows]


def _seen(cell: Element, seen: str) -> str:
    return " ".join(_places(cell)) if "strip" in cell.classes else cell.text(seen)


def _places(cell: Element) -> Iterator[str]:
    """Where zero, the ends of each interval and each point stand, in per cent of the width."""
    for line in cell.all("line"):
        ends = (line.attributes["x1"], line.attributes["x2"])
        yield from ends[:1] if "zero" in line.classes else ends
    for dot in cell.all("circle"):
        yield dot.attributes["cx"]


def table(element: Element) -> Table:
    """A table element with its caption, headings and rows."""
    head, body = element.first("thead"), element.first("tbody")
    rows = tuple(
        tuple(cell for cell in row.holds if isinstance(cell, Element) and cell.tag in ("th", "td"))
        for row in body.all("tr")
    )
    headings = tuple(heading.text() for heading in head.all("th"))
    return Table(element.first("caption").text(), headings, rows, element)
