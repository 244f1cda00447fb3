"""`zwerm serve` with everything real: Prefect's server, flows in their own processes, the site, signals."""

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.home import Home
from flows.releasing.access_record import accesses
from tests.flows.served import NPS, ZONE, Prefect, Served, alone, local, serve, stopped_at_last, until, write

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("served")
    schedule = {"monthly": "0 6 3 * *", "soon": "* * * * *"}
    write(found, ["monthly", "soon", "later", "again"], schedule=schedule)
    return found


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Served]:
    with stopped_at_last(serve(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def released(first: Served) -> str:
    """The run of the schedule that prepared `soon`, which opens as soon as it is armed; it has been opened."""
    first.release_in("soon", "confirmed")
    return str(next(run["id"] for run in first.prefect.runs("survey_release/soon")))


def opening_of(prefect: Prefect, moment_id: str | None) -> dict[str, Any] | None:
    runs = prefect.runs("open_moment/zwerm")
    return next((run for run in runs if run["parameters"].get("moment_id") == moment_id), None)


def test_a_schedule_is_in_the_organisations_zone_and_its_next_runs_are_seen(first: Served) -> None:
    (schedule,) = first.prefect.deployment("survey_release/monthly")["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 6 3 * *", "Europe/Amsterdam")
    assert first.prefect.deployment("survey_release/later")["schedules"] == []
    runs = until(lambda: first.prefect.runs("survey_release/monthly") or None, says="the next runs")
    next_at = datetime.fromisoformat(runs[0]["expected_start_time"]).astimezone(ZONE)
    assert (next_at.day, next_at.hour, next_at.minute) == (3, 6, 0)


def test_parameters_are_names_and_the_form_describes_each(first: Served, folder: Path) -> None:
    for name in ("survey_release/monthly", "open_moment/zwerm", "backfill/zwerm"):
        deployment = first.prefect.deployment(name)
        assert deployment["parameters"].items() <= {"config": str(folder / "zwerm.toml"), "survey": "monthly"}.items()
        fields = deployment["parameter_openapi_schema"]["properties"]
        assert all(field.get("description") for field in fields.values()), f"{name}: {fields}"
        assert deployment["description"]
    assert fields["first"]["description"] == "The first wave."


def test_strangers_on_the_host_read_nothing_of_the_server(first: Served) -> None:
    stranger = httpx.post(f"{first.prefect.client.base_url}/flow_runs/filter", json={}, timeout=30)
    assert stranger.status_code == 401
    assert stat.S_IMODE(first.home.prefect.stat().st_mode) == 0o700
    files = [path for path in first.home.prefect.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"prefect.db", "auth", "server.json", "server.log"}
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_before_any_release_the_site_says_so(first: Served) -> None:
    if first.release("soon") is not None:
        pytest.fail("this runs before the tests that release")
    answer = httpx.get(first.site)
    assert answer.status_code == 200
    assert "No release yet" in answer.text
    *_, access = accesses(first.home.access_record)
    assert (access.path, access.status) == ("/", 200)  # who reads a release too early shows there


def test_a_second_serve_of_the_same_home_ends_with_the_exit_code_of_a_taken_lease(first: Served, folder: Path) -> None:
    command = [sys.executable, "-m", "flows", "serve", "--port", "0"]
    second = subprocess.run(command, cwd=folder, env=alone(folder), capture_output=True, text=True, check=False)
    assert second.returncode == 5
    assert f"process {first.process.pid} serves" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_schedule_fires_and_prepares_and_a_run_of_its_own_opens(first: Served, released: str) -> None:
    release = first.release("soon")
    assert release is not None
    opening = opening_of(first.prefect, release.moment_id)
    assert opening is not None
    state = first.prefect.ended(opening["id"])
    assert state["type"] == "COMPLETED"
    assert re.fullmatch(r"1 of 1 deliveries made; skew \d+\.\d ms", state["message"])
    prepared = first.prefect.run(released)
    assert prepared["auto_scheduled"] is True
    assert first.prefect.ended(released)["message"] == "opens as soon as it is armed"
    artifacts = first.prefect.post("/artifacts/filter", {})
    assert [artifact["type"] for artifact in artifacts if artifact["key"] == "release"] == ["markdown"]


def test_what_is_released_appears_on_the_site(first: Served, released: str) -> None:
    front = httpx.get(first.site)
    assert "2025-10" in front.text
    page = httpx.get(f"{first.site}soon/2025-10/r1/en/index.html")
    assert (page.status_code, page.headers["content-security-policy"][:18]) == (200, "default-src 'none'")
    assert "27" in page.text


def test_an_opening_that_is_cancelled_holds_its_release_before_it_has_a_process_and_while_it_waits(
    first: Served, released: str
) -> None:
    first.prefect.begin("survey_release/later", at=local(3600)[1])
    moment_id = first.release_in("later", "staged").moment_id
    scheduled = until(lambda: opening_of(first.prefect, moment_id), says="the scheduled opening")
    first.prefect.cancel(scheduled["id"])
    assert_held(first, "later")

    first.prefect.begin("survey_release/later", at=local(7200)[1])
    moment_id = first.release_in("later", "staged").moment_id
    waiting = first.prefect.begin("open_moment/zwerm", moment_id=moment_id)
    until(lambda: first.prefect.run(waiting)["state"]["type"] == "RUNNING" or None, says="the waiting run")
    first.prefect.cancel(waiting)
    assert_held(first, "later")
    assert httpx.get(f"{first.site}later/2025-10/r1/en/index.html").status_code == 404


def assert_held(served: Served, survey: str) -> None:
    assert served.release_in(survey, "held").stated_reason == "cancelled before its moment"


def test_where_nothing_is_new_a_scheduled_run_ends_well_and_says_so(first: Served, released: str) -> None:
    said = "soon 2025-10 is released and unchanged: nothing to do."

    def state() -> dict[str, Any] | None:
        states = [run["state"] for run in first.prefect.runs("survey_release/soon")]
        return next((found for found in states if found["message"] == said), None)

    assert until(state, says="the next run of the schedule")["type"] == "COMPLETED"
    first.prefect.pause("survey_release/soon")  # what it shows has been seen


def test_stopped_and_started_in_between_everything_opens_at_its_time(first: Served, folder: Path) -> None:
    planned, text = local(90)  # to prepare, to stop and to start takes a third of it
    first.prefect.begin("survey_release/again", at=text)
    moment_id = first.release_in("again", "staged").moment_id
    assert first.release_in("again", "staged").planned_at == planned
    code, seconds, left = first.stop()
    assert (code, left) == (0, [])
    assert seconds < 12
    assert "Traceback" not in first.said
    assert not (first.home.prefect / "server.json").exists()

    with stopped_at_last(serve(folder, name="second")) as second:
        release = second.release_in("again", "confirmed")
        assert release.released_at is not None
        assert 0 <= (release.released_at - planned).total_seconds() < 1
        assert release.skew_ms is not None
        assert httpx.get(f"{second.site}again/2025-10/r1/en/index.html").status_code == 200
        opening = until(lambda: opening_of(second.prefect, moment_id), says="its run")
        assert second.prefect.ended(opening["id"])["type"] == "COMPLETED"
        code, _, left = second.stop()
        assert (code, left) == (0, [])
    assert_no_figure(first.home, [first.said, second.said])


def assert_no_figure(home: Home, outputs: list[str]) -> None:
    """What Prefect keeps and what the processes printed tells no metric, also after the release."""
    figure = NPS.encode()
    pages = b"".join(path.read_bytes() for path in (home.published / "site").rglob("*.html"))
    tables = b"".join(path.read_bytes() for path in home.published.rglob("*.csv"))
    assert figure in pages + tables, "the figure that is looked for is the one that was released"
    for path in home.prefect.rglob("*"):
        if path.is_file():
            assert figure not in path.read_bytes(), path
    for text in outputs:
        assert NPS not in text
