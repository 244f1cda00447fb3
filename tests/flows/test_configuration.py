"""An error in zwerm.toml tells the file, the line, the key, what was found and what is allowed."""

from pathlib import Path

import pytest

from flows.configuration import load
from flows.errors import ConfigurationError

SMALLEST = """
[[surveys.guests.sources]]
path = "guests.csv"
[surveys.guests.roles]
score = "nps"
responded_at = "day"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "zwerm.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_configuration_has_defaults_for_everything_else(tmp_path: Path) -> None:
    settings = load(written(tmp_path, SMALLEST))
    assert settings.home == tmp_path
    assert settings.surveys["guests"].min_respondents == 10
    assert settings.surveys["guests"].roles.score.column == "nps"


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ('[organisation]\nlangages = ["nl"]', 2, "Did you mean 'languages'?"),
        ('[organisation]\ntimezone = "Mars/Base"', 2, "is not a time zone"),
        ('[surveys.guests]\nwave = "week"', 2, "'month', 'quarter' or 'year'"),
        ('[[audience]]\nfolder = "a"\n[[audience]]\nwebhook = { url = "ftp://x" }', 4, "is not an http"),
        ('[[audience]]\nemail = { to = ["a@b.example"], server = "relay" }', 0, "names the server 'relay'"),
        ("[release]\ntolerance_ms = 0", 2, "greater than or equal to 1"),
        ('[[calendar.guests]]\nwave = "2026-11"', 1, "'at' is needed here"),
        ("[surveys.guests]\nmin_respondents = 1", 2, "greater than or equal to 3"),
    ],
)
def test_an_error_names_file_line_key_and_what_is_allowed(tmp_path: Path, change: str, line: int, says: str) -> None:
    path = written(tmp_path, f"{change}\n{SMALLEST}")
    with pytest.raises(ConfigurationError) as error:
        load(path)
    assert says in str(error.value)
    assert f"{path}, line {line}" in str(error.value) if line else str(path) in str(error.value)
    assert error.value.exit_code == 2


def test_a_one_to_five_scale_is_refused_unless_it_is_mapped(tmp_path: Path) -> None:
    score = 'score = { column = "q", scale = [1, 5] }'
    with pytest.raises(ConfigurationError, match="map other scales"):
        load(written(tmp_path, SMALLEST.replace('score = "nps"', score)))
    mapped = 'score = { column = "q", values = { 1 = 0, 2 = 3, 3 = 6, 4 = 8, 5 = 10 } }'
    assert load(written(tmp_path, SMALLEST.replace('score = "nps"', mapped)))


@pytest.mark.parametrize(("at", "says"), [("2026-03-29T02:30", "does not exist"), ("2026-10-25T02:30", "exists twice")])
def test_a_moment_that_the_clock_skips_or_shows_twice_is_refused(tmp_path: Path, at: str, says: str) -> None:
    calendar = f'calendar.guests = [{{ wave = "x", at = "{at}" }}]\n[organisation]\ntimezone = "Europe/Amsterdam"'
    with pytest.raises(ConfigurationError, match=says):
        load(written(tmp_path, calendar + SMALLEST))


def test_a_variable_comes_from_the_environment_and_a_missing_one_tells_where_to_get_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALLEST.replace('"guests.csv"', '"${GUESTS_CSV}"\ndownload = "https://data.example/guests"')
    monkeypatch.delenv("GUESTS_CSV", raising=False)
    with pytest.raises(ConfigurationError, match=r"line 3.*GUESTS_CSV is not set.*https://data.example/guests"):
        load(written(tmp_path, text))
    monkeypatch.setenv("GUESTS_CSV", "/tmp/g.csv")
    assert load(written(tmp_path, text)).surveys["guests"].sources[0].path == "/tmp/g.csv"


def test_a_secret_is_in_no_error_message(tmp_path: Path) -> None:
    text = '[[audience]]\nwebhook = { url = "x", secret = "s3cr3t-w0rd", more = 1 }\n' + SMALLEST
    with pytest.raises(ConfigurationError) as error:
        load(written(tmp_path, text))
    assert "s3cr3t-w0rd" not in str(error.value)


def test_a_broken_file_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"this is not TOML.*line 2"):
        load(written(tmp_path, 'a = 1\nb = "\n'))
    with pytest.raises(ConfigurationError, match="zwerm init"):
        load(tmp_path / "nothing.toml")
