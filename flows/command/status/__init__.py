"""`zwerm status`: what is where, what comes, what is held, and who received what, when; also during a run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.command.status import one_release, overview, telling
from flows.command.status.wording import printable
from flows.configuration import load
from flows.home import Home
from flows.run import Run


def status(config: Path, *, release: str | None) -> dict[str, Any]:
    """How everything stands, or one release (its id, or the beginning of it); nothing is changed or waited for."""
    settings = load(config)
    run = Run(settings, Home(settings.home), datetime.now(UTC))
    if release is None:
        facts = overview.facts(run)
        lines = telling.lines(facts, settings.organisation.zone)
    else:
        facts = one_release.facts(run, release)
        lines = one_release.lines(facts, settings.organisation.zone)
    return {**facts, "lines": [printable(line) for line in lines]}
