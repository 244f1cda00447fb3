"""What goes right, what would help, the funnel, and over time: told in words, equal to the tables, and harmless."""

import csv
import io
import re
from dataclasses import replace

import pytest

from flows.preparing.tables import TABLES
from tests.transforms.report.besides import QUOTES, REASONS
from tests.transforms.report.editions import airport, ferry
from tests.transforms.report.test_extremes import HOSTILE, RIGHT_TO_LEFT
from tests.transforms.report.test_pages import FORBIDDEN, Page
from transforms.report.beside import BESIDE, beside
from transforms.report.edition import Edition
from transforms.report.pages import pages
from transforms.report.words import Words
from transforms.sample_size import responses_needed


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return pages(ferry())


def part(made: dict[str, bytes], path: str, id_: str) -> str:
    found = re.search(rf'<section class="part" id="{id_}".*?</section>', made[path].decode(), re.DOTALL)
    assert found is not None, (path, id_)
    return found[0]


def text(source: str) -> str:
    return Page(source.encode()).text


def test_the_pages_read_the_columns_that_are_sealed() -> None:
    for name, columns in BESIDE.items():
        assert columns == tuple(column for column in TABLES[name].names if column not in ("survey", "wave"))


def test_what_goes_right_begins_with_what_superpromoters_praise(made: dict[str, bytes]) -> None:
    right = text(part(made, "en/index.html", "right"))
    order = [
        "Superpromoters rate this high, and it goes together with the score: Crew and Sailing on time .",
        "What superpromoters praise",
        "Superpromoters give 4.8 on average for Crew , passives 4.2.",
        "friendly 61 answers",
        "I tell everyone.",
        "Departments that rose beyond chance",
    ]
    places = [right.index(words) for words in order]
    assert places == sorted(places)
    assert "Bemanning en Op tijd varen" in text(part(made, "nl/index.html", "right"))
    assert "Crew" in text(part(made, "en/ports-6f708192.html", "right"))
    assert "Too few gave every rating here" in text(part(made, "en/texel-d6e7f809.html", "right"))


@pytest.mark.parametrize(
    ("lever", "is_most"),
    [((4.3, 3.4), False), ((4.1, 3.5), False), ((4.0, 3.5), True), ((None, None), True)],
    ids=["a wider gap", "the same gap", "a narrower gap", "no gap that is known"],
)
def test_where_we_add_most_is_said_only_where_nothing_else_is_rated_as_far_above(
    lever: tuple[float | None, float | None], is_most: bool
) -> None:
    edition = ferry()
    rated = edition.tables["drivers"].copy()  # crew: 4.8 and 4.2
    rated.loc[rated["driver"] == "information", ["rating_superpromoters", "rating_passives"]] = lever
    made = pages(replace(edition, tables={**edition.tables, "drivers": rated}))
    told = {
        "en": ("uperpromoters give 4.8 on average for Crew , passives 4.2.", "Here we add most: s"),
        "nl": ("uperpromoters geven gemiddeld 4,8 voor Bemanning , passief tevredenen 4,2.", "Hier voegen we het"),
    }
    for language, (both, most) in told.items():
        right = text(part(made, f"{language}/index.html", "right"))
        assert both in right and (most in right) == is_most, language


def test_every_driver_word_and_change_on_the_page_is_that_of_its_table(made: dict[str, bytes]) -> None:
    edition, en = ferry(), Words("en")
    told = beside(edition.tables)
    shown = "".join(text(part(made, "en/index.html", name)) for name in ("right", "fell", "help"))
    for row in told.drivers["all"]:
        assert row.importance is not None and row.importance_low is not None and row.importance_high is not None
        words = f"{en.percent(row.importance)} {en.between_percent(row.importance_low, row.importance_high)}"
        assert (words in shown) == (row.kind is not None), row.driver
    for theme in told.themes["all"]:
        assert f"{theme.theme} {en.number(theme.respondents)} answers" in shown
    for department, rows in told.changes.items():
        path = "en/index.html" if department == "all" else f"en/{department}.html"
        time = text(part(made, path, "time"))
        for change in rows:
            cells = (
                f"Change {en.signed(change.nps_change)} Interval {en.to(change.nps_change_low, change.nps_change_high)}"
            )
            assert cells in time, (department, change.basis)


def test_every_comparison_and_limit_in_the_funnels_tables_is_that_of_its_table(made: dict[str, bytes]) -> None:
    edition, en = ferry(), Words("en")
    shown = text(part(made, "en/index.html", "departments"))
    for rows in beside(edition.tables).comparisons.values():
        for row in rows:
            assert row.nps is not None and row.nps_rest is not None and row.rest_difference is not None
            cells = f"NPS {en.points(row.nps)} Everyone else {en.points(row.nps_rest)} "
            assert cells + f"Difference {en.signed(row.rest_difference)}" in shown
            if row.funnel_low_95 is not None and row.funnel_high_95 is not None and row.nps_shrunken is not None:
                assert f"95 of 100 lie within {en.to(row.funnel_low_95, row.funnel_high_95)}" in shown
                assert f"Drawn to the mean {en.points(row.nps_shrunken)}" in shown


def test_a_shrunken_estimate_stands_in_the_table_alone_and_nothing_is_sorted_by_score(made: dict[str, bytes]) -> None:
    source = part(made, "en/index.html", "departments")
    before, _, table = source.partition('<details class="data">')
    assert "Drawn to the mean" not in before and "Drawn to the mean" in table
    names = re.findall(r'<th role="rowheader" scope="row"><bdi>([^<]*)', table.partition("</table>")[0])
    assert names[:3] == ["Bookings", "Food and drink", "Boarding"]


def test_the_funnel_tells_its_finding_and_names_who_lies_outside(made: dict[str, bytes]) -> None:
    source = part(made, "en/index.html", "departments")
    description = re.search(r'<desc id="funnel-w-d">([^<]*)', source)
    assert description is not None
    assert description[1].startswith("Two of the nine departments at the lowest level lie outside")
    for name in ("Food and drink", "Vlieland ferry"):
        assert name in description[1]
        assert len(re.findall(rf'class="tag strong"[^>]*>\u2068{name}', source)) == 2  # wide and narrow
    assert "998 of 1,000" in source and "95 of 100" in source and "together 38" in source


def test_the_funnel_says_how_many_lie_outside_on_average_whatever_their_number(made: dict[str, bytes]) -> None:
    for language, said in {
        "en": "on average, chance alone puts one in twenty outside.",
        "nl": "gemiddeld één op de twintig buiten.",
    }.items():
        assert said in text(part(made, f"{language}/index.html", "departments"))
    few = ferry(languages=("en",))
    without = replace(few, tables={**few.tables, "comparisons": few.tables["comparisons"].assign(funnel_centre=None)})
    assert "one in twenty" not in text(part(pages(without), "en/index.html", "departments"))


def test_words_are_of_whom_the_caption_says(made: dict[str, bytes]) -> None:
    assert "Words of promoters; answers" in text(part(made, "en/index.html", "right"))
    assert "Words of passives in Dutch; answers" in text(part(made, "en/index.html", "help"))
    fell = text(part(made, "en/index.html", "fell"))
    assert "What detractors write about Words of detractors; answers" in fell
    assert "delay 21 answers" in fell
    unasked = pages(replace(ferry(languages=("en",)), superpromoters_asked=False))
    assert "Superpromoters rate this high" not in unasked["en/index.html"].decode()
    assert "What superpromoters praise" not in unasked["en/index.html"].decode()


def test_a_quote_stands_bare(made: dict[str, bytes]) -> None:
    for language in ("en", "nl"):
        source = part(made, f"{language}/index.html", "right")
        quotes = re.search(r'<div class="quotes">(.*?)</div>', source, re.DOTALL)
        assert quotes is not None
        expected = sorted(QUOTES, key=lambda quote: quote[0] != language)
        assert text(quotes[1]) == " ".join(quote for _, quote in expected)
        assert re.findall(r'<blockquote class="quote"(?: lang="(\w+)")?>', quotes[1]) == [
            "" if code == language else code for code, _ in expected
        ]
        after = source[quotes.end() : source.index("<h3>", quotes.end())]
        assert not re.search(r"\d", text(after)) and not FORBIDDEN.search(text(after))
    assert made["en/index.html"].decode().count("does not make it anonymous") == 1


def test_what_would_help_is_association_and_says_so(made: dict[str, bytes]) -> None:
    told = text(part(made, "en/index.html", "help"))
    assert "Association, not cause" in told
    assert "goes together with the score: Information when plans change ." in told
    assert "Passives 3.4" in told and "Promoters 4.2" in told
    assert "Samenhang, geen oorzaak" in text(part(made, "nl/index.html", "help"))


def test_a_revision_says_that_ratings_words_and_quotes_are_those_of_the_first_release(made: dict[str, bytes]) -> None:
    said = {"en": "are those of the first release of this wave", "nl": "zijn die van de eerste publicatie"}
    revised = pages(replace(ferry(), revision=2, reason="Late answers."))
    for language, words in said.items():
        for place in ("right", "help"):
            assert words in text(part(revised, f"{language}/index.html", place))
            assert words not in text(part(made, f"{language}/index.html", place))
    assert "a revision carries from the first release" in text(made["en/method.html"].decode())


def test_how_far_it_carried_has_intervals_reach_worth_and_of_whom_the_shares_are(made: dict[str, bytes]) -> None:
    carries = text(part(made, "en/index.html", "carries"))
    for words in (
        "62% of the promoters between 58% and 66%",
        "a promoter told at least 3.1 others (between 2.9 and 3.4).",
        "Of the people they told 23% acted on it (between 20% and 26%).",
        "are worth €\u00a0122,496, at a margin of €\u00a024 each.",
        "2,339 of the 2,466 promoters answered.",
    ):
        assert " ".join(words.split()) in carries, words
    assert "worth" not in text(part(pages(replace(ferry(), margin=None)), "en/index.html", "carries"))


def test_a_break_cuts_the_line_and_says_why(made: dict[str, bytes]) -> None:
    for language, reason in zip(("en", "nl"), REASONS, strict=True):
        time = part(made, f"{language}/index.html", "time")
        assert reason in text(time)
        nps = time[: time.index('aria-labelledby="superpromoters-t')]
        assert nps.count('<path class="line"') == 2 and nps.count('class="break"') == 1


def test_the_line_over_time_is_told_in_plain_words_and_the_method_says_when_its_band_is_too_narrow(
    made: dict[str, bytes],
) -> None:
    plain = {
        "en": "the true figure most likely lies in the shaded area around it.",
        "nl": "het werkelijke cijfer ligt hoogstwaarschijnlijk in het gekleurde vlak eromheen.",
    }
    method = {
        "en": "where many people answer every wave, the true band is wider.",
        "nl": "waar veel mensen aan elke meting meedoen, is de werkelijke band breder.",
    }
    for language in ("en", "nl"):
        assert plain[language] in text(part(made, f"{language}/index.html", "time"))
        assert method[language] in text(made[f"{language}/method.html"].decode())


def test_who_answered_both_waves_and_a_year_before_are_said(made: dict[str, bytes]) -> None:
    time = text(part(made, "en/index.html", "time"))
    assert "Part of the people answered both times" in time
    assert "The NPS is 7 points higher than in October 2025." in time


def test_weights_method_and_comments_are_told_under_how_sure_we_are(made: dict[str, bytes]) -> None:
    sure = text(part(made, "en/index.html", "sure"))
    assert "With the survey’s weights the NPS is 37" in sure
    assert "unweighted ones would." in sure
    assert "Personal data were removed from the comments" in sure


@pytest.mark.parametrize(
    ("invited", "rate", "en", "nl"),
    [
        (12000, 0.4336666667, "12,000 people were invited; the answers", "of zonder score, zijn 43% van dat aantal."),
        (5000, None, "5,000 people were invited, fewer than there are answers", "minder dan er antwoorden zijn"),
        (None, None, "How many people were invited is not known", "Hoeveel mensen zijn uitgenodigd, is niet bekend"),
    ],
)
def test_what_share_of_the_invited_answered_is_told_of_the_whole_or_that_it_is_not_known(
    invited: int | None, rate: float | None, en: str, nl: str
) -> None:
    made = pages(replace(ferry(), invited=invited, response_rate=rate))
    for page in ("index", "texel-d6e7f809"):
        assert en in text(part(made, f"en/{page}.html", "sure"))
        assert nl in text(part(made, f"nl/{page}.html", "sure"))


def test_how_many_answers_five_points_take_is_said_in_tens_upwards(made: dict[str, bytes]) -> None:
    whole = ferry().metrics.query("department_id == 'all'")
    needed = responses_needed(*(int(whole[name].item()) for name in ("promoters", "passives", "detractors")), margin=5)
    said = f"{Words('en').number(-(-needed // 10) * 10)} answers such as these"
    assert f"within 5 points either way takes about {said}" in text(part(made, "en/index.html", "sure"))
    assert "tot op 5 punten naar beide kanten" in text(part(made, "nl/index.html", "sure"))


def test_how_an_interval_is_called_stands_in_the_method_alone(made: dict[str, bytes]) -> None:
    assert not re.search("Wald|Tango|design effect", text(made["en/index.html"].decode()))
    told = {
        "adjusted_wald": "is the adjusted Wald interval",
        "score": "the score interval",
        "wald": "plain Wald interval",
    }
    for interval, says in told.items():
        other = pages(replace(ferry(languages=("en",)), interval=interval))
        assert says in text(other["en/method.html"].decode())


def test_every_table_has_its_download_and_every_link_leads_to_one(made: dict[str, bytes]) -> None:
    for name, columns in BESIDE.items():
        for language in ("en", "nl"):
            source = made[f"downloads/{name}-{language}.csv"].decode("utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(source, newline="")))
            assert tuple(rows[0]) == columns and len(rows) == len(ferry().tables[name])
        assert f"../downloads/{name}-en.csv" in made["en/index.html"].decode()
    assert "Sailing on time" in made["downloads/drivers-en.csv"].decode()
    assert not [path for path in pages(airport()) if re.search("themes|quotes|drivers|funnel", path)]


def test_what_was_not_asked_or_cannot_be_told_is_said() -> None:
    made = pages(airport())
    assert "What would help was not asked" in text(part(made, "en/index.html", "help"))
    asked = pages(replace(airport(), drivers_asked=True))
    assert "Too few answered these questions here" in text(part(asked, "en/index.html", "help"))
    assert "Which departments differ" not in text(part(made, "en/index.html", "departments"))


def hostile_tables() -> Edition:
    edition = ferry()
    tables = {name: frame.copy() for name, frame in edition.tables.items()}
    tables["themes"]["theme"], tables["themes"]["language"] = HOSTILE, RIGHT_TO_LEFT
    tables["quotes"]["quote"], tables["drivers"]["driver"] = "=cmd|' /C calc'!A0" + HOSTILE, HOSTILE
    for language in ("en", "nl"):
        tables["trends"].loc[tables["trends"]["is_break"], f"break_reason_{language}"] = HOSTILE
    labels = {HOSTILE: {"en": HOSTILE, "nl": RIGHT_TO_LEFT}}
    names = edition.departments.assign(name_en=[f"{HOSTILE}{n}" for n in range(15)])
    return replace(edition, tables=tables, driver_labels=labels, departments=names)


def test_hostile_words_quotes_labels_and_reasons_are_text() -> None:
    made = pages(hostile_tables())
    for path, source in made.items():
        if path.endswith(".html"):
            page = Page(source)
            assert not {"script", "img", "iframe"} & {tag for tag, _ in page.elements}, path
            assert page.open == [], path
            assert "&lt;bdi&gt;" not in source.decode(), path
    rows = csv.DictReader(io.StringIO(made["downloads/quotes-en.csv"].decode("utf-8-sig"), newline=""))
    assert all(row["quote"].startswith("'=") for row in rows)
