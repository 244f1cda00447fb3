"""Both languages are complete, and write numbers, intervals and waves as their readers do."""

import re
from datetime import date

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from markupsafe import Markup

from tests.transforms.report.places import REPORT
from transforms.report.edition import LANGUAGES
from transforms.report.words import SOURCE, Words, collated

KEYWORDS = {"say": None, "count": (1, 2)}
METHODS = [("**.py", "python"), ("**.jinja", "jinja2")]
NAMED = re.compile(r"%\(\w+\)s|%%")
Text = str | tuple[str, ...]


def messages() -> set[Text]:
    """Every message that code and templates ask for."""
    found = extract_from_dir(str(REPORT), METHODS, keywords=KEYWORDS)
    return {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


def catalogue(language: str) -> dict[Text, Message]:
    with (REPORT / "languages" / f"{language}.po").open("rb") as file:
        read = read_po(file, locale=language, abort_invalid=True)
    return {message.id if isinstance(message.id, str) else tuple(message.id): message for message in read if message.id}


def texts(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    """A message's text, or its singular and plural."""
    return [value or ""] if value is None or isinstance(value, str) else list(value)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_every_message_is_translated_and_none_is_left_over(language: str) -> None:
    found = catalogue(language)
    assert messages() - set(found) == set()
    assert set(found) - messages() == set()
    for message in found.values():
        assert all(texts(message.string)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_a_translation_fills_in_what_the_message_does(language: str) -> None:
    for message in catalogue(language).values():
        ids, strings = texts(message.id), texts(message.string)
        counted = {"%(number)s"} if len(ids) > 1 else set()
        allowed = {name for text in ids for name in NAMED.findall(text)} | counted
        for text in strings:
            assert set(NAMED.findall(text)) <= allowed, message.id
            assert "%" not in NAMED.sub("", text), message.id
        assert set(NAMED.findall(strings[-1])) >= set(NAMED.findall(ids[-1])) - counted, message.id


def test_numbers_stand_in_the_readers_notation_with_real_minus_signs() -> None:
    en, nl = Words("en"), Words("nl")
    assert (en.number(1234567), nl.number(1234567)) == ("1,234,567", "1.234.567")
    assert (en.percent(0.4785, 1), nl.percent(0.4785, 1)) == ("47.9%", "47,9%")
    assert (en.points(-3.5), nl.points(-3.5)) == ("−4", "−4")
    assert (en.signed(7.6), en.signed(-7.6), en.signed(0.2)) == ("+8", "−8", "0")
    assert nl.decimal(-0.04, 1) == "0,0"


def test_intervals_are_words_in_prose_and_never_have_a_dash() -> None:
    assert Words("en").between(38.2, 41.9) == "between 38 and 42"
    assert Words("nl").between(38.2, 41.9) == "tussen 38 en 42"
    assert Words("en").to(-4.4, 2) == "−4 to 2"
    assert Words("nl").to_percent(0.448, 0.502, 1) == "44,8 tot 50,2%"


@pytest.mark.parametrize(
    ("label", "en", "nl"),
    [
        ("2026-10", "October 2026", "oktober 2026"),
        ("2026-Q4", "4th quarter 2026", "4e kwartaal 2026"),
        ("2026", "2026", "2026"),
        ("after the move", "after the move", "after the move"),
        ("2026-13", "2026-13", "2026-13"),
        ("0000-01", "0000-01", "0000-01"),
    ],
)
def test_a_wave_is_named_as_people_name_it(label: str, en: str, nl: str) -> None:
    assert Words("en").wave(label) == en
    assert Words("nl").wave(label) == nl


def test_the_year_is_left_out_beside_a_wave_of_the_same_year() -> None:
    assert Words("en").wave_beside("2026-09", "2026-10") == "September"
    assert Words("en").wave_beside("2025-12", "2026-01") == "December 2025"
    assert Words("nl").wave_beside("2026-Q3", "2026-Q4") == "3e kwartaal"
    assert Words("nl").wave_beside("2025", "2026") == "2025"


def test_small_numbers_are_words_in_running_text() -> None:
    assert [Words("en").spelled(n) for n in (0, 1, 12, 13)] == ["0", "one", "twelve", "13"]
    assert Words("nl").spelled(1) == "één"


def test_a_name_in_a_sentence_is_escaped_and_markup_is_kept() -> None:
    words = Words("en")
    assert words.say("The parts of %(name)s", name="<b>") == "The parts of <b>"  # escaped by the template
    marked = words.say("The parts of %(name)s", name=Markup("<bdi>%s</bdi>") % "<b>")
    assert marked == "The parts of <bdi>&lt;b&gt;</bdi>"


def test_names_are_sorted_as_readers_sort_them() -> None:
    assert sorted(["Zee", "Éen", "eten", "Ameland", "ärger"], key=collated) == [
        "Ameland",
        "ärger",
        "Éen",
        "eten",
        "Zee",
    ]
    assert sorted(["Gate 10", "Gate 2", "gate 2b", "12", "7"], key=collated) == [
        "7",
        "12",
        "Gate 2",
        "gate 2b",
        "Gate 10",
    ]
    assert sorted(["A b", "A", "٣abc", "9" * 5000, " x", "-"], key=collated)[0] == "9" * 5000


def test_days_are_written_out() -> None:
    assert Words("en").day(date(2026, 11, 10)) == "Tuesday 10 November 2026"
    assert Words("nl").day(date(2026, 11, 10)) == "dinsdag 10 november 2026"
