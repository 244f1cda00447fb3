"""One release: what it is, who received it, when and at which attempt, what happened to it, and what to do next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flows.command.status import screen
from flows.command.summary import address
from flows.errors import ConfigurationError
from flows.releasing.publication import LEASE
from flows.run import Run
from warehouse.leases import Holder, held_by
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Event, Moment, Release

TOLD = ("reason", "says")  # of an event's details; nothing in them is a figure
OF_DELIVERIES = (
    *("drawn_up", "wanted", "unwanted", "included", "opened"),
    *("delivered", "failed", "unknown", "left_out", "tidied", "untidy"),
)
LATE = timedelta(minutes=1)


def facts(run: Run, name: str) -> dict[str, Any]:
    """The structured part of the answer; an id that is not known, or begins several, is an error that lists them."""
    if not run.home.ledger.exists():
        raise ConfigurationError(f"there is no release yet: {run.home.path} has no ledger; zwerm run makes the first")
    with Ledger.open(run.home.ledger) as ledger:
        release = _found(ledger, name)
        deliveries = ledger.deliveries(release.release_id)
        recipients = {delivery.delivery_id: delivery for delivery in deliveries}
        every = ledger.events()
        events = [event for event in every if _is_of(event, release, recipients)]
        tries: dict[str, list[Event]] = {}
        for event in every:
            if event.kind in ("delivered", "failed", "unknown") and event.delivery_id in recipients:
                tries.setdefault(event.delivery_id or "", []).append(event)
        moment = ledger.moment(release.moment_id) if release.moment_id else None
        holder = held_by(ledger, LEASE)
    return {
        **_told(run, release),
        "phase": moment.phase if moment else None,
        "counts": _counts(deliveries),
        "deliveries": [_delivery(delivery, tries.get(delivery.delivery_id, [])) for delivery in deliveries],
        "refused": list(_refused(release, events, recipients)),
        "events": [_event(event, recipients) for event in events],
        "next": list(_next(run, release, moment, holder, deliveries)),
    }


def held(run: Run) -> list[dict[str, Any]]:
    """Each release that is held: why, who was not ready, and what to do, for a machine."""
    with Ledger.open(run.home.ledger) as ledger:
        names = [release.release_id for release in ledger.releases() if release.state == "held"]
    kept = ("release_id", "survey", "wave", "revision", "stated_reason", "refused", "next")
    return [{name: one[name] for name in kept} for one in (facts(run, name) for name in names)]


def lines(told: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """For reading, on one screen, also through a pipe."""
    return screen.lines(told, zone)


def _found(ledger: Ledger, name: str) -> Release:
    known = ledger.releases()
    found = [release for release in known if name and release.release_id.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    among = found or list(known)[-5:]
    listed = "; ".join(f"{release.release_id} ({release.survey} {release.wave})" for release in among)
    what = "several releases begin with" if found else "no release has the id"
    raise ConfigurationError(f"{what} '{name}'. There {'is' if len(among) == 1 else 'are'}: {listed or 'none'}")


def _told(run: Run, release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "survey": release.survey,
        "wave": release.wave,
        "revision": release.revision,
        "state": release.state,
        "stated_reason": release.stated_reason,
        "reason": release.reason,
        "departments": release.departments,
        "previous_release_id": release.previous_release_id,
        "content_sha256": release.content_sha256,
        "sealed_at": release.sealed_at,
        "planned_at": release.planned_at,
        "released_at": release.released_at,
        "skew_ms": release.skew_ms,
        "tolerance_ms": run.settings.release.tolerance_ms,
        "address": address(run, release) if release.is_out else None,
    }


def _counts(deliveries: Sequence[DeliveryState]) -> dict[str, dict[str, int]]:
    """Per channel how many came to what, and how many of them late."""
    counts: dict[str, Counter[str]] = {}
    for delivery in deliveries:
        channel = counts.setdefault(delivery.channel, Counter())
        channel[delivery.status or "to_come"] += 1
        channel["late"] += delivery.status == "delivered" and delivery.is_breach
    return {channel: dict(count) for channel, count in counts.items()}


def _delivery(delivery: DeliveryState, events: Sequence[Event]) -> dict[str, Any]:
    """One delivery; `tries` are the times at which something was heard of it, be it only that nothing was."""
    tries = (
        e for e in events if e.delivery_id == delivery.delivery_id and e.kind in ("delivered", "failed", "unknown")
    )
    return {
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "language": delivery.language,
        "status": delivery.status,
        "opened_at": delivery.opened_at,
        "answered_at": delivery.answered_at,
        "detail": delivery.detail,
        "attempts": delivery.attempts,
        "tries": [{"at": event.at, "status": event.kind, "detail": event.detail.get("detail", "")} for event in tries],
        "is_late": delivery.is_breach,
    }


def _refused(
    release: Release, events: Sequence[Event], recipients: dict[str, DeliveryState]
) -> Iterator[dict[str, Any]]:
    """Who was not ready at the hold that lasts, and why, as far as the operator may know."""
    if release.state != "held":
        return
    begun = [place for place, event in enumerate(events) if event.kind in ("staged", "planned", "held")][:-1]
    for event in events[begun[-1] + 1 if begun else 0 :]:
        if event.kind == "refused" and (who := recipients.get(event.delivery_id or "")):
            yield {"recipient": who.recipient, "channel": who.channel, "reason": event.detail.get("reason", "")}


def _is_of(event: Event, release: Release, recipients: dict[str, DeliveryState]) -> bool:
    """Whether it tells of this release; what became of single deliveries stands in their table."""
    if event.kind in OF_DELIVERIES:
        return False
    return release.release_id in event.release_ids or event.delivery_id in recipients


def _event(event: Event, recipients: dict[str, DeliveryState]) -> dict[str, Any]:
    delivery = recipients.get(event.delivery_id or "")
    said = {name: event.detail[name] for name in TOLD if event.detail.get(name)}
    about = {"recipient": delivery.recipient, "channel": delivery.channel} if delivery else {}
    return {"at": event.at, "kind": event.kind, **about, **said}


def _next(
    run: Run, release: Release, moment: Moment | None, holder: Holder | None, deliveries: Sequence[DeliveryState]
) -> Iterator[str]:
    """What an operator does now, one sentence each; of what needs nothing that it needs nothing."""
    name = f"zwerm release {release.release_id}"
    is_opening = holder is not None and not holder.is_stale and moment is not None and moment.phase != "open"
    match release.state:
        case "drafted" | "sealed":
            yield f"stage it for its moment: {name} --retry"
        case "held":
            yield f"when that is mended: {name} --retry"
            yield f'or take it back: {name} --withdraw --reason "…"'
        case "withdrawn":
            yield "nothing: it stays withdrawn; zwerm run makes a new one of what the data say now"
        case "staged" | "armed" | "released" if is_opening and holder is not None:
            yield f"nothing: process {holder.pid} is opening it; see again in a minute"
        case "armed" | "released":
            yield "the process that opened it has ended: zwerm recover finishes or undoes it"
        case "staged":
            yield from _waiting(run, release, moment, name)
        case "confirmed":
            yield from _out(deliveries, name)


def _waiting(run: Run, release: Release, moment: Moment | None, name: str) -> Iterator[str]:
    if moment is not None and moment.phase != "open":
        yield "the process that armed it has ended: zwerm recover undoes that, and it waits again"
    elif release.planned_at is not None and run.now - release.planned_at > LATE:
        yield "its time has passed while nothing ran: zwerm recover settles it"
    else:
        yield "zwerm run waits for its moment and opens it; where zwerm serve runs, nothing"
        yield f"for another time: {name} --retry --at TIME"
        yield f'to take it back: {name} --withdraw --reason "…"'


def _out(deliveries: Sequence[DeliveryState], name: str) -> Iterator[str]:
    lacking = [delivery for delivery in deliveries if delivery.status not in ("delivered", "left_out")]
    left_out = [delivery for delivery in deliveries if delivery.status == "left_out"]
    if lacking:
        who = "the one who lacks it" if len(lacking) == 1 else f"the {len(lacking)} who lack it"
        yield f"send it to {who}, and to nobody else: {name} --retry"
    if left_out:
        yield f"mend the ways of those left out, {len(left_out)} (zwerm doctor): the next release asks them again"
    if not lacking and not left_out:
        yield "nothing: everyone has it"
