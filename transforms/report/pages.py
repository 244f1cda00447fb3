"""A release's pages: one for the whole, one per department, and the texts around them; sealed, so without time."""

import re
from collections.abc import Iterator
from typing import Any

from transforms import TransformError
from transforms.report.downloads import downloads
from transforms.report.edition import Edition
from transforms.report.environment import LANGUAGE_NAMES, rendered, stylesheet
from transforms.report.report import ROWS, Report
from transforms.report.scene import Scene, scene
from transforms.report.texts import TEXTS, tables
from transforms.report.tree import parts
from transforms.report.words import Words

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def pages(edition: Edition) -> dict[str, bytes]:
    """Every sealed page and download of a release, by its path in the release's folder."""
    shared = scene(edition)
    found = {"style.css": stylesheet(), **downloads(edition)}
    for language in edition.languages:
        report = Report(shared, Words(language))
        for name, page in _in_one_language(report):
            found[f"{language}/{name}"] = page
    return found


def _in_one_language(report: Report) -> Iterator[tuple[str, bytes]]:
    pieces = _pieces(report)
    for node in report.tree.root.walk():
        name = page_of(report.scene, node.department_id)
        yield name, _rendered(report, "release.html.jinja", name, **report.page(node.department_id, pieces))
    for piece in pieces:
        yield piece["href"], _rendered(report, "piece.html.jinja", piece["href"], **report.piece(piece, pieces))
    for text in TEXTS:
        yield f"{text}.html", _rendered(report, f"{text}.html.jinja", f"{text}.html", **_text(report, text))


def page_of(shared: Scene, department_id: str) -> str:
    """The file of a department's page; the organisation's is the index."""
    if department_id == shared.root_id:
        return "index.html"
    if not _SAFE.fullmatch(department_id) or department_id in {"index", "register", *TEXTS}:
        raise TransformError(
            f"department_id {department_id!r} cannot name a page; it must be letters, digits, '.', '_' and '-'"
        )
    return f"{department_id}.html"


def _pieces(report: Report) -> list[dict[str, Any]]:
    whole = parts(report.tree.root, most=ROWS)
    if len(whole) == 1:
        return []
    return [
        {"href": f"departments-{number}.html", "first": rows[0].name, "last": rows[-1].name, "nodes": rows}
        for number, rows in enumerate(whole, start=1)
    ]


def _text(report: Report, text: str) -> dict[str, Any]:
    headings = TEXTS[text](report.words)
    others = [{"href": f"{other}.html", "text": TEXTS[other](report.words)} for other in TEXTS if other != text]
    return {
        "heading": headings,
        "links": others,
        "min_respondents": report.scene.edition.min_respondents,
        "is_weighted": report.scene.edition.is_weighted,
        "is_sampled": bool(report.scene.edition.metrics["nps_weighted_se"].notna().any()),
        "columns": tables(report.words, report.scene.edition) if text == "method" else [],
        "interval": report.scene.edition.interval,
        "has_margin": report.scene.edition.margin is not None,
        "drivers_asked": report.scene.edition.drivers_asked,
        "comments_asked": report.scene.edition.comments_asked,
        "here": None,
        "trail": [],
    }


def _rendered(report: Report, template: str, name: str, **values: Any) -> bytes:
    edition = report.scene.edition
    others = [
        {"href": f"../{language}/{name}", "language": language, "name": LANGUAGE_NAMES[language]}
        for language in edition.languages
        if language != report.words.language
    ]
    return rendered(
        template,
        report.words,
        style="../style.css",
        others=others,
        organisation=edition.organisation,
        title=edition.titles[report.words.language],
        wave=edition.wave,
        revision=edition.revision,
        definition=edition.definition,
        told_min=edition.told_min,
        is_asked=edition.superpromoters_asked,
        **values,
    )
