"""What spans releases and lies outside their seal: the list of all releases, the calendar and the register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

from transforms.report.calendar import calendar_file
from transforms.report.environment import LANGUAGE_NAMES, rendered, stylesheet
from transforms.report.moments import Moment
from transforms.report.words import Words


@dataclass(frozen=True)
class Published:
    """One release in the list; `path` is its folder below the site, such as passengers/2026-10/r1."""

    survey: str
    titles: Mapping[str, str]
    wave: str
    revision: int
    reason: str | None
    path: str
    languages: tuple[str, ...]
    departments: int
    released_at: datetime  # as planned, where the publication is assembled before it


@dataclass(frozen=True)
class Stopped:
    """A release that is held or withdrawn: everyone is told, with the reason."""

    survey: str
    titles: Mapping[str, str]
    wave: str
    revision: int
    state: Literal["held", "withdrawn"]
    reason: str
    at: datetime


@dataclass(frozen=True)
class Index:
    """All releases that stand in a publication, what is planned, and what was stopped."""

    organisation: str
    languages: tuple[str, ...]  # the first is the default
    timezone: str
    releases: Sequence[Published]
    moments: Sequence[Moment] = ()
    stopped: Sequence[Stopped] = ()


def assembled(index: Index) -> dict[str, bytes]:
    """The site's own pages by their path: the landing in the default language, one list and calendar per language."""
    found = {"style.css": stylesheet()}
    zone = ZoneInfo(index.timezone)
    for language in index.languages:
        words = Words(language)
        found[f"{language}/index.html"] = _list(index, words, zone, up="../")
        found[f"{language}/calendar.html"] = _calendar(index, words, zone)
    default = Words(index.languages[0])
    found["index.html"] = _list(index, default, zone, up="")
    found["calendar.ics"] = calendar_file(index.organisation, index.moments, default)
    return found


def _list(index: Index, words: Words, zone: ZoneInfo, *, up: str) -> bytes:
    newest_first = sorted(index.releases, key=lambda r: (r.survey, r.wave, -r.revision))
    waves = [list(group) for _, group in groupby(newest_first, key=lambda r: (r.survey, r.wave))]
    waves.sort(key=lambda group: (group[0].released_at, group[0].wave, group[0].survey), reverse=True)
    return rendered(
        "releases.html.jinja",
        words,
        style=f"{up}style.css",
        others=_others(index.languages, words, up=up, page="index.html"),
        organisation=index.organisation,
        items=[_item(group, words, zone, up=up) for group in waves],
        calendar=f"{up}{words.language}/calendar.html" if up == "" else "calendar.html",
        has_moments=bool(index.moments),
        stopped=[_stopped(item, words, zone) for item in sorted(index.stopped, key=lambda s: s.at, reverse=True)],
    )


def _item(revisions: list[Published], words: Words, zone: ZoneInfo, *, up: str) -> dict[str, Any]:
    newest = revisions[0]
    return {
        "title": newest.titles.get(words.language) or newest.survey,
        "wave": words.wave(newest.wave),
        "href": _href(newest, words, up=up),
        "day": words.day(newest.released_at.astimezone(zone).date()),
        "time": words.time(newest.released_at.astimezone(zone)),
        "departments": newest.departments,
        "revision": newest.revision,
        "reason": newest.reason,
        "earlier": [{"number": words.number(r.revision), "href": _href(r, words, up=up)} for r in revisions[1:]],
    }


def _stopped(item: Stopped, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    at = item.at.astimezone(zone)
    return {
        "title": item.titles.get(words.language) or item.survey,
        "wave": words.wave(item.wave),
        "state": words.say("Held") if item.state == "held" else words.say("Withdrawn"),
        "when": f"{words.day(at.date())}, {words.time(at)}",
        "reason": item.reason,
    }


def _href(release: Published, words: Words, *, up: str) -> str:
    language = words.language if words.language in release.languages else release.languages[0]
    return f"{up}{release.path}/{language}/index.html"


def _calendar(index: Index, words: Words, zone: ZoneInfo) -> bytes:
    return rendered(
        "calendar.html.jinja",
        words,
        style="../style.css",
        others=_others(index.languages, words, up="../", page="calendar.html"),
        organisation=index.organisation,
        items=[_moment(moment, words, zone) for moment in sorted(index.moments, key=lambda m: (m.at, m.survey))],
        zone=index.timezone,
    )


def _moment(moment: Moment, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    at = moment.at.astimezone(zone)
    return {
        "title": moment.titles.get(words.language) or moment.survey,
        "wave": words.wave(moment.wave),
        "iso": at.isoformat(),
        "day": words.day(at.date()),
        "time": words.time(at),
        "meeting": words.day(moment.meeting) if isinstance(moment.meeting, date) else None,
        "reason": moment.reason,
    }


def _others(languages: tuple[str, ...], words: Words, *, up: str, page: str) -> list[dict[str, str]]:
    return [
        {"language": language, "name": LANGUAGE_NAMES[language], "href": f"{up}{language}/{page}"}
        for language in languages
        if language != words.language
    ]
