"""Prefect's server: the one that the active profile names, else the home's own, private to the pipeline's account.

All processes of a home share one server. Each holds a shared lock on `users.lock` while it uses it; who finds himself
the last ends it, and who finds one that nobody uses, because its users were killed, ends it before he starts his own.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from flows.errors import FlowError
from flows.home import PRIVATE_FILE, Home
from flows.orchestration.locks import Lock, locked

STARTS_WITHIN_SECONDS = 180
ENDS_WITHIN_SECONDS = 5
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
    file = Path(os.environ.get("PREFECT_PROFILES_PATH", folder / "profiles.toml"))
    try:
        profiles = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    active = profiles.get("profiles", {}).get(os.environ.get("PREFECT_PROFILE", profiles.get("active")), {})
    address = active.get("PREFECT_API_URL")
    return str(address) if address else None


@contextmanager
def server(home: Home, *, port: int | None = None) -> Iterator[str]:
    """The address of a Prefect server that is up or coming up; one of the home's own ends with its last user.

    It starts at once and this returns at once: what is heavy to import can be imported meanwhile, and `wait_until_up`
    is called before the first flow. `port` is tried first where a server has to be started.
    """
    with _environment({name: value for name, value in QUIET.items() if name not in os.environ}):
        if address := named_server():
            yield address
            return
        with _own(home, port) as running:
            found = {
                "PREFECT_HOME": str(home.prefect),
                "PREFECT_API_URL": running["address"],
                "PREFECT_API_AUTH_STRING": running["auth"],
            }
            with _environment(found):
                yield running["address"]


def wait_until_up(home: Home, address: str) -> None:
    """Return when the server answers; one that ended, or does not come up, is an error that says where to look."""
    record, log = home.prefect / "server.json", home.prefect / "server.log"
    is_own = (_recorded(record) or {}).get("address") == address  # dead or alive: it may have ended already
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{address}/health", timeout=2):  # noqa: S310  # http, and our own or the operator's
                return
        except (URLError, OSError):
            time.sleep(0.1)
        if is_own and _living(record) is None:
            raise FlowError(f"The Prefect server ended as it started; {log} says why")
    where = f"; see {log}" if is_own else ", which the active Prefect profile names; is it running?"
    raise FlowError(f"No Prefect server answers at {address}{where}")


def auth_file(home: Home) -> Path:
    """Where the word stands that Prefect's pages ask for; made once per home."""
    path = home.prefect / "auth"
    if not path.exists():
        _write_private(path, f"zwerm:{secrets.token_urlsafe(24)}")
    return path


def end_tree(pid: int) -> None:
    """End a process and all that it started: asked first, killed after five seconds."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        _signal(member, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=ENDS_WITHIN_SECONDS)
    for member in left:
        _signal(member, signal.SIGKILL)
    psutil.wait_procs(left, timeout=ENDS_WITHIN_SECONDS)


@contextmanager
def _own(home: Home, port: int | None) -> Iterator[Mapping[str, str]]:
    """The home's own server, used by this process among others."""
    record, gate = home.prefect / "server.json", home.prefect / "server.lock"
    users = Lock(home.prefect / "users.lock")
    try:
        with locked(gate):
            if users.take():
                _end(record)  # nobody uses it: its users were killed
            users.share()
            known = _living(record)
            running, started = (known, None) if known else _start(home, port)
        try:
            yield running
        finally:
            with locked(gate):
                if users.take():
                    _end(record)
            if started is not None:
                started.poll()  # it is known to have ended, unless others use it
    finally:
        users.close()


def _recorded(record: Path) -> dict[str, str] | None:
    """The server that was started last."""
    try:
        known: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return known


def _living(record: Path) -> dict[str, str] | None:
    """The server of the record, where its process lives."""
    known = _recorded(record)
    if known is None:
        return None
    try:
        process = psutil.Process(int(known["pid"]))
        is_same = abs(process.create_time() - float(known["pid_started"])) < 1
        return known if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _end(record: Path) -> None:
    if known := _living(record):
        end_tree(int(known["pid"]))
    record.unlink(missing_ok=True)


def _start(home: Home, port: int | None) -> "tuple[dict[str, str], subprocess.Popen[bytes]]":
    """Start a server that outlives this process only where another one uses it."""
    port, auth = _free_port(port), auth_file(home).read_text(encoding="ascii")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | QUIET
    environment |= {"PREFECT_HOME": str(home.prefect), "PREFECT_SERVER_API_AUTH_STRING": auth}
    log = os.open(home.prefect / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.prefect,
            umask=0o077,
            start_new_session=True,
        )
    finally:
        os.close(log)
    running = {
        "address": f"http://127.0.0.1:{port}/api",
        "auth": auth,
        "pid": str(process.pid),
        "pid_started": str(psutil.Process(process.pid).create_time()),
    }
    _write_private(home.prefect / "server.json", json.dumps(running))
    return running, process


@contextmanager
def _environment(said: Mapping[str, str]) -> Iterator[None]:
    """Say it to Prefect and to the processes started inside the block, and take it back afterwards."""
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _free_port(wanted: int | None) -> int:
    for port in (wanted, 0):
        with suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port or 0))
            return int(listener.getsockname()[1])
    raise FlowError("no port of 127.0.0.1 is free for Prefect's server")


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
