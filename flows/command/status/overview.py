"""How everything stands, as facts: places, releases, moments to come, what is held, the lease, the working file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from flows.command.status.working import working
from flows.command.summary import address
from flows.releasing.publication import LEASE
from flows.run import Run
from flows.settings import instant
from transforms.waves import in_order
from warehouse.leases import held_by
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Release

LATE = timedelta(minutes=1)


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
        return {**told, "to_come": list(_announced(run, set())), "working": working(home, {}, settings.surveys)}
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
    return {**told, "working": working(home, newest, settings.surveys)}


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
