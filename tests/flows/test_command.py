import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from flows.__main__ import zwerm
from flows.home import Home
from flows.releasing.moment import plan, record, stage
from tests.flows.sealed import sealed, settings_for

ROOT = Path(__file__).parents[2]
HEAVY = (
    "prefect",
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "great_expectations",
    "altair",
    "scipy",
    "pydantic",
    "jinja2",
)
TOML = """
[surveys.passengers]
wave = { value = "2026-10" }
sources = [{ path = "exports/*.csv" }]
roles = { score = "NPS" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zwerm.toml").write_text(TOML)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "october.csv").write_text("NPS\n9\n3\n")
    return tmp_path


@pytest.fixture(autouse=True)
def no_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def called(*words: str, folder: Path) -> Result:
    """The command in this process, its imports paid for once."""
    earlier = Path.cwd()
    os.chdir(folder)
    try:
        return copy_context().run(CliRunner().invoke, zwerm, words)  # --json silences the rest of its context
    finally:
        os.chdir(earlier)


def called_outside(*words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own."""
    command, environment = [sys.executable, "-m", "flows", *words], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder or ROOT, env=environment, capture_output=True, text=True, check=False)


def seconds(command: Sequence[str], times: int = 5) -> float:
    """The median of some processes."""

    def once() -> float:
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.monotonic() - began

    return statistics.median(once() for _ in range(times))


def test_help_answers_at_once() -> None:
    seconds([sys.executable, "-m", "flows", "--help"], times=1)  # compiled once
    bare = seconds([sys.executable, "-c", "pass"])
    assert seconds([sys.executable, "-m", "flows", "--help"]) < 0.3 + 3 * bare


def test_nothing_heavy_is_imported_for_help() -> None:
    code = f"import sys, flows.__main__; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_every_call_has_a_line_of_help_that_is_not_cut(folder: Path) -> None:
    said = called_outside("--help").stdout
    commands = said.split("Commands:")[1]
    for name, command in zwerm.commands.items():
        assert command.short_help
        assert len(command.short_help) <= 60
        assert re.search(rf"^  {name}\s+{re.escape(command.short_help)}$", commands, flags=re.MULTILINE)
    assert "..." not in commands
    assert "Exit codes: 0 done" in said


@pytest.mark.parametrize("name", sorted(zwerm.commands))
def test_every_option_is_explained(name: str) -> None:
    command = zwerm.commands[name]
    assert command.help
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, f"{name} {parameter.name}"


def test_the_version_is_the_distributions_own() -> None:
    assert called_outside("--version").stdout == f"zwerm {metadata.version('zwerm')}\n"


def test_sources_are_listed() -> None:
    said = called_outside("sources")
    assert said.returncode == 0
    assert said.stdout.startswith("files ")


@pytest.mark.parametrize("call", ["run", "check", "status", "doctor", "recover"])
def test_a_configuration_that_is_wrong_ends_with_2_and_says_where(folder: Path, call: str) -> None:
    (folder / "zwerm.toml").write_text(TOML + "[relaese]\n")
    said = called(call, folder=folder)
    assert said.exit_code == 2
    assert "unknown key 'relaese'" in said.output
    assert "Did you mean 'release'?" in said.output


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--survey", "pasengers"),
        ("check", "--survey", "pasengers"),
        ("backfill", "--survey", "pasengers", "--from", "2026-09", "--to", "2026-10"),
    ],
)
def test_a_survey_that_is_not_configured_ends_with_2_and_lists_those_that_are(
    folder: Path, words: tuple[str, ...]
) -> None:
    said = called(*words, folder=folder)
    assert said.exit_code == 2
    assert "has no survey 'pasengers'; it has: passengers" in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        *(("frobnicate",), ("run", "--wavve", "x"), ("backfill",), ("status", "abc")),
        *(("release", "--retry", "deadbeef"), ("release", "nosuch", "--withdraw", "--reason", "x")),
    ],
)
def test_a_call_that_is_wrong_ends_with_2(folder: Path, words: tuple[str, ...]) -> None:
    assert called(*words, folder=folder).exit_code == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [("NSP,team\n9,North\n", "'NPS' not found"), ("", "is empty"), ("NPS,team\n", "holds no records")],
)
def test_a_file_that_is_not_what_was_agreed_ends_with_3(folder: Path, content: str, says: str) -> None:
    (folder / "exports" / "october.csv").write_text(content)
    said = called("check", folder=folder)
    assert (said.exit_code, says in said.stderr) == (3, True), said.output


def test_a_rehearsal_tells_what_would_be_held_and_what_counts_once(folder: Path) -> None:
    for name in ("october.csv", "october again.csv"):
        (folder / "exports" / name).write_text("NPS,team\n" + "9,North\n8,South\n" * 10)
    config = folder / "zwerm.toml"
    mapped = config.read_text().replace('"NPS" }', '"NPS", department = "team" }')
    config.write_text(mapped + '\n[[audience]]\ndepartment = ["North"]\nfolder = "shares/north"\n')
    said = called("check", folder=folder)
    assert said.exit_code == 4, said.output
    assert "not among the departments" not in said.stdout
    for words in ("South: nobody receives", "a release would be held: add an [[audience]]", "they count once"):
        assert words in said.stdout, words


def test_a_rehearsal_names_a_mistyped_department_of_the_audience_before_any_release(folder: Path) -> None:
    (folder / "exports" / "october.csv").write_text("NPS,team\n" + "9,North\n8,South\n" * 10)
    config = folder / "zwerm.toml"
    recipients = '[[audience]]\nfolder = "a"\n[[audience]]\ndepartment = ["Norht"]\nfolder = "b"\n'
    config.write_text(config.read_text().replace('"NPS" }', '"NPS", department = "team" }') + recipients)
    said = called("check", folder=folder)
    assert said.exit_code == 0, said.output
    remark = "remark: a recipient is of Norht, which is not among the departments; did you mean ['North']?"
    assert said.stdout.splitlines()[-1] == remark
    told = json.loads(called("check", "--json", folder=folder).stdout)
    assert told["strangers"] == [{"path": ["Norht"], "meant": ["North"]}]
    config.write_text(config.read_text() + '[[departments]]\npath = ["Norht"]\n')
    assert "Norht" not in called("check", folder=folder).stdout


def test_a_rehearsal_says_how_many_distinct_values_it_does_not_show(folder: Path) -> None:
    answers = "".join(f"9,{number}\n" for number in range(1, 26))
    (folder / "exports" / "october.csv").write_text(f"NPS,w\n{answers}")
    config = folder / "zwerm.toml"
    config.write_text(config.read_text().replace('"NPS" }', '"NPS", weight = "w" }'))
    said = called("check", folder=folder)
    assert "    20\n    … and 5 more distinct values\n" in said.stdout, said.output


def test_a_home_that_cannot_be_made_ends_with_2_and_is_named(folder: Path) -> None:
    config = folder / "zwerm.toml"
    (folder / "taken").write_text("a file, where a folder should be")
    config.write_text('home = "taken/home"\n' + config.read_text())
    said = called("check", folder=folder)
    assert (said.exit_code, f"home {folder / 'taken' / 'home'} cannot be made" in said.stderr) == (2, True), said.output


def test_without_a_configuration_it_says_how_to_write_one(tmp_path: Path) -> None:
    said = called("status", folder=tmp_path)
    assert said.exit_code == 2
    assert "zwerm init" in said.stderr


def test_json_is_all_that_is_printed(folder: Path) -> None:
    home = Home(folder).prepare()
    settings, one = settings_for(home), sealed(home)
    record(home, one)
    plan(home, [one], at=datetime.now(UTC) + timedelta(hours=1))
    stage(home, settings, [one])
    for words in (("status",), ("status", one), ("doctor",), ("recover",), ("check",)):
        said = called(*words, "--json", folder=folder)
        assert said.exit_code == 0, said.output
        assert isinstance(json.loads(said.stdout)["lines"], list)
        assert said.stderr == ""
    outside = called_outside("check", "--json", folder=folder)
    assert (outside.returncode, outside.stderr) == (0, "")
    assert json.loads(outside.stdout)["stops"] is False


def failed(*words: str, folder: Path) -> dict[str, Any]:
    """What a machine is told of a call that fails: JSON alone on stdout, with the code that the call ends with."""
    said = called(*words, "--json", folder=folder)
    told: dict[str, Any] = json.loads(said.stdout)
    assert told["exit_code"] == said.exit_code != 0, said.output
    return told


def test_json_tells_of_a_call_that_fails_too_and_a_person_reads_it_still(folder: Path) -> None:
    said = called("check", "--survey", "pasengers", "--json", folder=folder)
    told = json.loads(said.stdout)
    assert (told["exit_code"], said.exit_code) == (2, 2)
    assert "has no survey 'pasengers'" in told["error"]
    assert told["error"] in said.stderr
    assert "No such option" in failed("run", "--wavve", "x", folder=folder)["error"]
    assert "No such command" in failed("frobnicate", folder=folder)["error"]
    config = folder / "zwerm.toml"
    config.write_text('[[audience]]\nwebhook = { url = "x", secret = "s3cr3t-w0rd" }\n' + config.read_text())
    for words in (("status",), ("run",), ("check",)):
        told = failed(*words, folder=folder)
        assert "line 2, audience.0.webhook" in told["error"]
        assert "s3cr3t" not in str(told)
    assert "line 2, audience.0.webhook" in failed("doctor", folder=folder)["error"]


def test_json_of_a_rehearsal_tells_what_would_stop_or_hold_a_run_in_fields(folder: Path) -> None:
    (folder / "exports" / "october.csv").write_text(
        "NPS,team,id\n" + "9,North,1\n8,South,2\neleven,South,3\n8,South,2\n"
    )
    config = folder / "zwerm.toml"
    mapped = '"NPS", department = "team", response_id = "id" }\nduplicates = "latest"'
    config.write_text(
        config.read_text().replace('"NPS" }', mapped)
        + '[[audience]]\ndepartment = ["North"]\nfolder = "shares/north"\n'
    )
    told = failed("check", folder=folder)
    (survey,) = told["surveys"].values()
    assert (told["stops"], told["is_held"], told["exit_code"]) == (True, True, 3)
    assert "passengers: a check would stop the run" in told["error"]
    assert (survey["records"], survey["quarantined"], survey["duplicates_dropped"]) == (4, 1, 1)
    (broken,) = survey["files"][0]["quarantine"]
    assert (broken["rule"], broken["count"], broken["first"], broken["stops"]) == ("score_is_readable", 1, [3], True)
    assert survey["departments"] == [["North"], ["South"]]
    assert survey["left_out"] == [{"path": ["South"], "only_manager": False}]


def test_init_then_doctor_is_the_first_minute_of_everyone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "answers.csv").write_text("NPS,date\n9,2026-10-01\n3,2026-10-02\n")
    first = called("init", folder=tmp_path)
    assert first.exit_code == 0
    assert 'score = "NPS"' in first.stdout
    assert called("doctor", folder=tmp_path).exit_code == 0
    again = called("init", folder=tmp_path)
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_what_another_process_holds_ends_with_5(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom flows.home import Home\nfrom warehouse.store import Store\n"
        f"home = Home(Path({str(folder)!r})).prepare()\n"
        "with Store.open(home.warehouse, scratch=home.scratch):\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin and holder.stdout
        assert holder.stdout.readline() == b"open\n"
        said = called_outside("check", folder=folder)
        holder.stdin.close()
        holder.wait(10)
    assert said.returncode == 5
    assert "is open in process" in said.stderr
