"""How everything stands: places, each survey's releases, moments to come, what is held, the lease, the working file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flows.publication import LEASE
from flows.run import Run
from flows.settings import instant
from flows.status.wording import STATES, at, counted, table
from flows.status.working import working
from flows.summary import address
from transforms.waves import in_order
from warehouse.leases import held_by
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Release

RELEASES_SHOWN = 6  # of each survey; --json has them all
RULES_SHOWN = 4
LATE = timedelta(minutes=1)
PLACES = ("configuration", "home", "site", "warehouse")


def facts(run: Run) -> dict[str, Any]:
    """The structured part of the answer."""
    home, settings = run.home, run.settings
    told: dict[str, Any] = {
        "organisation": settings.organisation.name,
        "now": run.now,
        "configuration": str(settings.file),
        "home": str(home.path),
        "site": settings.organisation.site_url or str(home.published / "site"),
        "warehouse": str(home.published / "warehouse.duckdb"),
        "is_published": (home.published / "current").is_symlink(),
        "surveys": {name: {"title": _title(run, name), "releases": []} for name in settings.surveys},
        "to_come": [],
        "held": [],
        "lease": None,
        "working": {"surveys": {}},
    }
    if not home.ledger.exists():
        return {**told, "to_come": list(_announced(run, set()))}
    with Ledger.open(home.ledger) as ledger:
        releases = ledger.releases()
        for release in _in_order(releases):
            survey = told["surveys"].setdefault(release.survey, {"title": release.survey, "releases": []})
            survey["releases"].append(_release(run, release, ledger.deliveries(release.release_id)))
        known = {(r.survey, r.wave) for r in releases if r.is_out or r.planned_at is not None}
        told["to_come"] = [*_waiting(run, ledger), *_announced(run, known)]
        told["held"] = [_held(release) for release in releases if release.state == "held"]
        told["lease"] = _lease(ledger)
        newest = {(r.survey, r.wave): r.release_id for r in releases if r.is_out}
    return {**told, "working": working(home, list(newest.values()))}


def lines(told: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """For reading, also through a pipe."""
    return [
        f"{told['organisation']}: it is {at(told['now'], zone)} ({zone.key})",
        "",
        *_places(told),
        *_surveys(told, zone),
        *_to_come(told, zone),
        *_all_held(told, zone),
        *_under_way(told, zone),
        *_working(told["working"], zone),
    ]


# -- what is asked of the ledger


def _title(run: Run, survey: str) -> str:
    return next(iter(run.titles(survey).values())) or survey


def _in_order(releases: Sequence[Release]) -> list[Release]:
    """The newest wave first, its newest revision first."""
    waves = {wave: place for place, wave in enumerate(in_order({release.wave for release in releases}))}
    return sorted(releases, key=lambda release: (-waves[release.wave], -release.revision, release.survey))


def _release(run: Run, release: Release, deliveries: Sequence[DeliveryState]) -> dict[str, Any]:
    channels: dict[str, Counter[str]] = {}
    for delivery in deliveries:
        channels.setdefault(delivery.channel, Counter())[delivery.status or "to come"] += 1
    return {
        "release_id": release.release_id,
        "wave": release.wave,
        "revision": release.revision,
        "state": release.state,
        "reason": release.stated_reason or release.reason,
        "departments": release.departments,
        "planned_at": release.planned_at,
        "released_at": release.released_at,
        "skew_ms": release.skew_ms,
        "address": address(run, release) if release.is_out else None,
        "late": sum(delivery.is_breach for delivery in deliveries),
        "deliveries": {channel: dict(statuses) for channel, statuses in channels.items()},
    }


def _waiting(run: Run, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Moments that releases wait for."""
    for moment in ledger.open_moments():
        releases = [release for release in ledger.releases_of(moment.moment_id) if release.state != "withdrawn"]
        recipients = ledger.deliveries(*(release.release_id for release in releases))
        is_late = moment.planned_at is not None and moment.phase == "open" and run.now - moment.planned_at > LATE
        yield {
            "at": moment.planned_at,
            "phase": moment.phase,
            "releases": [f"{release.survey} {release.wave}" for release in releases],
            "recipients": len(recipients),
            "is_late": is_late,
            "origin": "planned",
        }


def _announced(run: Run, known: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Moments of the calendar for which nothing is prepared yet."""
    zone = run.settings.organisation.zone
    for survey, moments in run.settings.calendar.items():
        for moment in moments:
            opens_at = instant(moment.at, zone)
            if (survey, moment.wave) not in known and opens_at > run.now:
                yield {
                    "at": opens_at,
                    "phase": "announced",
                    "releases": [f"{survey} {moment.wave}"],
                    "recipients": None,
                    "is_late": False,
                    "origin": "calendar",
                }


def _held(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "survey": release.survey,
        "wave": release.wave,
        "since": release.changed_at,
        "reason": release.stated_reason,
        "do": f"zwerm release {release.release_id} --retry",
    }


def _lease(ledger: Ledger) -> dict[str, Any] | None:
    holder = held_by(ledger, LEASE)
    if holder is None:
        return None
    return {"pid": holder.pid, "host": holder.place.split()[0], "until": holder.expires_at, "is_stale": holder.is_stale}


# -- how it is told


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


def _under_way(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    lease = told["lease"]
    if lease is None:
        return
    if lease["is_stale"]:
        yield f"process {lease['pid']} on {lease['host']} ended while it was opening a moment: zwerm recover"
    else:
        yield f"process {lease['pid']} on {lease['host']} holds the lease: a moment is being opened"
    yield ""


def _working(working: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
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
        if counts["quarantined"]:
            rules = ", ".join(f"{rule} {records:,}" for rule, records in list(counts["rules"].items())[:RULES_SHOWN])
            yield f"    {counts['quarantined']:,} in quarantine ({rules}); zwerm check shows which"
        for wave, answers in counts["waiting"].items():
            yield f"    {wave}: {counted(answers, 'answer')} came or changed since its release; see zwerm run"
