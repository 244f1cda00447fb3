import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from flows.command.doctor import doctor
from flows.home import Home
from flows.release import open_moment
from flows.releasing.clock import synchronised
from flows.releasing.moment import plan, record, stage, withdraw
from flows.settings import Settings
from tests.flows.mail_receiver import PASSWORD, USER, mail_receiver
from tests.flows.receivers import webhook_receivers
from tests.flows.sealed import sealed, settings_for

SURVEY = """
[surveys.passengers]
wave = { value = "2026-10" }
[[surveys.passengers.sources]]
path = "exports/*.csv"
[surveys.passengers.roles]
score = "NPS"
department = "Unit"
"""


@pytest.fixture(autouse=True)
def no_server_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "no prefect"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "october.csv").write_text("NPS,Unit\n9,Ships\n3,Ships\n")
    return tmp_path


def examined(folder: Path, *said: str, survey: str = SURVEY) -> dict[str, Any]:
    (folder / "zwerm.toml").write_text("\n".join([survey, *said]))
    return doctor(folder / "zwerm.toml")


def says(result: dict[str, Any], kind: str, about: str = "") -> list[str]:
    found = [finding for finding in result["findings"] if finding["kind"] == kind and about in finding["about"]]
    assert all(finding["do"] for finding in found if kind == "problem"), "a problem says what to do"
    return [finding["says"] for finding in found]


def ready(home: Home, settings: Settings, release_id: str, *, at: datetime | None = None) -> str:
    record(home, release_id)
    plan(home, [release_id], at=at)
    return stage(home, settings, [release_id])[0].moment_id


# -- configuration and sources


def test_what_is_in_order_is_well_within_three_seconds_and_leaves_nothing_behind(folder: Path) -> None:
    examined(folder)  # imports
    before = sorted(path for path in folder.rglob("*"))
    began = time.monotonic()
    result = examined(folder)
    assert time.monotonic() - began < 3
    assert result["well"], says(result, "problem")
    assert sorted(path for path in folder.rglob("*")) == before
    assert any("every mapped column is there" in line for line in says(result, "ok", "survey passengers"))
    assert result["lines"][-1].startswith("All is well")


def test_every_variable_that_is_not_set_is_named_with_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET", "x")
    audience = '[[audience]]\nwebhook = { url = "https://${SET}/${FIRST}", secret = "${SECOND}" }'
    result = examined(folder, audience)
    assert not result["well"]
    assert [line.split("the variable ")[1].split(",")[0] for line in says(result, "problem")] == ["FIRST", "SECOND"]
    assert "export FIRST=…" in "\n".join(result["lines"])


def test_an_error_in_the_configuration_is_a_problem_with_its_line(folder: Path) -> None:
    result = examined(folder, "[relaese]")
    assert "unknown key 'relaese'" in says(result, "problem", "configuration")[0]
    missing = doctor(folder / "other.toml")
    assert missing["findings"][0]["do"] == "zwerm init writes one"


def test_a_secret_that_others_can_read_is_remarked_on_and_never_shown(folder: Path) -> None:
    audience = '[[audience]]\nwebhook = { url = "http://localhost:1/?token=HIDDEN-1", secret = "HIDDEN-2" }'
    result = examined(folder, audience)
    assert any("holds a password or secret" in line for line in says(result, "remark"))
    assert "HIDDEN" not in json.dumps(result)
    (folder / "zwerm.toml").chmod(0o600)
    assert not any("holds a password" in line for line in says(examined(folder, audience), "remark"))


def test_a_mapped_column_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    result = examined(folder, survey=SURVEY.replace('"NPS"', '"NPS score"').replace('"Unit"', '"Units"'))
    (line,) = says(result, "problem")
    assert "october.csv lacks 'NPS score', 'Units'" in line
    assert "'NPS', 'Unit'" in line
    assert "did you mean 'NPS' for 'NPS score', 'Unit' for 'Units'?" in "\n".join(result["lines"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "october.csv is empty"),
        (b"\x1f\x8b\x08\x00broken", "gzip"),
        (b"PAR1 cut off", "cut off or damaged Parquet"),
        (b"PK\x03\x04 no workbook", "cannot be read as Excel"),
        (b"NPS,Unit\n", "holds no records"),
    ],
)
def test_a_file_that_no_run_would_take_is_a_problem(folder: Path, content: bytes, told: str) -> None:
    (folder / "exports" / "october.csv").write_bytes(content)
    (line,) = says(examined(folder), "problem")
    assert told in line


def test_a_source_without_files_is_a_problem_unless_its_folder_waits_for_the_first(folder: Path) -> None:
    (folder / "exports" / "october.csv").unlink()
    result = examined(folder)
    assert result["well"]
    assert says(result, "remark", "survey") == ["exports/*.csv: no file yet"]
    result = examined(folder, survey=SURVEY.replace("exports/*.csv", "nowhere/*.csv"))
    assert "no file matches" in says(result, "problem")[0]


def test_only_the_beginning_of_a_large_file_is_read(folder: Path) -> None:
    with (folder / "exports" / "october.csv").open("w") as file:
        file.write("NPS,Unit\n")
        for _ in range(60):
            file.write("9,Ships and quays\n" * 100_000)
    began = time.monotonic()
    assert examined(folder)["well"]
    assert time.monotonic() - began < 3


# -- places


def test_folders_that_others_can_read_are_problems_with_the_command_that_mends_them(folder: Path) -> None:
    home = Home(folder).prepare()
    home.secret()
    assert examined(folder)["well"]
    home.landing.chmod(0o755)
    (home.working / "secret").chmod(0o644)
    result = examined(folder)
    assert len(says(result, "problem", "home")) == 2
    assert f"chmod 700 {home.landing}" in "\n".join(result["lines"])
    assert f"chmod 600 {home.working / 'secret'}" in "\n".join(result["lines"])


def test_a_folder_above_what_is_published_that_nobody_can_pass_is_remarked_on(folder: Path) -> None:
    (folder / "shut").mkdir(mode=0o700)
    result = examined(folder, survey='home = "shut/home"\n' + SURVEY)
    assert any(str(folder / "shut") in line and "shut to them" in line for line in says(result, "remark", "home"))


def test_a_home_that_cannot_be_made_is_a_problem(folder: Path) -> None:
    (folder / "file").write_text("in the way")
    result = examined(folder, survey='home = "file/home"\n' + SURVEY)
    assert "cannot be made" in says(result, "problem", "home")[0]


# -- audience


def test_departments_that_nobody_stands_for_are_problems_and_mistyped_ones_are_remarked_on(folder: Path) -> None:
    tree = '[[departments]]\npath = ["Ships", "Texel"]\n[[departments]]\npath = ["Quay"]\n'
    audience = (
        '[[audience]]\ndepartment = ["Ship"]\nfolder = "x"\n[[audience]]\ndepartment = ["Quay"]\nmanager = true\n'
    )
    result = examined(folder, tree, audience + 'folder = "y"')
    assert says(result, "problem", "audience") == [
        "Ships > Texel: nobody receives results for it",
        "Quay: its manager is its only recipient",
    ]
    assert says(result, "remark", "audience") == ["a recipient is of Ship, which is not among the departments"]


def test_the_tree_of_the_newest_release_is_what_the_audience_must_cover(folder: Path) -> None:
    home = Home(folder).prepare()
    record(home, sealed(home))
    result = examined(folder, '[[audience]]\ndepartment = ["Ships", "Texel"]\nfolder = "x"')
    assert says(result, "problem", "audience") == ["Ships: nobody receives results for it"]
    result = examined(folder, '[[audience]]\ndepartment = ["Ships"]\nfolder = "x"')
    assert says(result, "ok", "audience") == [
        "1 recipient for all of the 2 departments of the newest release of each survey"
    ]


def test_more_languages_than_a_mail_server_takes_connections_is_a_problem(folder: Path) -> None:
    server = '[servers.relay]\nsmtp = "smtp://localhost:1"\nfrom = "a@b.c"\nmax_connections = 1'
    audience = '[[audience]]\nlanguage = "{0}"\nemail = {{ to = ["a@b.c"], server = "relay" }}\n'
    result = examined(folder, audience.format("nl"), audience.format("en"), server)
    assert "max_connections is 1; the audience needs 2" in says(result, "problem", "configuration")[0]


# -- connections


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "localhost.pem")
    return tmp_path / "localhost.pem"


def relay(url: str, password: str = PASSWORD) -> str:
    return f'[servers.relay]\nsmtp = "{url}"\nfrom = "a@b.c"\nuser = "{USER}"\npassword = "{password}"'


def test_a_mail_server_is_greeted_encrypted_and_logged_in_to(folder: Path, certificate: Path) -> None:
    with mail_receiver(folder / "m", encryption="starttls", certificate=certificate, is_guarded=True) as receiver:
        result = examined(folder, relay(receiver.url))
        assert "STARTTLS, log-in as zwerm" in says(result, "ok", "mail")[0]
        result = examined(folder, relay(receiver.url, "HIDDEN-wrong"))
        assert "refused the log-in" in says(result, "problem", "mail")[0]
        assert "HIDDEN" not in json.dumps(result)
        assert receiver.mails() == []


def test_a_mail_server_that_is_not_there_or_cannot_encrypt_is_a_problem(folder: Path) -> None:
    with mail_receiver(folder / "m") as receiver:
        assert "does not offer STARTTLS" in says(examined(folder, relay(receiver.url)), "problem", "mail")[0]
    assert "refuses connections" in says(examined(folder, relay(receiver.url)), "problem", "mail")[0]


def test_webhooks_are_reached_without_a_request(folder: Path, certificate: Path) -> None:
    with webhook_receivers(folder / "hooks", 2, certificate=certificate) as receivers:
        audience = [f'[[audience]]\nwebhook = {{ url = "{receivers.url(n)}", secret = "s" }}' for n in range(2)]
        result = examined(folder, *audience)
        assert says(result, "problem") == []
        assert "2 webhooks: every host answers (2)" in says(result, "ok", "webhooks")[0]
        assert receivers.calls() == []
        assert not [came for came in receivers.log() if came.what == "bytes"]


def test_a_webhook_that_cannot_be_reached_or_is_not_trusted_is_a_problem(
    folder: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with webhook_receivers(folder / "hooks", 1, certificate=certificate) as receivers:
        result = examined(folder, f'[[audience]]\nwebhook = {{ url = "{receivers.url(0)}" }}')
        assert "certificate that is not accepted" in says(result, "problem", "webhooks")[0]
    result = examined(folder, f'[[audience]]\nwebhook = {{ url = "{receivers.url(0)}" }}')
    assert "refuses connections" in says(result, "problem", "webhooks")[0]
    assert any("have no secret" in line for line in says(result, "remark", "webhooks"))


def test_a_host_that_never_answers_does_not_keep_the_doctor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.command.doctor.connections.SECONDS", 1.0)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        began = time.monotonic()
        result = examined(folder, f'[[audience]]\nwebhook = {{ url = "https://127.0.0.1:{mute.getsockname()[1]}/" }}')
        assert time.monotonic() - began < 6
    assert "did not answer in time" in says(result, "problem", "webhooks")[0]


def test_plain_http_beyond_this_host_and_long_documents_are_remarked_on(folder: Path) -> None:
    home = Home(folder).prepare()
    release_id = sealed(home)
    record(home, release_id)
    document = home.releases / release_id / "release.json"
    document.write_bytes(document.read_bytes() + b" " * 14_000)
    result = examined(folder, '[[audience]]\nwebhook = { url = "http://nowhere.invalid/x", secret = "s" }')
    remarks = says(result, "remark", "webhooks")
    assert "without TLS, readable on the way: nowhere.invalid:80" in remarks
    assert any("more than 14 kB does not leave at once" in line for line in remarks)
    assert "its name does not resolve" in says(result, "problem", "webhooks")[0]
    result = examined(
        folder, '[[audience]]\nwebhook = { url = "http://nowhere.invalid/x", secret = "s", sealed = true }'
    )
    assert not any("14 kB" in line for line in says(result, "remark", "webhooks"))


def test_more_webhooks_than_a_process_may_open_files_is_a_problem_that_names_the_limit(folder: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)); from pathlib import Path\n"
        "from tests.flows.test_doctor import examined, says\n"
        "audience = '[[audience]]\\nwebhook = { url = \"http://127.0.0.1:1/\" }'\n"
        "print(*says(examined(Path(sys.argv[1]), *[audience] * 100), 'problem', 'webhooks'), sep='\\n')"
    )
    command = [sys.executable, "-c", code, str(folder)]
    told = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    assert "100 connections at once need" in told
    assert "this process may have 128" in told


def test_a_folder_that_cannot_be_written_or_is_zwerms_own_is_a_problem(folder: Path) -> None:
    (folder / "file").write_text("in the way")
    result = examined(folder, '[[audience]]\nfolder = "file/x"\n[[audience]]\nfolder = "published/x"')
    found = says(result, "problem", "folders")
    assert "is a file" in found[0]
    assert "Zwerm's own" in found[1]
    assert says(examined(folder, '[[audience]]\nfolder = "shares/new"'), "problem") == []
    assert not (folder / "shares").exists()


def test_a_share_is_tried_as_a_folder_is_and_one_that_is_not_mounted_is_remarked_on(folder: Path) -> None:
    (folder / "file").write_text("")
    result = examined(folder, '[[audience]]\nshare = "file/x"\n[[audience]]\nshare = "published/x"')
    assert len(says(result, "problem", "shares")) == 2
    (folder / "mount").mkdir()
    result = examined(folder, '[[audience]]\nshare = "mount/texel"')
    assert says(result, "problem") == []
    assert [line for line in says(result, "remark", "shares") if "is the share mounted?" in line]
    assert list((folder / "mount").iterdir()) == []


# -- clock and calendar


def test_the_kernel_is_asked_whether_the_clock_is_right() -> None:
    state, error_ms = synchronised()
    assert state in ("yes", "no", "unknown")
    assert 0 <= error_ms <= 16_000


def test_a_time_of_day_that_the_clocks_skip_is_remarked_on_with_its_day(folder: Path) -> None:
    result = examined(folder, '[organisation]\ntimezone = "Europe/Amsterdam"\n[release]\nat = "02:30"')
    remarks = says(result, "remark", "clock")
    assert sum("does not exist in Europe/Amsterdam" in line for line in remarks) == 1
    assert sum("exists twice in Europe/Amsterdam" in line for line in remarks) == 1
    fine = examined(folder, '[organisation]\ntimezone = "Europe/Amsterdam"\n[release]\nat = "09:30"')
    assert not [line for line in says(fine, "remark", "clock") if line.startswith("release.at")]


def test_moments_of_the_calendar_that_cannot_be_kept_are_told(folder: Path) -> None:
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=28 - today.weekday())
    planned = [
        f'{{ wave = "2020-01", at = "{today - timedelta(days=2)}T09:30" }}',
        f'{{ wave = "2099-01", at = "{monday}T09:30", meeting = "{monday + timedelta(days=2)}" }}',
        f'{{ wave = "2020-02", at = "{monday}T09:31", meeting = "{monday + timedelta(days=7)}" }}',
    ]
    result = examined(folder, f"[calendar]\npassengers = [{', '.join(planned)}]")
    remarks = says(result, "remark", "clock")
    assert any("2020-01" in line and "has passed" in line for line in remarks)
    assert any("2099-01" in line and "the wave ends only on 2099-01-31" in line for line in remarks)
    assert any("2099-01" in line and "2 working days later" in line for line in remarks)
    assert not any("2020-02" in line for line in remarks)
    assert "less than two minutes apart" in says(result, "problem", "clock")[0]


def test_a_moment_that_the_clocks_skip_is_an_error_of_the_configuration(folder: Path) -> None:
    calendar = '[calendar]\npassengers = [{ wave = "2027-02", at = "2027-03-28T02:30" }]'
    result = examined(folder, '[organisation]\ntimezone = "Europe/Amsterdam"', calendar)
    assert "does not exist in Europe/Amsterdam" in says(result, "problem", "configuration")[0]


# -- Prefect, versions, leftovers


def test_the_prefect_server_that_is_named_must_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "use the home's own" in says(examined(folder), "ok", "prefect")[0]
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        monkeypatch.setenv("PREFECT_API_URL", f"http://user:HIDDEN@127.0.0.1:{port}/api")
        result = examined(folder)
        assert f"127.0.0.1:{port}" in says(result, "ok", "prefect")[0]
        assert "HIDDEN" not in json.dumps(result)
    assert "refuses connections" in says(examined(folder), "problem", "prefect")[0]


def test_a_release_that_is_held_and_one_whose_time_passed_are_remarked_on(folder: Path) -> None:
    home = Home(folder).prepare()
    settings = settings_for(home)
    ready(home, settings, sealed(home), at=datetime.now(UTC) - timedelta(hours=1))
    late = says(examined(folder), "remark", "releases")
    assert late == ["passengers 2026-10: its time passed while nothing ran"]
    done = sealed(home, survey="staff")
    open_moment(home, settings, ready(home, settings, done))
    other = sealed(home, wave="2026-11")
    ready(home, settings, other, at=datetime.now(UTC) + timedelta(hours=1))
    withdraw(home, settings, other, reason="a wrong file")
    assert says(examined(folder), "remark", "releases") == late


def test_a_run_that_was_killed_while_it_opened_is_remarked_on_and_zwerm_recover_named(folder: Path) -> None:
    home = Home(folder).prepare()
    moment = ready(home, settings_for(home), sealed(home))
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from flows.home import Home\n"
        "from flows.release import open_moment\n"
        "from tests.flows.sealed import settings_for\n"
        f"home = Home(Path({str(folder)!r}))\n"
        "kill = lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == 'committed' else None\n"
        f"open_moment(home, settings_for(home), {moment!r}, on_step=kill)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -signal.SIGKILL
    result = examined(folder)
    assert any("ended half-way" in line for line in says(result, "remark", "releases"))
    assert "zwerm recover" in "\n".join(result["lines"])
