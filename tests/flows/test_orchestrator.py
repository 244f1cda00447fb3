"""Which Prefect server is used, and who ends it: real server processes, which need not be up for that."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from flows.errors import FlowError
from flows.home import Home
from flows.orchestration.orchestrator import auth_file, named_server, server, wait_until_up
from tests.flows.served import alone

ADDRESS = "http://prefect.example:4200/api"


@pytest.fixture(autouse=True)
def unnamed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server is named: neither by the environment nor by the profile of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("PREFECT")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def running(home: Home) -> psutil.Process | None:
    """The process of the home's own server, as its record names it."""
    record = home.prefect / "server.json"
    if not record.exists():
        return None
    process = psutil.Process(int(json.loads(record.read_text(encoding="utf-8"))["pid"]))
    return process if process.is_running() and process.status() != psutil.STATUS_ZOMBIE else None


def user(home: Home) -> "subprocess.Popen[str]":
    """A process that uses the server until its input ends; it has printed the address by the time it is returned."""
    use = f"""
        from pathlib import Path
        from flows.home import Home
        from flows.orchestration.orchestrator import server
        with server(Home(Path({str(home.path)!r}))) as address:
            print(address, flush=True)
            input()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(use)],
        env=alone(home.path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def test_two_processes_share_one_server_and_the_last_of_them_ends_it(home: Home) -> None:
    first = user(home)
    shared = running(home)
    second = user(home)
    assert shared is not None
    assert running(home) == shared
    leave(first)
    assert running(home) == shared, "the second still uses it"
    leave(second)
    assert running(home) is None
    assert not shared.is_running()


def test_a_server_whose_users_were_killed_is_ended_by_the_next(home: Home) -> None:
    killed = user(home)
    orphan = running(home)
    assert orphan is not None
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert orphan.is_running()
    with server(home):
        assert not orphan.is_running()
        assert running(home) is not None
    assert running(home) is None


def test_a_server_that_ended_by_itself_is_started_anew(home: Home) -> None:
    first = user(home)
    ended = running(home)
    assert ended is not None
    ended.kill()
    second = user(home)
    assert running(home) not in (None, ended)
    leave(first)
    assert running(home) is not None
    leave(second)
    assert running(home) is None


def test_a_server_that_ends_as_it_starts_is_told_at_once_with_where_to_look(home: Home) -> None:
    with server(home) as address:
        broken = running(home)
        assert broken is not None
        broken.kill()
        psutil.wait_procs([broken])  # dead before anybody asks
        with pytest.raises(FlowError, match=r"ended as it started; \S+/server.log says why"):
            wait_until_up(home, address)


def test_what_the_server_is_asked_with_is_for_this_account_alone_and_stays(home: Home) -> None:
    word = auth_file(home).read_text(encoding="ascii")
    with server(home):
        assert os.environ["PREFECT_API_AUTH_STRING"] == word
        files = [path for path in home.prefect.iterdir() if path.is_file()]
        assert [path.name for path in files if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
    assert "PREFECT_API_AUTH_STRING" not in os.environ
    assert "PREFECT_API_URL" not in os.environ
    assert auth_file(home).read_text(encoding="ascii") == word


def test_the_active_profile_names_the_server_and_the_environment_goes_before_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert named_server() is None
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "profiles.toml").write_text(
        f'active = "team"\n[profiles.team]\nPREFECT_API_URL = "{ADDRESS}"\n[profiles.mine]\n', encoding="utf-8"
    )
    assert named_server() == ADDRESS
    with server(home) as address:
        assert address == ADDRESS
        assert running(home) is None
    monkeypatch.setenv("PREFECT_PROFILE", "mine")
    assert named_server() is None
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert named_server() == "http://127.0.0.1:1/api"
