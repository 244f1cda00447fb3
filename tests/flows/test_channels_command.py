import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from flows.channels import ChannelName
from flows.channels.by_name import KINDS
from flows.channels.ways import WAYS
from flows.recipients import Recipient

ROOT = Path(__file__).parents[2]
SURVEY = '[surveys.s]\nwave = { value = "2026-10" }\nsources = [{ path = "s.csv" }]\nroles = { score = "score" }\n'
AUDIENCE = """
[[audience]]
department = ["Ships"]
webhook = { url = "https://hooks.example/one" }
announce = ["json://hunter2@chat.example", "json://hunter2@chat.example/two"]

[[audience]]
department = ["Ground"]
webhook = { url = "https://hooks.example/two", secret = "hunter2", sealed = true }
object_store = { url = "s3://bucket/zwerm", secret_access_key = "hunter2" }

[[audience]]
webhook = { url = "https://hooks.example/three" }
"""


def called(folder: Path, *words: str, columns: int = 120) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)}
    command = [sys.executable, "-m", "flows", "channels", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_channel_says_what_it_holds_and_how_it_opens(tmp_path: Path) -> None:
    said = called(tmp_path)
    assert said.returncode == 0
    assert {way.channel for way in WAYS} == set(get_args(ChannelName)) == set(KINDS)
    for way in WAYS:
        assert f"\n{way.name}  " in said.stdout
        for word in (*way.holds.split(), *way.opens.split(), way.written):
            assert word in said.stdout
    assert "zwerm.toml is not here" in said.stdout


def test_what_is_written_in_an_audience_is_what_the_settings_know() -> None:
    keys = {way.written.partition(" ")[0] for way in WAYS} - {""}
    assert keys == set(Recipient.model_fields) - {"department", "language", "manager"}


def test_an_audience_shows_by_which_ways_how_many_get_it_and_no_address(tmp_path: Path) -> None:
    (tmp_path / "zwerm.toml").write_text(SURVEY + AUDIENCE)
    said = called(tmp_path, "--json")
    assert said.returncode == 0
    used = {each["name"]: each["recipients"] for each in json.loads(said.stdout)["channels"] if each["is_used"]}
    assert used == {"published": None, "webhook": 2, "webhook, sealed": 1, "object store": 1, "announcement": 1}
    table = called(tmp_path).stdout
    assert "hunter2" not in table + said.stdout
    assert "hooks.example" not in table + said.stdout


def test_without_an_audience_it_says_who_gets_what_is_published(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(SURVEY)
    said = called(tmp_path, "--config", "other.toml").stdout
    assert "other.toml names no [[audience]]: a release goes to what is published" in said


def test_a_configuration_that_is_wrong_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "zwerm.toml").write_text(SURVEY + "[relaese]\n")
    assert called(tmp_path).returncode == 2


@pytest.mark.parametrize("columns", [20, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_or_than_120(tmp_path: Path, columns: int) -> None:
    (tmp_path / "zwerm.toml").write_text(SURVEY + AUDIENCE)
    lines = called(tmp_path, columns=columns).stdout.splitlines()
    assert max(map(len, lines[:-10])) <= min(max(columns, 76), 120)


def test_it_answers_within_half_a_second_and_loads_nothing_heavy(tmp_path: Path) -> None:
    called(tmp_path)  # compiles what is not compiled yet
    seconds = []
    for _ in range(4):
        before = _spent()
        called(tmp_path)
        seconds.append(_spent() - before)
    assert min(seconds) < 0.5  # of a processor, however many others wait for it
    code = "import sys; from flows.command.ways_out import ways_out; ways_out(__import__('pathlib').Path('none'))\n"
    code += "print([name for name in ('prefect', 'duckdb', 'pandas', 'obstore', 'apprise') if name in sys.modules])"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
