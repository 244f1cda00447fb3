"""A release's pages: their order, their figures, what they never show, and that the same input gives the same bytes."""

import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.transforms.report.editions import FERRY, ROOT, SUPPRESSED, airport, ferry, frame, tree_of
from transforms.report.edition import HIGHLIGHTS, changed
from transforms.report.pages import pages
from transforms.report.words import Words

VOID = {"meta", "link", "br", "wbr", "line", "circle", "path", "polyline", "rect", "use"}
FORBIDDEN = re.compile(
    r"\b(best|worst|rank\w*|score ?card|target|beste|slechtste|ranglijst|doelstelling)\b", re.IGNORECASE
)
JARGON = re.compile(r"\b(p-value|smooth\w*|bands?|vloeiende)\b", re.IGNORECASE)  # where the method is not told


HEADS = {
    "en": ("Of every 10", "5,104 passengers gave", "Net Promoter Score", "48.3% promoters", "Three departments rose"),
    "nl": ("Van elke 10", "5.104 reizigers gaven", "Net Promoter Score", "48,3% promotors", "Drie afdelingen stegen"),
}


class Page(HTMLParser):
    """A page as its elements: (tag, attributes), the visible text, and the tags that were left open."""

    def __init__(self, source: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(source.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return pages(ferry())


def html(made: dict[str, bytes]) -> dict[str, Page]:
    return {path: Page(source) for path, source in made.items() if path.endswith(".html")}


def sections(page: Page) -> list[str]:
    return [attributes["id"] or "" for tag, attributes in page.elements if tag == "section" and "id" in attributes]


def test_the_order_of_a_release_page_is_fixed(made: dict[str, bytes]) -> None:
    for language in ("en", "nl"):
        page = Page(made[f"{language}/index.html"])
        assert sections(page) == ["right", "fell", "help", "carries", "departments", "time", "sure"]
        order = [page.text.index(words) for words in HEADS[language]]
        assert order == sorted(order)


def test_a_departments_page_has_its_own_part_in_front_and_the_whole_behind_it(made: dict[str, bytes]) -> None:
    assert sections(Page(made["en/ports-6f708192.html"])) == [
        "right",
        "fell",
        "help",
        "carries",
        "departments",
        "time",
        "whole",
        "sure",
    ]
    assert sections(Page(made["nl/texel-d6e7f809.html"])) == [
        "right",
        "fell",
        "help",
        "carries",
        "time",
        "whole",
        "sure",
    ]


def test_every_page_is_well_formed_in_its_language_with_one_h1_and_unique_ids(made: dict[str, bytes]) -> None:
    for path, page in html(made).items():
        assert page.open == [], path
        assert page.elements[0] == ("html", {"lang": path[:2]}), path
        assert [tag for tag, _ in page.elements].count("h1") == 1, path
        assert len(set(page.ids())) == len(page.ids()), path
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert all(b - a <= 1 for a, b in zip(levels[:1] + levels, levels, strict=False)), path


def test_tables_have_captions_and_scopes_and_pictures_tell_their_finding(made: dict[str, bytes]) -> None:
    for path, page in html(made).items():
        tags = [tag for tag, _ in page.elements]
        assert tags.count("table") == tags.count("caption"), path
        assert all("scope" in attributes for tag, attributes in page.elements if tag == "th"), path
        ids = set(page.ids())
        for tag, attributes in page.elements:
            if tag == "svg" and attributes.get("role") == "img":
                assert set((attributes["aria-labelledby"] or "").split()) <= ids, path
    assert (
        b'<desc id="carry-w-d">Of 100 respondents 48 would gladly recommend us, 30 told others' in made["en/index.html"]
    )


def test_the_figures_of_a_page_are_those_of_the_frame(made: dict[str, bytes]) -> None:
    edition = ferry()
    en = Words("en")
    text = Page(made["en/index.html"]).text
    for row in edition.metrics.to_dict("records"):
        if row["status"] == "published":
            shown = f"{en.number(row['responses'])} answers {en.points(row['nps'])} "
            assert shown + en.between(row["nps_low"], row["nps_high"]) in text, row["department_id"]


def test_a_suppressed_department_has_a_name_and_a_page_but_no_figure(made: dict[str, bytes]) -> None:
    index = made["en/index.html"].decode()
    for department_id in SUPPRESSED:
        row = re.search(rf"<tr[^>]*>(?:(?!</tr>).)*{department_id}(?:(?!</tr>).)*</tr>", index)
        assert row is not None
        assert "fewer than 10 answers, or needed to protect those" in row[0]
        assert not re.search(r">\s*[\d−]", row[0])
        page = Page(made[f"en/{department_id}.html"])
        assert sections(page) == ["whole", "sure"]
        assert "The figures of this department cannot be shown." in page.text


def test_departments_are_in_the_alphabet_of_the_language_and_never_by_score(made: dict[str, bytes]) -> None:
    names = {"en": 3, "nl": 4}
    for language, column in names.items():
        page = made[f"{language}/index.html"].decode()
        body = page[page.index('id="departments"') : page.index('id="time"')]
        shown = re.findall(r'<tr role="row" class="l1[^"]*"><th[^>]*>(?:<a[^>]*>)?<bdi>([^<]*)', body)
        assert shown == sorted(node[column] for node in FERRY if node[2] == 1)


def test_what_fell_has_the_same_form_as_what_goes_right(made: dict[str, bytes]) -> None:
    page = made["en/index.html"].decode()
    right, fell = (
        re.search(rf'<section class="part" id="{id_}".*?</section>', page, re.DOTALL) for id_ in ("right", "fell")
    )
    assert right is not None and fell is not None
    heads = [re.search(r'<table class="rows change".*?</caption>', part[0], re.DOTALL) for part in (right, fell)]
    assert heads[0] is not None and heads[1] is not None
    assert heads[0][0] == heads[1][0]
    assert "Three departments rose beyond chance since September." in right[0]
    assert "One department fell beyond chance since September." in fell[0]


def test_what_it_was_is_what_the_change_was_measured_against_where_that_wave_was_revised_since() -> None:
    edition = ferry()
    was = re.compile(r'class="n was"><span class="unit">was </span>(.*?)<')
    index = pages(edition)["en/index.html"].decode()
    history = edition.history.copy()
    history.loc[history["wave"] == "2026-09", ["nps", "nps_low", "nps_high"]] -= 7.0
    revised = pages(replace(edition, history=history))["en/index.html"].decode()
    assert was.findall(index)
    assert was.findall(revised) == was.findall(index)
    assert "dot open" in index.split('id="right"')[1].split('id="carries"')[0]
    assert "dot open" not in revised.split('id="right"')[1].split('id="carries"')[0]  # its interval is not known here


def test_nothing_that_fell_is_said_and_the_heading_stays(made: dict[str, bytes]) -> None:
    page = Page(pages(replace(ferry(), highlights=frame([], HIGHLIGHTS)))["en/index.html"])
    assert "fell" in sections(page)
    assert "No department fell beyond chance since September." in page.text


@pytest.mark.parametrize("make", [ferry, airport, lambda: ferry(waves=1)])
def test_no_page_has_a_script_an_outside_address_a_forbidden_word_or_jargon_outside_the_method(make: object) -> None:
    for path, source in pages(make()).items():  # type: ignore[operator]
        if not path.endswith(".html"):
            continue
        page = Page(source)
        assert "script" not in [tag for tag, _ in page.elements], path
        assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on") or a == "style"], (
            path
        )
        for _, attributes in page.elements:
            for name in ("href", "src"):
                assert not re.match(r"(?!data:,$)([a-z]+:|//|/)", attributes.get(name) or ""), path
        assert not FORBIDDEN.search(page.text), path
        assert path.endswith("method.html") or not JARGON.search(page.text), path
        assert re.search(rb"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'", source), path
        assert not re.search(rb"\b(nan|None|NaT|<NA>)\b", source), path


def test_every_link_leads_to_a_page_or_a_known_place_outside_the_seal(made: dict[str, bytes]) -> None:
    outside = {"register.html", "../../../../en/index.html", "../../../../nl/index.html", "data:,"}
    for path, page in html(made).items():
        for _, attributes in page.elements:
            href = attributes.get("href")
            if href is None or href in outside:
                continue
            target, _, anchor = href.partition("#")
            parts = [*path.split("/")[:-1], *target.split("/")] if target else path.split("/")
            while ".." in parts:
                at = parts.index("..")
                del parts[at - 1 : at + 1]
            assert "/".join(parts) in made, (path, href)
            assert not anchor or anchor in Page(made["/".join(parts)]).ids(), (path, href)


def test_a_survey_without_the_questions_gets_nps_alone_and_says_so() -> None:
    made = pages(airport())
    text = Page(made["en/index.html"]).text
    assert "Superpromoters were not asked about in this survey" in text
    assert "Whether they did, and what came of it, was not asked." in text
    assert "17%" not in text and "told others" not in text
    assert sections(Page(made["nl/index.html"])) == ["right", "fell", "help", "carries", "departments", "sure"]
    assert "This is the first wave" in text


def test_an_organisation_without_departments_has_its_page() -> None:
    made = pages(tree_of(FERRY[:1], {ROOT: (40, 20, 10)}))
    page = Page(made["en/index.html"])
    assert sections(page) == ["right", "fell", "help", "carries", "sure"]
    assert sorted(path for path in made if path.startswith("en/")) == [
        "en/index.html", "en/managers.html", "en/method.html", "en/reading.html"
    ]  # fmt: skip


def test_a_department_that_nobody_spoke_of_is_not_a_suppressed_one() -> None:
    made = pages(tree_of(FERRY[:3], {"bookings-2b3c4d5e": (0, 0, 0), "customer-service-1a2b3c4d": (30, 20, 10)}))
    assert "no answers with a score" in Page(made["en/index.html"]).text
    assert "Nobody gave a score about this department" in Page(made["en/bookings-2b3c4d5e.html"]).text


def test_a_revision_says_what_changed_and_why_and_links_the_earlier_one() -> None:
    edition = ferry()
    before = edition.metrics.copy()
    before.loc[before["department_id"] == "texel-d6e7f809", ["responses", "nps"]] = [880, 41.2]
    changes = changed(edition.metrics, before)
    assert [item.department_id for item in changes] == ["texel-d6e7f809"]
    made = pages(replace(edition, revision=2, reason="Answers on <paper> came late.", changes=changes))
    source, text = made["en/index.html"].decode(), Page(made["en/index.html"]).text
    assert "This is revision 2: the figures of 1 department changed." in text
    assert "Answers on &lt;paper&gt; came late." in source
    assert 'href="../../r1/en/index.html"' in source
    assert "no figure changed here" in Page(made["en/food-and-drink-5e6f7081.html"]).text
    assert "What was revised" not in Page(pages(edition)["en/index.html"]).text


def digest(made: dict[str, bytes]) -> str:
    return hashlib.sha256(b"\0".join(path.encode() + source for path, source in sorted(made.items()))).hexdigest()


def test_two_builds_in_two_processes_give_the_same_bytes(made: dict[str, bytes]) -> None:
    code = (
        "from tests.transforms.report.editions import ferry; from tests.transforms.report.test_pages import digest; "
        "from transforms.report.pages import pages; print(digest(pages(ferry())))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert other.stdout.strip() == digest(made)
    assert digest(pages(ferry())) == digest(made)


def test_sealed_pages_carry_no_release_id_and_no_clock_time(made: dict[str, bytes]) -> None:
    for path, source in made.items():
        if path.endswith(".html"):
            assert b"5f0e1d2c3b4a5968" not in source, path
            assert not re.search(rb"\d\d:\d\d", source), path
