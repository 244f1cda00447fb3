"""Names in `zwerm.toml` that nothing has, bounds that a check does not have, and times that no clock shows."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from checks import CheckError
from checks.book import TABLES, rules_by_table
from flows.settings import CheckSetting, Settings, instant


@dataclass(frozen=True)
class Misnamed:
    """What the configuration names and nothing is: the key that says so, what it says, and what would do."""

    key: tuple[str | int, ...]
    says: str
    found: str
    allowed: str


def misnamed(settings: Settings) -> Iterator[Misnamed]:
    """What only the whole of the configuration shows: each by itself, in the order of the file's parts."""
    yield from _checks(settings)
    yield from _calendar(settings)
    yield from _servers(settings)


def near(name: str, known: Collection[str]) -> str | None:
    """The one of the known names that was likely meant."""
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def _checks(settings: Settings) -> Iterator[Misnamed]:
    """Each check's settings by themselves, so that one mistake hides no other."""
    known = sorted(rule.name for rules in TABLES.values() for rule in rules)
    for survey, configured in settings.surveys.items():
        for name, setting in configured.checks.items():
            key = ("surveys", survey, "checks", name)
            if name not in known:
                meant = near(name, known)
                allowed = f"a check's name. Did you mean '{meant}'?" if meant else ", ".join(known)
                yield Misnamed(key, f"there is no check '{name}'", name, allowed)
            elif says := _unfit(name, setting):
                found = ", ".join(setting.model_dump(exclude_none=True))
                yield Misnamed(key, says.partition("; it has: ")[0], found, says.partition("; it has: ")[2])


def _unfit(name: str, setting: CheckSetting) -> str | None:
    try:
        rules_by_table({name: setting.model_dump()})
    except CheckError as error:
        return str(error)
    return None


def _calendar(settings: Settings) -> Iterator[Misnamed]:
    for survey, moments in settings.calendar.items():
        if survey not in settings.surveys:
            says = f"the calendar names the survey '{survey}', which is not in this file"
            yield Misnamed(("calendar", survey), says, survey, _listed(survey, settings.surveys))
        for place, moment in enumerate(moments):
            try:
                instant(moment.at, settings.organisation.zone)
            except ValueError as error:
                allowed = "a time that the clocks show once, or one that says its offset from UTC"
                yield Misnamed(("calendar", survey, place, "at"), str(error), f"{moment.at:%Y-%m-%dT%H:%M}", allowed)


def _servers(settings: Settings) -> Iterator[Misnamed]:
    for place, recipient in enumerate(settings.audience):
        if recipient.email is not None and (server := recipient.email.server) not in settings.servers:
            says = f"an audience names the server '{server}', which is not in this file"
            allowed = _listed(server, settings.servers) if settings.servers else f"none yet; add [servers.{server}]"
            yield Misnamed(("audience", place, "email", "server"), says, server, allowed)


def _listed(name: str, known: Collection[str]) -> str:
    meant = near(name, known)
    return ", ".join(known) + (f". Did you mean '{meant}'?" if meant else "")
