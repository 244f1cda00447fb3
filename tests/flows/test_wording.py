"""Comments on their way through a run: cleaned once, anew where the settings changed, and never told to anyone."""

import logging
from pathlib import Path

import pytest

from flows.errors import ConfigurationError
from flows.preparing import wording
from flows.run import Run
from tests.flows.whole import Survey

CANARY = "kanarie"
CONFIGURATION = """
[organisation]
name = "Waddenlijn"
languages = ["nl", "en"]
timezone = "Europe/Amsterdam"

[surveys.guests]
wave = { value = "2026-10" }

[surveys.guests.roles]
score = "score"
department = ["unit"]
comment = { column = "why", language = "lang" }
"""
ROWS = [
    ("Texel", 9, f"Bel {CANARY} op 06-12345678, of mail {CANARY}@voorbeeld.nl", "nl"),
    ("Texel", 9, "Call me on 07911 123456", "English"),
    ("Texel", 3, "Mijn ZW-123456 zoek, zei Kanariestra", ""),
    ("Ports", 9, "Top!", "nl"),
    ("Ports", 8, "Top!", "nl"),
    ("Ports", 8, "", "nl"),
]


def written(folder: Path, more: str = "") -> Survey:
    filler = [("Texel" if n % 2 else "Ports", 7 + n % 4, "", "") for n in range(60)]
    lines = [f'{unit},{score},"{why}",{language}' for unit, score, why, language in [*ROWS, *filler]]
    rows = "\n".join(["unit,score,why,lang", *lines, ""])
    return Survey.written(folder, rows, configuration=CONFIGURATION, more=more)


def cleaned(survey: Survey) -> dict[int, tuple[str, str, dict[str, int], str]]:
    with Run.begin(survey.config).store() as store:
        rows = store.rows("select record_number, language, comment, removed, version from core.comments")
    return {number: (language, comment, removed, version) for number, language, comment, removed, version in rows}


def test_comments_are_cleaned_once_and_anew_where_what_is_personal_changed(tmp_path: Path) -> None:
    survey = written(tmp_path)
    assert survey.release() is not None
    first = cleaned(survey)
    assert {number: row[:3] for number, row in first.items()} == {
        1: ("nl", f"Bel {CANARY} op [telefoonnummer], of mail [e-mailadres]", {"email": 1, "phone": 1}),
        2: ("en", "Call me on [phone number]", {"phone": 1}),
        3: ("nl", "Mijn ZW-123456 zoek, zei Kanariestra", {}),
        4: ("nl", "Top!", {}),
        5: ("nl", "Top!", {}),
    }
    (tmp_path / "names.txt").write_text("# wie hier werkt\nKanariestra\n", encoding="utf-8")
    written(tmp_path, '[surveys.guests.comments]\nnames = "names.txt"\norder_numbers = ["[A-Z]{2}-[0-9]{6}"]\n')
    run = Run.begin(survey.config)
    with run.store() as store:
        store.run("create temporary view counted as from core.responses")
        assert wording.clean(store, run, "guests") == 5
        assert wording.clean(store, run, "guests") == 0
    again = cleaned(survey)
    assert again[3][1:3] == ("Mijn [bestelnummer] zoek, zei [naam]", {"name": 1, "order_number": 1})
    assert {row[3] for row in again.values()}.isdisjoint({row[3] for row in first.values()})
    assert len(again) == len(first)


def test_comments_that_are_not_shown_are_not_read(tmp_path: Path) -> None:
    survey = written(tmp_path, "[surveys.guests.comments]\nshow = false\n")
    assert survey.release() is not None
    assert cleaned(survey) == {}


def test_the_rehearsal_tells_kinds_and_never_a_text(tmp_path: Path) -> None:
    from flows.command.rehearsal import rehearse

    found = rehearse(Run.begin(written(tmp_path).config), "guests")
    assert any(line.endswith("which is removed: email in 1, phone in 2") for line in found.lines)
    assert CANARY not in "\n".join(found.lines).casefold()


def test_no_comment_is_told_to_anyone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        survey = written(tmp_path)
        assert survey.release() is not None
    told = capfd.readouterr()
    assert CANARY not in (told.out + told.err + caplog.text).casefold()
    home = Run.begin(survey.config).home
    places = (home.check_reports, home.published, home.releases, home.working / "private")
    files = [path for place in places if place.exists() for path in place.rglob("*") if path.is_file()]
    assert files
    assert [str(path) for path in files if CANARY.encode() in path.read_bytes().lower()] == []


def test_a_list_of_names_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    run = Run.begin(written(tmp_path, '[surveys.guests.comments]\nnames = "nobody.txt"\n').config)
    with pytest.raises(ConfigurationError, match=r"nobody\.txt cannot be read"):
        wording.cleaner(run, "guests")


@pytest.mark.parametrize("pattern", ["[A-Z", r"\d*"])
def test_a_pattern_that_is_none_or_matches_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ConfigurationError, match=r"regular expression|matches nothing"):
        Run.begin(written(tmp_path, f"[surveys.guests.comments]\norder_numbers = ['{pattern}']\n").config)
