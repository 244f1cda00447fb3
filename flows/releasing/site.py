"""The pages that span releases, and each release's register: outside the seal, made when a publication is assembled."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.home import Home
from flows.releasing.register_files import register_files
from flows.run import in_languages
from flows.settings import Settings, instant
from transforms.report.moments import Moment
from transforms.report.register import Breach, Delivered, Register, Remark
from transforms.report.site import Index, Published, Stopped, assembled
from warehouse.ledger import Ledger
from warehouse.marts import Edition
from warehouse.records import DeliveryState, Event, Release

REMARKS = ("clock", "access")  # the kinds of events that the register prints though they are no breach


def site_pages(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    editions: Sequence[Edition],
    deliveries: Sequence[DeliveryState],
    *,
    registers: Sequence[Edition],
) -> dict[str, bytes]:
    """Index and calendar, and some editions' registers, by their name below `site/`; without any figure."""
    organisation = settings.organisation
    index = Index(
        organisation=organisation.name,
        languages=organisation.languages,
        timezone=organisation.timezone,
        releases=[_published(edition) for edition in editions],
        moments=list(_moments(ledger, settings, editions)),
        stopped=[*_stopped(ledger, home), *_withheld(ledger, settings)],
    )
    pages = assembled(index)
    told, head = ledger.events(kinds=("breach", *REMARKS)), ledger.head()
    of: dict[str, list[DeliveryState]] = {}
    for state in deliveries:
        of.setdefault(state.release_id, []).append(state)
    for edition in registers:
        said = register_files(_register(settings, edition, of.get(edition.release.release_id, []), told, head=head))
        pages |= {f"{edition.place}/{name}": content for name, content in said.items()}
    return pages


def _published(edition: Edition) -> Published:
    release, manifest = edition.release, _manifest(edition.sealed)
    return Published(
        survey=release.survey,
        titles=manifest["title"],
        wave=release.wave,
        revision=release.revision,
        reason=release.reason,
        path=edition.place,
        languages=tuple(manifest["languages"]),
        departments=release.departments,
        released_at=release.released_at or release.planned_at or datetime.now(UTC),
    )


def _stopped(ledger: Ledger, home: Home) -> Iterator[Stopped]:
    for release in ledger.stopped():
        yield Stopped(
            survey=release.survey,
            titles=_manifest(home.releases / release.release_id)["title"],
            wave=release.wave,
            revision=release.revision,
            state="held" if release.state == "held" else "withdrawn",
            reason=release.stated_reason or "",
            at=release.changed_at,
        )


def _withheld(ledger: Ledger, settings: Settings) -> Iterator[Stopped]:
    """Waves of which nothing could be sealed so far."""
    newest = {(e.detail["survey"], e.detail["wave"]): e for e in ledger.events(kinds=("withheld",))}
    for (survey, wave), event in newest.items():
        if any(release.sealed_at > event.at for release in ledger.releases(survey, wave)):
            continue
        title = settings.surveys[survey].title if survey in settings.surveys else ""
        yield Stopped(
            survey=survey,
            titles=in_languages(title or survey, settings.organisation.languages),
            wave=wave,
            revision=1,
            state="held",
            reason=str(event.detail["reason"]),
            at=event.at,
        )


def _moments(ledger: Ledger, settings: Settings, editions: Sequence[Edition]) -> Iterator[Moment]:
    """What is still to come: as the calendar has it, and as it is planned where a release waits already."""
    languages, zone = settings.organisation.languages, settings.organisation.zone
    shown = {edition.release.release_id for edition in editions}
    waiting = {(r.survey, r.wave): r for r in ledger.pending() if _has_its_time(r) and r.release_id not in shown}
    planned = {moment.moment_id: moment.created_at for moment in ledger.moments()}
    moved = _moved(ledger, settings)
    entries = {(survey, entry.wave): entry for survey, said in settings.calendar.items() for entry in said}
    out = {(edition.release.survey, edition.release.wave) for edition in editions}
    for survey, wave in sorted({*waiting, *(entries.keys() - out)}):  # a revision waits for a moment of its own
        release, entry = waiting.get((survey, wave)), entries.get((survey, wave))
        why = moved.get((survey, wave, release.moment_id or "")) if release else None
        at = release.planned_at if release else instant(entry.at, zone) if entry else None
        if at is None or at < datetime.now(UTC):
            continue
        title = settings.surveys[survey].title if survey in settings.surveys else ""
        yield Moment(
            survey=survey,
            titles=in_languages(title or survey, languages),
            wave=wave,
            at=at,
            announced_at=planned[release.moment_id] if release and release.moment_id else _written_at(settings.file),
            meeting=entry.meeting if entry else None,
            reason=why,
        )


def _has_its_time(release: Release) -> bool:
    return release.planned_at is not None and release.state != "held"


def _moved(ledger: Ledger, settings: Settings) -> dict[tuple[str, str, str], str]:
    """Of which survey and wave a moment was moved, and from when, to when and why, in words."""
    found = {}
    for event in ledger.events(kinds=("moved",)):
        times = [event.detail["moved_from"], event.detail["moved_to"]]
        told = " to ".join(_told(time, settings) for time in times if time)
        for release in ledger.known(event.release_ids):
            found[release.survey, release.wave, event.moment_id or ""] = f"from {told}: {event.detail['reason']}"
    return found


def _told(time: str, settings: Settings) -> str:
    return f"{datetime.fromisoformat(time).astimezone(settings.organisation.zone):%Y-%m-%d %H:%M:%S %Z}"


def _register(
    settings: Settings, edition: Edition, deliveries: Sequence[DeliveryState], events: Sequence[Event], *, head: str
) -> Register:
    release, manifest = edition.release, _manifest(edition.sealed)
    own = [event for event in events if _is_of(release, event)]
    return Register(
        organisation=settings.organisation.name,
        survey=release.survey,
        languages=tuple(manifest["languages"]),
        titles=manifest["title"],
        wave=release.wave,
        revision=release.revision,
        timezone=settings.organisation.timezone,
        release_id=release.release_id,
        planned_at=release.planned_at,
        released_at=release.released_at,
        skew_ms=release.skew_ms,
        tolerance_ms=settings.release.tolerance_ms,
        deliveries=[
            Delivered(
                state.recipient,
                state.channel,
                state.opened_at or (state.answered_at if state.status == "delivered" else None),
                state.status or "",
                state.attempts,
                state.language,
                state.answered_at,
                state.is_breach,
            )
            for state in deliveries
        ],
        breaches=[
            *(_breach(event) for event in own if event.kind == "breach"),
            *(Breach(kind, state.recipient) for state in deliveries if (kind := _fault(state))),
        ],
        remarks=[remark for event in own if event.kind in REMARKS for remark in _remarks(event)],
        ledger_head=head,
    )


def _remarks(event: Event) -> Iterator[Remark]:
    if event.kind == "clock":
        yield Remark("clock", says=event.detail["says"])
    elif event.detail.get("tries"):
        yield Remark("tries", number=event.detail["tries"])
    elif event.detail.get("says"):
        yield Remark("access", says=event.detail["says"])


def _breach(event: Event) -> Breach:
    return Breach(event.detail["what"], milliseconds=event.detail["milliseconds"], says=event.detail["says"])


def _fault(state: DeliveryState) -> str | None:
    """What the register says of a delivery that did not go as promised."""
    if state.status == "left_out":
        return "left_out"
    if state.status in ("failed", "unknown"):
        return "missing"
    return "late" if state.is_breach else None


def _is_of(release: Release, event: Event) -> bool:
    """Whether an event tells of this release, or of the whole moment at which it opens."""
    if event.delivery_id is not None:
        return False
    return release.release_id in event.release_ids or (not event.release_ids and event.moment_id == release.moment_id)


def _manifest(sealed: Path) -> Mapping[str, Any]:
    manifest: Mapping[str, Any] = json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _written_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime if file.exists() else 0, tz=UTC)
