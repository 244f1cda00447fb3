"""`zwerm serve`: Prefect's server, the deployments with their schedules, and the site, in one process tree."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

from flows.errors import LeaseTakenError
from flows.home import Home
from flows.orchestration.locks import Lock
from flows.orchestration.orchestrator import auth_file, named_server, server, wait_until_up
from flows.orchestration.site_server import site
from flows.progress import step, tell
from flows.releasing.access_record import AccessRecord
from flows.releasing.recover import recover
from flows.run import Run

UI_PORT = 4200  # Prefect's own; another one where it is taken


def serve(config: Path, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C: schedules fire, moments open, the site is shown; then end whole, in seconds."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGHUP, _leave)
    run = Run.begin(config)
    with _alone(run.home):
        for line in recover(run.home, run.settings):
            tell(line)
        is_own = named_server() is None
        with (
            server(run.home, port=UI_PORT) as address,
            site(
                run.home.published / "site", host=host, port=port, record=AccessRecord(run.home.access_record)
            ) as pages,
        ):
            with step("Start Prefect"):
                from flows.orchestration.serving import serve_deployments  # Prefect takes seconds, as the server does

                wait_until_up(run.home, address)
            serve_deployments(run, on_ready=lambda: _welcome(run.home, address, pages, host, is_own=is_own))
    tell("Ended.")


def _leave(number: int, frame: FrameType | None) -> None:
    """Before flows are served there is nothing to end but this process; the runner then takes the signals over."""
    sys.exit(0)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One `serve` per home: two would begin every run twice."""
    lock = Lock(home.working / "serve.lock")
    try:
        if not lock.take():
            pid = lock.read_pid()
            raise LeaseTakenError(f"process {pid} serves {home.path} already; to end it: kill {pid}")
        lock.write_pid()
        yield
    finally:
        lock.close()


def _welcome(home: Home, address: str, pages: str, host: str, *, is_own: bool) -> None:
    tell(f"Prefect  {address.removesuffix('/api')}")
    if is_own:
        tell(f"         it asks for the word in {auth_file(home)}")
    tell(f"Site     {pages}")
    if not _is_loopback(host):
        tell("         Others on the network can read it, and on their way anybody: it has no TLS. Put a web server")
        tell("         with a certificate in front, or serve the folder published/site with it.")
    tell("Ctrl-C ends everything.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
