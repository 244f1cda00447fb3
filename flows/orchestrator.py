"""Prefect's server: the one that the active profile names, else the home's own, private to the pipeline's account."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from flows.errors import FlowError
from flows.home import PRIVATE_FILE, Home

STARTS_WITHIN_SECONDS = 120
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLI_COLORS": "false",
}


def named_server() -> str | None:
    """The address of the server that the environment or the active Prefect profile names, without importing Prefect."""
    if address := os.environ.get("PREFECT_API_URL"):
        return address
    folder = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    try:
        profiles = tomllib.loads((folder / "profiles.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    active = profiles.get("profiles", {}).get(os.environ.get("PREFECT_PROFILE", profiles.get("active")), {})
    address = active.get("PREFECT_API_URL")
    return str(address) if address else None


@contextmanager
def server(home: Home) -> Iterator[str]:
    """An address of a Prefect server that is up; one of the home's own ends with the block, unless it ran before.

    The server starts at once and this returns at once: what is heavy to import can be imported meanwhile;
    `wait_until_up` is called before the first flow.
    """
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    if address := named_server():
        yield address
        return
    running = _running(home)
    process = None
    if running is None:
        running, process = _start(home)
    os.environ["PREFECT_HOME"] = str(home.prefect)
    os.environ["PREFECT_API_URL"] = running["address"]
    os.environ["PREFECT_API_AUTH_STRING"] = running["auth"]
    try:
        yield running["address"]
    finally:
        for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_HOME"):
            os.environ.pop(name, None)
        if process is not None:
            stop(process)
            (home.prefect / "server.json").unlink(missing_ok=True)


def wait_until_up(address: str) -> None:
    """Return when the server answers; a server that does not come up within two minutes is an error that says so."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{address}/health", timeout=2):  # noqa: S310  # http, and our own or the operator's
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise FlowError(f"The Prefect server at {address} does not answer; see its log in working/prefect/server.log")


def _running(home: Home) -> dict[str, str] | None:
    """The home's own server where it lives; one whose starter was killed is ended first."""
    record = home.prefect / "server.json"
    if not record.exists():
        return None
    known: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
    if _alive(int(known["pid"]), float(known["pid_started"])):
        if _alive(int(known["owner"]), float(known["owner_started"])):
            return known
        end_tree(int(known["pid"]))
    record.unlink()
    return None


def _start(home: Home) -> tuple[dict[str, str], subprocess.Popen[bytes]]:
    port, auth = _free_port(), f"zwerm:{secrets.token_urlsafe(24)}"
    environment = os.environ | QUIET | {"PREFECT_HOME": str(home.prefect), "PREFECT_SERVER_API_AUTH_STRING": auth}
    log = os.open(home.prefect / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    record = {
        "address": f"http://127.0.0.1:{port}/api",
        "auth": auth,
        "pid": str(process.pid),
        "pid_started": str(psutil.Process(process.pid).create_time()),
        "owner": str(os.getpid()),
        "owner_started": str(psutil.Process().create_time()),
    }
    _write_private(home.prefect / "server.json", json.dumps(record))
    return record, process


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _alive(pid: int, started: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child and all that it started: asked first, killed after five seconds."""
    end_tree(process.pid)
    process.wait(timeout=10)


def end_tree(pid: int) -> None:
    """End a process and its children."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        _signal(member, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=5)
    for member in left:
        _signal(member, signal.SIGKILL)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
