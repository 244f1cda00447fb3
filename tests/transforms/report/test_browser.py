"""The pages in a real browser: nothing from outside, no sideways scroll, contrast, one scale, and paper."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.transforms.report.editions import airport, ferry, tree_of
from tests.transforms.report.test_extremes import hostile
from tests.transforms.report.test_site import INDEX, facts
from transforms.report.edition import changed
from transforms.report.pages import pages
from transforms.report.register import register
from transforms.report.site import assembled

CHROMIUM = "/usr/bin/chromium"
SHOWN = (
    "ferry/en/index.html",
    "ferry/nl/index.html",
    "ferry/nl/ports-6f708192.html",
    "ferry/en/lost-property-4d5e6f70.html",
    "ferry/nl/method.html",
    "ferry/en/managers.html",
    "ferry/nl/reading.html",
    "ferry/en/register.html",
    "airport/en/index.html",
    "revised/nl/index.html",
    "hostile/en/index.html",
    "hostile/nl/customer-service-1a2b3c4d.html",
    "deep/en/index.html",
    "site/index.html",
    "site/en/calendar.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    edition = ferry()
    before = edition.metrics.copy()
    before.loc[before["department_id"] == "texel-d6e7f809", ["responses", "nps"]] = [880, 41.2]
    revision = replace(edition, revision=2, reason="Late answers", changes=changed(edition.metrics, before))
    nodes = [("all", None, 0, "Waddenlijn", "Waddenlijn")]
    nodes += [(f"d{n}", f"d{n - 1}" if n > 1 else "all", n, f"Level {n}", f"Laag {n}") for n in range(1, 10)]  # type: ignore[misc]
    made = {
        "ferry": pages(edition) | register(facts()),
        "airport": pages(airport()),
        "revised": pages(revision),
        "hostile": pages(hostile()),
        "deep": pages(tree_of(nodes, {"d9": (5, 3, 21)})),
        "site": assembled(INDEX),
    }
    for name, files in made.items():
        for path, source in files.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "the page tests need Debian's Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


def show(page: Page, site: Path, path: str) -> None:
    page.goto(f"file://{site / path}", wait_until="load")


def listen(page: Page, asked: list[str], said: list[str]) -> None:
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))


def test_a_page_asks_for_nothing_but_its_stylesheet_and_reports_no_error(browser: Browser, site: Path) -> None:
    for path in SHOWN:
        page = browser.new_page()
        asked: list[str] = []
        said: list[str] = []
        listen(page, asked, said)
        show(page, site, path)
        assert [url.rsplit("/", 1)[1] for url in asked if not url.startswith("data:")] == [
            path.rsplit("/", 1)[1],
            "style.css",
        ]
        assert said == [], path
        assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px", "the stylesheet was not applied"
        page.close()


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_no_page_scrolls_sideways_even_with_everything_open(page: Page, site: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in SHOWN:
        show(page, site, path)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (path, wide)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_of_4_5_and_marks_of_3(page: Page, site: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show(page, site, "ferry/en/ports-6f708192.html")
    colours: dict[str, str] = page.evaluate(
        """names => { const style = getComputedStyle(document.documentElement);
        return Object.fromEntries(names.map(name => [name, style.getPropertyValue('--' + name).trim()])) }""",
        [
            "paper",
            "tint",
            "ink",
            "soft",
            "link",
            "promoter",
            "passive",
            "detractor",
            "zero",
            "iv",
            "band",
            "funnel",
            "funnel-2",
        ],
    )
    for text in ("ink", "soft", "link", "promoter", "passive", "detractor"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
    for text in ("ink", "soft", "link"):
        assert contrast(colours[text], colours["tint"]) >= 4.5, text
    for mark in ("zero", "iv"):
        assert contrast(colours[mark], colours["paper"]) >= 3, mark
    for surface in ("band", "funnel", "funnel-2"):
        assert contrast(colours["ink"], colours[surface]) >= 4.5, surface
    assert contrast(colours["soft"], colours["funnel"]) >= 4.5
    assert contrast(colours["iv"], colours["funnel"]) >= 3
    shown = page.evaluate(
        """queries => queries.map(query => { const style = getComputedStyle(document.querySelector(query));
        return query === '.line' ? style.stroke : style.fill })""",
        [".line", ".band", ".c-pro", "svg .note"],
    )
    assert [rgb(colours[name]) for name in ("ink", "band", "promoter", "soft")] == [numbers(colour) for colour in shown]


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def numbers(colour: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", colour)]


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [part / 255 for part in rgb(colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:]))]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_axis_zero_and_every_zero_line_share_an_x(page: Page, site: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    show(page, site, "ferry/en/ports-6f708192.html")
    places: list[list[float]] = page.evaluate(
        """() => [...document.querySelectorAll('table.rows')].map(table => {
        const labels = [...table.querySelectorAll('svg.axis text')];
        const zero = labels.find(label => label.textContent === '0').getBoundingClientRect();
        const lines = [...table.querySelectorAll('line.zero')].map(l => l.getBoundingClientRect().left);
        return [zero.left + zero.width / 2, ...lines] })"""
    )
    assert len(places) >= 3
    for place in places:
        assert max(place) - min(place) < 1.5, place


def test_a_point_lies_where_its_number_says(page: Page, site: Path) -> None:
    show(page, site, "ferry/en/index.html")
    rows: list[dict[str, float]] = page.evaluate(
        """() => [...document.querySelectorAll('.deps tbody tr:not(.gone)')].map(row => {
        const dot = row.querySelector('circle.dot').getBoundingClientRect();
        const cell = row.querySelector('td.strip').getBoundingClientRect();
        const at = (dot.left + dot.width / 2 - cell.left) / cell.width;
        return {nps: +row.querySelector('.now').textContent, at} })"""
    )
    zero = page.evaluate("parseFloat(document.querySelector('.deps line.zero').getAttribute('x1')) / 100")
    span = (rows[0]["at"] - zero) / rows[0]["nps"]
    for row in rows:
        assert abs(row["at"] - zero - row["nps"] * span) < 0.02, row


def test_on_a_phone_a_table_keeps_its_meaning(page: Page, site: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(page, site, "ferry/en/index.html")
    row = page.get_by_role("row", name=re.compile("Texel ferry.*910 answers.*44.*between 40 and 48")).last
    assert row.is_visible()
    assert row.get_by_role("rowheader").inner_text() == "Texel ferry"
    for part in ("#carries", "#departments"):
        assert (
            not page.locator(f"{part} figure svg.w").is_visible() and page.locator(f"{part} figure svg.n").is_visible()
        )


def test_pictures_keep_their_words_inside_the_page(page: Page, site: Path) -> None:
    for width in (320, 390, 700, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("ferry/nl/index.html", "airport/en/index.html", "deep/en/index.html"):
            show(page, site, path)
            out = page.evaluate(
                """() => [...document.querySelectorAll('figure svg text')].filter(t => t.getClientRects().length)
                .map(t => [t.textContent, t.getBoundingClientRect().right]).filter(t => t[1] > innerWidth)"""
            )
            assert out == [], (path, width)


def test_paper_has_all_parts_on_few_pages(page: Page, site: Path) -> None:
    for path, most in (("ferry/en/index.html", 6), ("ferry/nl/ports-6f708192.html", 6), ("ferry/en/managers.html", 2)):
        show(page, site, path)
        paper = page.pdf(prefer_css_page_size=True)
        assert paper.startswith(b"%PDF")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= most, path


def test_everything_is_reached_with_the_keyboard_and_the_first_stop_skips_to_the_matter(page: Page, site: Path) -> None:
    show(page, site, "ferry/en/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    stops = page.evaluate("document.querySelectorAll('a[href], summary').length")
    assert stops > 20
    assert page.evaluate("document.querySelectorAll('[tabindex]').length") == 0
