"""How everything stands, in lines that read well on a screen and through a pipe; what is not there is left out."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flows.command.status.wording import STATES, at, printable, table
from flows.progress import counted

RELEASES_SHOWN = 6  # of each survey; --json has them all
RULES_SHOWN = 4
PLACES = ("configuration", "home", "site", "warehouse")


def lines(told: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """The facts of `overview` for reading."""
    return [
        f"{told['organisation']}: it is {at(told['now'], zone)} ({zone.key})",
        "",
        *_places(told),
        *_surveys(told, zone),
        *_to_come(told, zone),
        *_all_held(told, zone),
        *_under_way(told),
        *_working(told["working"]),
    ]


def _places(told: dict[str, Any]) -> Iterator[str]:
    yet = "" if told["is_published"] else "  (nothing is published yet)"
    yield "where things are"
    yield from table([(name, told[name] + (yet if name == "site" else "")) for name in PLACES])
    yield ""


def _surveys(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    for name, survey in told["surveys"].items():
        yield f"{survey['title']} ({name})" if survey["title"] != name else name
        releases = survey["releases"]
        if not releases:
            yield "  nothing is prepared yet: zwerm check shows what the data say, zwerm run releases the newest wave"
        else:
            yield from table([_row(release, zone) for release in releases[:RELEASES_SHOWN]])
        if len(releases) > RELEASES_SHOWN:
            yield f"  and {len(releases) - RELEASES_SHOWN} earlier ones: zwerm status --json"
        yield ""


def _row(release: dict[str, Any], zone: ZoneInfo) -> tuple[str, ...]:
    """One release: wave, state, when, to whom, and the id by which more is told."""
    when = at(release["released_at"] or release["planned_at"], zone, to="seconds")
    state = STATES[release["state"]]
    if release["skew_ms"] is not None:
        state += f", skew {release['skew_ms']:.1f} ms"
    if release["late"]:
        state += f", {release['late']} late"
    revision = f"r{release['revision']}"
    return release["wave"], revision, when or "-", state, _received(release["deliveries"]), release["release_id"]


def _received(deliveries: dict[str, dict[str, int]]) -> str:
    """Per channel how many of its recipients have it."""
    return ", ".join(
        f"{channel} {statuses.get('delivered', 0)} of {sum(statuses.values())}"
        for channel, statuses in deliveries.items()
    )


def _to_come(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    if not told["to_come"]:
        return
    yield "moments to come"
    for moment in told["to_come"]:
        when = at(moment["at"], zone) or "as soon as it is armed"
        what = ", ".join(moment["releases"])
        if moment["origin"] == "calendar":
            yield f"  {when}  {what}: announced in the calendar, not prepared yet"
        elif moment["is_late"]:
            yield f"  {when}  {what}: its time has passed while nothing ran; zwerm recover settles it"
        elif moment["phase"] == "open":
            yield f"  {when}  {what}: for {counted(moment['recipients'], 'recipient')}"
        else:
            yield f"  {when}  {what}: under way ({moment['phase']})"
    yield ""


def _all_held(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    if not told["held"]:
        return
    yield "held: nobody has these"
    for held in told["held"]:
        yield f"  {held['survey']} {held['wave']}, since {at(held['since'], zone)}: {held['reason']}"
        yield f"    → when that is mended: {held['do']}"
    yield ""


def _under_way(told: dict[str, Any]) -> Iterator[str]:
    lease = told["lease"]
    if lease is None:
        return
    if lease["is_stale"]:
        yield f"process {lease['pid']} on {lease['host']} ended while it was opening a moment: zwerm recover"
    else:
        yield f"process {lease['pid']} on {lease['host']} holds the lease: a moment is being opened"
    yield ""


def _working(working: dict[str, Any]) -> Iterator[str]:
    if "says" in working:
        yield "what came in"
        if working["is_busy"]:
            who = f"process {working['holder']}" if working["holder"] else "another process"
            yield f"  a run is under way ({who} has the working warehouse): records and quarantine are told afterwards"
        else:
            yield f"  {working['says']}"
        return
    if not working["surveys"]:
        return
    yield "what came in"
    for survey, counts in working["surveys"].items():
        yield f"  {survey}: {counted(counts['records'], 'record')} in {counted(counts['files'], 'file')}"
        for file in counts["gone"]:
            what = "its answers keep counting" if file["is_counted"] else "newer files have its answers"
            yield f"    {printable(file['name'])} is gone from {file['source']}: {what}"
        if counts["quarantined"]:
            rules = ", ".join(f"{rule} {records:,}" for rule, records in list(counts["rules"].items())[:RULES_SHOWN])
            yield f"    {counts['quarantined']:,} in quarantine ({rules}); zwerm check shows which"
        if counts["dropped"]:
            yield f"    {counted(counts['dropped'], 'duplicate')} dropped"
        for wave, answers in counts["waiting"].items():
            yield f"    {wave}: {counted(answers, 'answer')} came or changed since its release; see zwerm run"
