"""Names in `zwerm.toml` that nothing has, bounds that a check does not have, and times that no clock shows."""

from collections.abc import Iterator

from checks import CheckError
from checks.book import TABLES, rules_by_table
from flows.mistake import Mistake, listed, near
from flows.settings import CheckSetting, Settings, instant


def misnamed(settings: Settings) -> Iterator[Mistake]:
    """What only the whole of the configuration shows: each by itself, in the order of the file's parts."""
    yield from _checks(settings)
    yield from _calendar(settings)
    yield from _servers(settings)


def _checks(settings: Settings) -> Iterator[Mistake]:
    """Each check's settings by themselves, so that one mistake hides no other."""
    known = sorted(rule.name for rules in TABLES.values() for rule in rules)
    for survey, configured in settings.surveys.items():
        for name, setting in configured.checks.items():
            key = ("surveys", survey, "checks", name)
            if name not in known:
                meant = near(name, known)
                allowed = f"a check's name. Did you mean '{meant}'?" if meant else ", ".join(known)
                yield Mistake(key, f"there is no check '{name}'", name, allowed)
            elif error := _unfit(name, setting):
                found = ", ".join(setting.model_dump(exclude_none=True))
                yield Mistake(key, error.says, found, error.allowed)


def _unfit(name: str, setting: CheckSetting) -> CheckError | None:
    try:
        rules_by_table({name: setting.model_dump()})
    except CheckError as error:
        return error
    return None


def _calendar(settings: Settings) -> Iterator[Mistake]:
    for survey, moments in settings.calendar.items():
        if survey not in settings.surveys:
            says = f"the calendar names the survey '{survey}', which is not in this file"
            yield Mistake(("calendar", survey), says, survey, listed(survey, settings.surveys))
        for place, moment in enumerate(moments):
            try:
                instant(moment.at, settings.organisation.zone)
            except ValueError as error:
                allowed = "a time that the clocks show once, or one that says its offset from UTC"
                yield Mistake(("calendar", survey, place, "at"), str(error), f"{moment.at:%Y-%m-%dT%H:%M}", allowed)


def _servers(settings: Settings) -> Iterator[Mistake]:
    for place, recipient in enumerate(settings.audience):
        if recipient.email is not None and (server := recipient.email.server) not in settings.servers:
            says = f"an audience names the server '{server}', which is not in this file"
            allowed = listed(server, settings.servers) if settings.servers else f"none yet; add [servers.{server}]"
            yield Mistake(("audience", place, "email", "server"), says, server, allowed)
