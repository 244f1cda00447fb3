"""Published pages beside the published warehouse: each figure is compared with the column that it is of."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.flows.paper.columns import Drawn, Known
from tests.flows.paper.mart import Mart, Released, Row
from tests.flows.paper.place import ALL, Place
from tests.flows.paper.prose import unsaid
from tests.flows.paper.read import Element, Table, page, table
from tests.flows.paper.register import register
from tests.flows.paper.tables import known
from tests.flows.paper.write import LANGUAGES, Writing

TEXTS = ("reading", "method", "managers")


def differing(mart: Mart, *paths: str, revision: int | None = None) -> list[str]:
    """What the pages at `survey/wave/rN` say otherwise than the mart has of that release, or of another revision."""
    found: list[str] = []
    for path in paths:
        released = mart.release(path)
        told = Released(mart, released.survey, released.wave, revision or released.revision)
        languages = [language for language in LANGUAGES if (mart.site / path / language).is_dir()]
        assert languages, f"{mart.site / path} has no pages"
        for language in languages:
            folder = mart.site / path / language
            found += [f"{path}/{language}/{text}" for text in _in_language(told, folder)]
    return found


def opened(released: Released, language: str, name: str) -> tuple[Place, Element]:
    """One page of a department, and whose it is."""
    folder = released.mart.site / released.survey / released.wave / f"r{released.revision}" / language
    key = ALL if name == "index" else name
    return Place(released, Writing(language), key, _names(_read(folder / "index.html"))), _read(folder / f"{name}.html")


def _read(file: Path) -> Element:
    return page(file.read_text(encoding="utf-8"))


def _in_language(released: Released, folder: Path) -> Iterator[str]:
    writing, pages = Writing(folder.name), {file.stem: _read(file) for file in sorted(folder.glob("*.html"))}
    names = _names(pages["index"])
    wanted = {"index" if key == ALL else key: key for key in released.metrics}
    for odd in sorted((set(wanted) | {"register", *TEXTS}) ^ set(pages)):
        yield f"{odd}: a page that is not there, or that nobody knows"
    yield from _misnamed(released, writing, names)
    for name, shown in pages.items():
        if name in wanted:
            found = differing_page(Place(released, writing, wanted[name], names), shown)
            yield from (f"{name}: {text}" for text in found)
    yield from (f"register: {text}" for text in register(released, writing, pages["register"]))
    yield from (f"method: {text}" for text in _method(released, pages["method"]))


def _misnamed(released: Released, writing: Writing, names: Mapping[str, str]) -> Iterator[str]:
    """Departments that are called otherwise than in the mart, which has their names in the first language."""
    if writing.language == released.mart.organisation.get("languages", ["en"])[0]:
        for row in released.rows("departments"):
            if names.get(row["department_id"]) != row["department"]:
                yield f"index: {row['department_id']} is called {names.get(row['department_id'])}"


def _names(index: Element) -> dict[str, str]:
    """What each department is called in the tree of the first page."""
    section = next(part for part in index.all("section") if part.attributes.get("id") == "departments")
    found = {}
    for header in section.first("tbody").all("th"):
        links = [link.attributes["href"] for link in header.all("a")]
        found[links[0].removesuffix(".html") if links else ALL] = header.first("bdi").text()
    return found


def differing_page(place: Place, shown: Element) -> Iterator[str]:
    """What one page of a department says otherwise than the mart."""
    sections = parts(shown)
    wanted = {(one.section, one.caption): one for one in known(place)}
    for name, section in sections.items():
        for element in section.all("table"):
            one = table(element)
            expected = wanted.pop((name, one.caption), None)
            if expected is None:
                yield f"{name}: nobody knows a table {one.caption!r}"
            else:
                yield from (f"{name}: {one.caption}: {text}" for text in compared(place.writing, one, expected))
    yield from (f"{section}: there is no table {caption!r}" for section, caption in wanted)
    yield from unsaid(place, sections, shown)


def parts(shown: Element) -> dict[str, Element]:
    """The parts of a page by what they are called."""
    found = {}
    for held in shown.first("main").holds:
        if isinstance(held, Element):
            name = held.attributes.get("id") or next(
                one for one in ("lead", "first", "revised", "register") if one in held.classes
            )
            found[name] = held
    return found


def compared(writing: Writing, shown: Table, expected: Known) -> Iterator[str]:
    """Where a table differs from the columns of the mart that it is known to show."""
    headings = tuple(writing.of(heading) for heading in (expected.first, *(c.heading for c in expected.columns)))
    if shown.headings != headings:
        yield f"its columns are {shown.headings}, and known are {headings}"
        return
    scale = _scale(shown) if any(isinstance(column, Drawn) for column in expected.columns) else (0, 1)
    for seen in ("wide", "phone"):
        cells = Counter(shown.cells(seen))
        wanted = [(_name(name, row, shown, at), row) for at, (name, row) in enumerate(expected.rows)]
        rows = Counter((name, *_cells(writing, row, expected, seen, scale)) for name, row in wanted)
        yield from (f"the mart has no {row} ({seen})" for row in cells - rows)
        yield from (f"it has no {row} ({seen})" for row in rows - cells)


def _name(name: str | None, row: Row, shown: Table, at: int) -> str:
    """What a row is called; a rule in another language than the mart has the same numbers in it."""
    if name is not None:
        return name
    told = shown.rows[at][0].text() if at < len(shown.rows) else ""
    same = [re.findall(r"\d+", re.sub(r"[.,](?=\d)", "", text)) for text in (told, str(row["says"]))]
    return told if same[0] == same[1] else str(row["says"])


def _cells(writing: Writing, row: Row, expected: Known, seen: str, scale: tuple[int, int]) -> Iterator[str]:
    if "why" in row:
        yield str(row["why"])
        return
    for column in expected.columns:
        if isinstance(column, Drawn):
            yield " ".join(_drawn(row, column, scale))
        elif seen == "wide":
            yield column.wide(writing, row)
        else:
            text = (column.phone or column.wide)(writing, row)
            yield f"{writing.of(column.heading)} {text}" if expected.is_fold else text


def _drawn(row: Row, column: Drawn, scale: tuple[int, int]) -> Iterator[str]:
    """Where zero, each interval and each point stand."""

    def at(value: float) -> str:
        return f"{(value - scale[0]) / (scale[1] - scale[0]) * 100:.2f}%"

    yield at(0)
    values = [[row[name] for name in strip] for strip in column.strips]
    told = [[float(str(v)) * column.factor for v in strip] for strip in values if None not in strip]
    for low, high, _ in told:
        yield from (at(low), at(high))
    yield from (at(point) for _, _, point in told)


def _scale(shown: Table) -> tuple[int, int]:
    """The ends of a table's scale, from the numbers along it."""
    axis = next(shown.element.first("thead").all("svg"))
    ticks = [(float(t.attributes["x"].rstrip("%")), int(t.text().replace("−", "-"))) for t in axis.all("text")]
    assert len(ticks) > 1, f"the scale of {shown.caption} has no two numbers"
    (x, value), (far, most) = ticks[0], ticks[-1]
    slope = (most - value) / (far - x)
    return round(value - x * slope), round(value + (100 - x) * slope)


def _method(released: Released, shown: Element) -> Iterator[str]:
    """Its tables name columns that the mart has."""
    for element in shown.all("table"):
        one = table(element)
        named = re.search(r"\((\w+)\)$", one.caption)
        name = named[1] if named else "promoter_metrics"
        rows = released.mart.tables.get(name)
        if not rows:
            yield f"nobody knows a table {one.caption!r}"
            continue
        yield from (f"mart.{name} has no {row[0]}" for row in one.cells("wide") if row[0] not in rows[0])
