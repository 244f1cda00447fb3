"""Which Prefect server a run would use, and whether what is installed is what Zwerm is made for."""

import socket
import sys
from collections.abc import Iterator
from importlib import metadata

from flows.channels.connections import address_of, explain
from flows.command.doctor.findings import Finding, ok, problem
from flows.home import Home
from flows.orchestration.orchestrator import named_server

PREFECT, VERSIONS = "prefect", "installation"
SHOWN = ("duckdb", "prefect", "great-expectations", "pandas", "pyarrow")
SECONDS = 2.0


def prefect(home: Home) -> Iterator[Finding]:
    """The server that the environment or the active profile names, where it answers; else the home's own."""
    try:
        address = named_server()
    except (ValueError, OSError) as error:
        yield problem(
            PREFECT, f"Prefect's profiles cannot be read ({type(error).__name__})", "see: prefect config view"
        )
        return
    if address is None:
        yield ok(PREFECT, f"no server is named: runs use the home's own, in {home.prefect}")
        return
    try:
        place = address_of(address)
        socket.create_connection((place.host, place.port), timeout=SECONDS).close()
    except (OSError, ValueError) as error:
        yield problem(
            PREFECT,
            f"the server that the environment or the active profile names {explain(error)}",
            "start it, or let runs use the home's own: unset PREFECT_API_URL, or prefect profile use ephemeral",
        )
        return
    yield ok(PREFECT, f"runs use the server at {place}, which the environment or the active profile names")


def versions() -> Iterator[Finding]:
    """Versions that matter, and every dependency that is not what it should be."""
    wrong = list(_unmet())
    for says in wrong:
        yield problem(VERSIONS, says, "install from the lock again: make setup")
    if not wrong:
        told = ", ".join(f"{name} {metadata.version(name)}" for name in SHOWN)
        yield ok(VERSIONS, f"zwerm {metadata.version('zwerm')} on Python {sys.version.split()[0]}: {told}")


def _unmet() -> Iterator[str]:
    from packaging.requirements import Requirement  # comes with Prefect

    for line in metadata.requires("zwerm") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{wanted.name} is not installed; Zwerm needs {wanted.specifier or 'it'}"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} is {found}; Zwerm needs {wanted.specifier}"
