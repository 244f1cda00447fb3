"""`zwerm doctor`: looks at everything a release depends on before it depends on it, and says what to do."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.command.doctor import clock, configured, connections, installation, leftovers, places, recipients, sources
from flows.command.doctor.findings import Finding, lines
from flows.errors import ConfigurationError
from flows.home import Home
from flows.settings import Settings


def doctor(config: Path) -> dict[str, Any]:
    """Examine a configuration and this host: findings, whether there is no problem among them, and lines to print."""
    found = list(_findings(config, datetime.now(UTC)))
    return {
        "well": all(finding.kind != "problem" for finding in found),
        "errors": [finding.says for finding in found if finding.kind == "problem"],
        "findings": [asdict(finding) for finding in found],
        "lines": lines(found),
    }


def _findings(config: Path, now: datetime) -> Iterator[Finding]:
    try:
        settings = configured.read(config)
    except ConfigurationError as error:
        yield from configured.problems(config, error)
        yield from installation.versions()
        yield from clock.kernel()
        return
    yield from _of(settings, Home(settings.home), now)


def _of(settings: Settings, home: Home, now: datetime) -> Iterator[Finding]:
    """In the order in which a run comes upon them."""
    yield from configured.said(settings)
    yield from sources.sources(settings)
    yield from places.places(settings, home)
    yield from recipients.audience(settings, home)
    yield from connections.connections(settings, home)
    yield from clock.kernel()
    yield from clock.moments(settings, home, now=now)
    yield from installation.prefect(home)
    yield from installation.versions()
    yield from leftovers.leftovers(home, now=now)
