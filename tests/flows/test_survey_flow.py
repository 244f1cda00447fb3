"""The flows against a real Prefect server: what it keeps of them, and a deployment by Prefect's own means."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from flows.home import Home
from flows.orchestration.orchestrator import server, wait_until_up
from tests.flows.attempts import STEPS
from tests.flows.served import NPS, ROOT, SURVEY, Prefect, alone, local, write
from warehouse.ledger import Ledger

pytestmark = pytest.mark.timeout(400)

CANARY = "61.803398"
BATCH_SECONDS = 4  # logs and events are sent in batches


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A server of the user's own; whatever the one who runs the tests has set reaches nothing here."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT")]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder))
        home = Home(folder).prepare()
        with server(home) as address:
            wait_until_up(home, address)
            yield home


@pytest.fixture(scope="module")
def prefect(own_server: Home) -> Iterator[Prefect]:
    asked = Prefect(os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"])
    yield asked
    asked.client.close()


def called(*words: str, folder: Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
    """A module's command that uses the server, as one that the environment names."""
    named = {name: value for name, value in os.environ.items() if name.startswith("PREFECT")}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=ROOT, env=alone(folder) | named, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@dataclass(frozen=True)
class Attempts:
    """What every step's failing left behind, and in the end a release."""

    folder: Path
    ended: dict[str, str]
    printed: str


@pytest.fixture(scope="module")
def attempts(prefect: Prefect, tmp_path_factory: pytest.TempPathFactory) -> Attempts:
    folder = tmp_path_factory.mktemp("attempts")
    done = called("tests.flows.attempts", str(write(folder, ["guests"])), CANARY, folder=folder)
    time.sleep(BATCH_SECONDS)
    return Attempts(folder, json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr)


def kept(own_server: Home, text: str) -> list[Path]:
    """The server's files, its database with its log included, that hold a text."""
    files = [path for path in own_server.prefect.rglob("*") if path.is_file()]
    assert own_server.prefect / "prefect.db" in files
    return [path for path in files if text.encode() in path.read_bytes()]


def test_a_figure_in_an_exception_of_any_step_or_of_the_flows_body_reaches_the_private_log_alone(
    attempts: Attempts, own_server: Home, prefect: Prefect
) -> None:
    for step in STEPS:
        assert "failed unexpectedly (ValueError). The details are in" in attempts.ended[step]
    assert {run["state"]["type"] for run in prefect.post("/flow_runs/filter", {})} >= {"COMPLETED", "FAILED"}
    assert kept(own_server, "failed unexpectedly (ValueError)"), "it is in its database that is looked"
    assert kept(own_server, CANARY) == []
    assert CANARY not in attempts.printed
    (private,) = (attempts.folder / "working" / "log").iterdir()
    assert private.read_text(encoding="utf-8").count(f"the NPS is {CANARY}") >= len(STEPS)


def test_the_steps_are_tasks_and_what_came_of_them_is_an_artifact_without_a_metric(
    attempts: Attempts, own_server: Home, prefect: Prefect
) -> None:
    assert attempts.ended["undisturbed"] == "delivered"
    tasks = {task["name"].rsplit("-", 1)[0] for task in prefect.post("/task_runs/filter", {})}
    assert tasks >= {"fetch", "examine", "tally", "protect", "compute", "check", "write", "close", "arm_open_confirm"}
    artifacts = [one["data"] for one in prefect.post("/artifacts/filter", {}) if one["key"] == "release"]
    (told,) = [markdown for markdown in artifacts if "1 of 1 deliveries made" in markdown]
    assert re.search(r"^- 2 departments shown, 0 hidden to protect people$", told, re.MULTILINE)
    assert re.search(r"^- (all \d+ checks passed|\d+ of \d+ checks with a warning)$", told, re.MULTILINE)
    assert re.search(r"^- skew \d+\.\d ms$", told, re.MULTILINE)
    assert re.search(r"^- pages: /\S+/published/site/guests/\S+/en/index\.html$", told, re.MULTILINE)
    assert kept(own_server, NPS) == []


def test_a_plain_prefect_deploy_works_and_opens_in_its_own_process_where_openings_are_not_served(
    tmp_path: Path, prefect: Prefect
) -> None:
    config = write(tmp_path, ["visitors"])
    called("prefect", "work-pool", "create", "mine", "--type", "process", folder=tmp_path)
    parameters = json.dumps({"survey": "visitors", "config": str(config)})
    deploy = ("deploy", "flows/survey.py:survey_release", "--no-prompt", "--name", "mine", "--pool", "mine")
    called("prefect", *deploy, "--params", parameters, folder=tmp_path)
    assert prefect.deployment("survey_release/mine")["parameter_openapi_schema"]["properties"]["wave"]["description"]

    at, text = local(50)
    run_id = prefect.begin("survey_release/mine", at=text)
    called("prefect", "worker", "start", "--pool", "mine", "--run-once", folder=tmp_path)
    state = prefect.ended(run_id)
    assert (state["type"], state["message"][:24]) == ("COMPLETED", "1 of 1 deliveries made; "), state
    with Ledger.open(tmp_path / "working" / "ledger.sqlite") as ledger:
        (release,) = ledger.released()
    assert release.released_at is not None
    assert 0 <= (release.released_at - at).total_seconds() < 1


def test_a_survey_in_trouble_keeps_no_other_from_its_moment(tmp_path: Path, prefect: Prefect) -> None:
    broken = SURVEY.format(name="staff").replace("answers.csv", "gone.csv")
    config = write(tmp_path, ["guests"])
    config.write_text(config.read_text(encoding="utf-8") + broken, encoding="utf-8")
    said = json.loads(called("flows", "run", "--config", str(config), "--json", folder=tmp_path, code=2).stdout)
    assert len(said["releases"]) == 1
    assert "no file matches" in said["errors"][0]
    with duckdb.connect(str(tmp_path / "published" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select survey from mart.releases").fetchall() == [("guests",)]
