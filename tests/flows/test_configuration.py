"""An error in zwerm.toml tells the file, the line, the key, what was found and what is allowed."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from flows.command import calls
from flows.command.status import status
from flows.configuration import load
from flows.errors import ConfigurationError
from flows.recipients import MailServer, Recipient
from flows.releasing.opening import CONFIRM_SECONDS
from flows.settings import Settings, Windows
from warehouse.moments import APART

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
        ('[[audience]]\nemail = { to = ["a@b.example"], server = "relay" }', 2, "names the server 'relay'"),
        ("[release]\ntolerance_ms = 0", 2, "greater than or equal to 1"),
        ('[[calendar.guests]]\nwave = "2026-11"', 1, "'at' is needed here"),
        ("[surveys.guests]\nmin_respondents = 1", 2, "greater than or equal to 3"),
        ('[surveys.guests.invited]\n"2026-10" = 0', 2, "greater than or equal to 1"),
        ('[surveys.guests.invited]\n"2026-10" = "many"', 2, "valid integer"),
        ('[surveys.guests.invited]\n"2026-13" = 900', 1, "'2026-13' is no wave of this survey; its waves are called"),
        ('[surveys.guests]\nwave = { value = "spring" }\ninvited = { summer = 9 }', 3, 'called as in "spring" = 12000'),
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
    with pytest.raises(ConfigurationError, match=rf"line 1, calendar.guests.0.at: .* {says}") as error:
        load(written(tmp_path, calendar + SMALLEST))
    assert f"found:   {at}\n  allowed: a time that the clocks show once" in str(error.value)


def test_names_that_nothing_has_are_all_told_with_line_found_and_allowed(tmp_path: Path) -> None:
    wrong = (
        "[surveys.guests.checks]\nscore_in_rnage = { most = 0.1 }\nresponse_volume = { most = 0.1, lowest = 0.5 }\n"
        'weight_in_range = { most = 0.5 }\n[calendar]\ngests = [{ wave = "x", at = "2026-12-08T09:30" }]\n'
        '[[audience]]\nemail = { to = ["a@b.example"], server = "rely" }\n'
        '[servers.relay]\nsmtp = "smtp://localhost:1"\nfrom = "a@b.example"\n'
    )
    path = written(tmp_path, wrong + SMALLEST)
    with pytest.raises(ConfigurationError) as error:
        load(path)
    told = (
        ("line 2, surveys.guests.checks.score_in_rnage", "score_in_rnage", "Did you mean 'score_in_range'?"),
        ("line 3, surveys.guests.checks.response_volume", "most, lowest", "lowest, severity"),
        ("line 6, calendar.gests", "gests", "guests. Did you mean 'guests'?"),
        ("line 8, audience.0.email.server", "rely", "relay. Did you mean 'relay'?"),
    )
    faults = str(error.value).split(f"{path}, ")[1:]
    assert len(faults) == len(told)
    for fault, (place, found, allowed) in zip(faults, told, strict=True):
        assert fault.startswith(f"{place}: ")
        assert f"found:   {found}\n" in fault
        assert fault.strip().endswith(allowed)


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


# -- an audience that cannot be armed

RELAY = '[servers.relay]\nsmtp = "smtp://localhost:1"\nfrom = "a@b.example"\n'
MAIL = '[[audience]]\nlanguage = "{}"\nemail = {{ to = ["a@b.example"], server = "relay" }}\n'
UNARMABLE = [
    (
        RELAY + "max_connections = 1\n" + MAIL.format("nl") + MAIL.format("en"),
        ("line 4, servers.relay.max_connections", "the audience needs 2 at once", "found:   1", "allowed: 2 or more"),
    ),
    (
        '[[audience]]\n[audience.webhook]\nurl = "https://hooks.example/t0ken"\nidle_timeout_seconds = 8\n',
        ("line 4", "lets go of a silent connection after 8 s, and release.windows.webhook holds it for 10 s before T"),
    ),
    (
        "[release.windows]\nemail = 50\n" + RELAY + "idle_timeout_seconds = 50\n" + MAIL.format("nl"),
        (
            "line 6, servers.relay.idle_timeout_seconds",
            "found:   50",
            "more than 50, or a release.windows.email of less",
        ),
    ),
    (
        '[[audience]]\nsftp = { url = "sftp://me@host.example/in", idle_timeout_seconds = 20 }\n',
        ("line 2", "found:   20", "allowed: more than 25, or a release.windows.sftp of less than 20"),
    ),
]


@pytest.mark.parametrize(("said", "told"), UNARMABLE, ids=["connections", "webhook", "email", "sftp"])
def test_an_audience_that_cannot_be_armed_is_refused_when_the_configuration_is_read(
    tmp_path: Path, said: str, told: tuple[str, ...]
) -> None:
    path = written(tmp_path, said + SMALLEST)
    with pytest.raises(ConfigurationError) as error:
        load(path)
    for words in (str(path), *told):
        assert words in str(error.value)
    assert "t0ken" not in str(error.value)


def test_every_call_that_reads_the_configuration_refuses_such_an_audience(tmp_path: Path) -> None:
    path = written(tmp_path, UNARMABLE[0][0] + SMALLEST)
    refused: list[Callable[[], object]] = [
        lambda: status(path, release=None),
        lambda: calls.check(config=path, survey=None, quiet=True),
        lambda: calls.recover(config=path, quiet=True),
    ]
    for call in refused:
        with pytest.raises(ConfigurationError, match="the audience needs 2 at once"):
            call()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["zwerm.toml"]


def test_a_server_that_bears_the_window_and_one_that_nobody_uses_are_taken(tmp_path: Path) -> None:
    hook = '[[audience]]\nwebhook = { url = "https://hooks.example/", idle_timeout_seconds = 11 }\n'
    unused = RELAY + "idle_timeout_seconds = 1\nmax_connections = 1\n"
    assert load(written(tmp_path, hook + unused + SMALLEST)).audience[0].webhook is not None
    longer = "[release.windows]\nwebhook = 11\n" + hook
    with pytest.raises(ConfigurationError, match=r"release\.windows\.webhook holds it for 11 s"):
        load(written(tmp_path, longer + SMALLEST))


@pytest.mark.parametrize("channel", list(Windows.model_fields))
def test_no_window_is_so_long_that_two_moments_would_meet(tmp_path: Path, channel: str) -> None:
    longest = APART.total_seconds() - CONFIRM_SECONDS - 30
    assert load(written(tmp_path, f"[release.windows]\n{channel} = {longest}\n{SMALLEST}"))
    with pytest.raises(ConfigurationError, match=rf"line 2, release\.windows\.{channel}: .*less than or equal to 60"):
        load(written(tmp_path, f"[release.windows]\n{channel} = {longest + 1}\n{SMALLEST}"))


# -- no key makes a preview

WHO, WHERE, PROOF, LANGUAGE = "who it is", "where he is reached", "what proves it", "in which language he is written to"
WRAPPED = "how the same content is wrapped"  # for the same moment: the envelope tells nothing before it
BOUND = "what his server bears, else nobody gets anything"
ONE_T = "the one moment of everybody"
CONTENT = "what everybody reads"
OURS = "where things lie, what this host needs"
OF_A_RECIPIENT = {WHO, WHERE, PROOF, LANGUAGE, WRAPPED, BOUND}
KEYS: Mapping[str, Mapping[str, str]] = {
    "Recipient": {
        **{"department": WHO, "manager": WHO, "language": LANGUAGE},
        **dict.fromkeys(("email", "webhook", "folder", "share", "sftp", "object_store", "announce"), WHERE),
    },
    "Email": {"to": WHERE, "server": WHERE},
    "Webhook": {"url": WHERE, "secret": PROOF, "sealed": WRAPPED, "idle_timeout_seconds": BOUND},
    "Sftp": {
        **{"url": WHERE, "private_key": PROOF, "password": PROOF, "known_hosts": PROOF},
        "idle_timeout_seconds": BOUND,
    },
    "ObjectStore": {
        **{"url": WHERE, "endpoint": WHERE, "region": WHERE},
        **{"access_key_id": PROOF, "secret_access_key": PROOF},
    },
    "Announcement": {"url": WHERE},
    "MailServer": {
        **{"smtp": WHERE, "from": WHO, "user": PROOF, "password": PROOF, "tls": WRAPPED},
        **{"max_connections": BOUND, "idle_timeout_seconds": BOUND},
    },
    "ReleasePolicy": {"at": ONE_T, "late": ONE_T, "tolerance_ms": BOUND, "require_synchronised_clock": BOUND}
    | {"windows": BOUND, "access_log": OURS},
    "Windows": dict.fromkeys(("webhook", "email", "share", "sftp", "object_store"), BOUND),
    "PlannedMoment": {"wave": CONTENT, "at": ONE_T, "meeting": CONTENT},
    "Settings": {
        **{"home": OURS, "servers": WHERE, "audience": WHO, "organisation": CONTENT, "surveys": CONTENT},
        **{"departments": CONTENT, "release": ONE_T, "calendar": ONE_T},
    },
    "Organisation": {"name": CONTENT, "languages": CONTENT, "timezone": ONE_T, "site_url": CONTENT},
    "DepartmentEntry": dict.fromkeys(("path", "name", "valid_from", "valid_until", "was"), CONTENT),
    "Survey": {
        **dict.fromkeys(("title", "respondents", "wave", "duplicates", "min_respondents", "sources", "roles"), CONTENT),
        **{"superpromoters": CONTENT, "weighting": CONTENT, "interval": CONTENT, "checks": CONTENT, "schedule": OURS},
        **{"breaks": CONTENT, "segment_levels": CONTENT, "windows": CONTENT, "invited": CONTENT},
        "comments": CONTENT,
    },
    "Break": {"wave": CONTENT, "reason": CONTENT},
    "WaveColumn": {"column": CONTENT},
    "WaveValue": {"value": CONTENT},
    "FilesSource": dict.fromkeys(("type", "path", "sheet", "delimiter", "encoding", "download"), OURS),
    "Roles": dict.fromkeys(
        (
            *("score", "response_id", "respondent_id", "responded_at", "department", "weight", "told_count"),
            *("acted_count", "copied", "warned_count", "warned_acted_count", "comment", "drivers", "segments"),
            *("stratum", "cluster"),
        ),
        CONTENT,
    ),
    "Role": dict.fromkeys(("column", "sql", "missing", "values", "scale", "format", "language"), CONTENT),
    "Driver": dict.fromkeys(("column", "sql", "missing", "values", "scale", "format", "language", "label"), CONTENT),
    "Weighting": {"margins": CONTENT},
    "Superpromoters": dict.fromkeys(("told_min", "definition", "margin", "currency"), CONTENT),
    "Comments": dict.fromkeys(("names", "order_numbers", "show", "quotes"), CONTENT),
    "CheckSetting": {"severity": CONTENT, "most": CONTENT, "lowest": CONTENT},
    "Schedule": {"cron": OURS},
}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


def reached(start: type[BaseModel]) -> dict[str, set[str]]:
    """Every model that can be reached from one, with the keys that it knows."""
    found: dict[str, set[str]] = {}
    left = [start]
    while left:
        model = left.pop()
        if model.__name__ not in found:
            found[model.__name__] = {field.alias or name for name, field in model.model_fields.items()}
            left += [inner for field in model.model_fields.values() for inner in models(field.annotation)]
    return found


def test_every_key_of_the_configuration_was_thought_about_and_none_makes_a_preview() -> None:
    """A new key fails here until somebody has said what it does: no word for it means earlier, more or other."""
    assert {name: set(keys) for name, keys in KEYS.items()} == reached(Settings)
    for model in {*reached(Recipient), *reached(MailServer)}:
        assert set(KEYS[model].values()) <= OF_A_RECIPIENT, (
            f"{model}: a recipient has no time and no content of his own"
        )


def test_a_time_stands_only_where_it_is_everybodys() -> None:
    timed = {name for name, keys in KEYS.items() if ONE_T in keys.values()}
    assert timed == {"Settings", "Organisation", "ReleasePolicy", "PlannedMoment"}
    assert not timed & {*reached(Recipient), *reached(MailServer)}
