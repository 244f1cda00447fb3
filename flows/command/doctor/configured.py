"""Whether `zwerm.toml` is read, whether every variable is set, and whether its secrets are for nobody else."""

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.configuration import HIDDEN, VARIABLE, load
from flows.errors import ConfigurationError
from flows.progress import counted
from flows.settings import Settings

ABOUT = "configuration"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read(config: Path) -> Settings:
    """The settings; ConfigurationError where they cannot be read."""
    return load(config)


def problems(config: Path, error: ConfigurationError) -> Iterator[Finding]:
    """Why it is not read: every variable that is not set, else the error itself."""
    unset = dict.fromkeys(name for name in _variables(_written(config)) if name not in os.environ)
    for name in unset:
        yield problem(ABOUT, f"{config} uses the variable {name}, which is not set", f"export {name}=…")
    if not unset:
        missing = not config.expanduser().exists()
        do = (
            "zwerm init writes one"
            if missing
            else "mend it; zwerm init, in an empty folder, writes one to compare with"
        )
        yield problem(ABOUT, str(error), do)


def said(settings: Settings) -> Iterator[Finding]:
    """What it holds, and whether a secret stands in it for everybody on this host."""
    surveys, recipients = len(settings.surveys), len(settings.audience)
    yield ok(ABOUT, f"{settings.file}: {counted(surveys, 'survey')}, {counted(recipients, 'recipient')}")
    if _has_secret(_written(settings.file)) and settings.file.stat().st_mode & OTHERS:
        yield remark(
            ABOUT,
            f"{settings.file} holds a password or secret, and others on this host can read it",
            f"write ${{VARIABLE}} in its place, or: chmod 600 {settings.file}",
        )
    for name, survey in settings.surveys.items():
        if survey.schedule is not None and not _is_cron(survey.schedule.cron):
            yield problem(
                ABOUT,
                f"surveys.{name}.schedule.cron is '{survey.schedule.cron}', which is no cron line",
                'write minute, hour, day, month, weekday, such as "0 6 3 * *": on the third at 06:00',
            )


def _written(config: Path) -> Any:
    try:
        return tomllib.loads(config.expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _variables(value: Any) -> Iterator[str]:
    """The environment's variables that a configuration names, Prefect's blocks not among them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _variables(item)
    elif isinstance(value, str):
        yield from (found[2] for found in VARIABLE.finditer(value) if not found[1])


def _has_secret(value: Any) -> bool:
    """Whether a password or secret is written out rather than named by a variable."""
    if isinstance(value, list):
        return any(_has_secret(item) for item in value)
    if not isinstance(value, dict):
        return False
    return any(
        (name in HIDDEN and isinstance(item, str) and not VARIABLE.fullmatch(item)) or _has_secret(item)
        for name, item in value.items()
    )


def _is_cron(line: str) -> bool:
    fields = line.split()
    return line.startswith("@") or (len(fields) in (5, 6) and all(set(field) <= _CRON for field in fields))


_CRON = frozenset("0123456789*,-/?#LWabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
