"""One release on one screen: what it is, who received it, when and how, and what happened to it."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flows.command.status.wording import OUTCOMES, STATES, at, table
from flows.command.summary import address
from flows.errors import ConfigurationError
from flows.run import Run
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Event, Release

TOLD = ("reason", "says")  # of an event's details; nothing in them is a figure
OF_DELIVERIES = ("drawn_up", "wanted", "unwanted", "included", "opened", "delivered", "failed", "unknown", "left_out")


def facts(run: Run, name: str) -> dict[str, Any]:
    """The structured part of the answer; an id that is not known, or begins several, is an error that lists them."""
    if not run.home.ledger.exists():
        raise ConfigurationError(f"there is no release yet: {run.home.path} has no ledger; zwerm run makes the first")
    with Ledger.open(run.home.ledger) as ledger:
        release = _found(ledger, name)
        deliveries = ledger.deliveries(release.release_id)
        recipients = {delivery.delivery_id: delivery for delivery in deliveries}
        events = [event for event in ledger.events() if _is_of(event, release, recipients)]
        return {
            **_told(run, release),
            "deliveries": [_delivery(delivery) for delivery in deliveries],
            "events": [_event(event, recipients) for event in events],
        }


def lines(told: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """For reading, also through a pipe."""
    revision = f", revision {told['revision']}" if told["revision"] > 1 else ""
    return [
        f"{told['survey']} {told['wave']}{revision}",
        *table(list(_properties(told, zone))),
        "",
        "who received it",
        *_deliveries(told, zone),
        "",
        "what happened",
        *table([(at(event["at"], zone, to="milliseconds"), _happened(event)) for event in told["events"]]),
    ]


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


def _delivery(delivery: DeliveryState) -> dict[str, Any]:
    return {
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "language": delivery.language,
        "status": delivery.status,
        "opened_at": delivery.opened_at,
        "answered_at": delivery.answered_at,
        "detail": delivery.detail,
        "is_late": delivery.is_breach,
    }


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


def _properties(told: dict[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    yield "release", told["release_id"]
    state = STATES[told["state"]]
    yield "state", f"{state}; {told['stated_reason']}" if told["stated_reason"] else state
    if told["released_at"]:
        yield "opened", at(told["released_at"], zone, to="milliseconds")
    elif told["planned_at"]:
        yield "planned", at(told["planned_at"], zone)
    if told["skew_ms"] is not None:
        yield "skew", f"{told['skew_ms']:.1f} ms between the first and the last (tolerated: {told['tolerance_ms']} ms)"
    if told["reason"]:
        yield "revised", told["reason"]
    if told["previous_release_id"]:
        yield "measured against", told["previous_release_id"]
    yield "departments", str(told["departments"])
    yield "content", f"SHA-256 {told['content_sha256']}"
    if told["address"]:
        yield "pages", told["address"]
    if told["state"] == "held":
        yield "do", f"when that is mended: zwerm release {told['release_id']} --retry"


def _deliveries(told: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    if not told["deliveries"]:
        yield "  nobody is drawn up yet: it was not staged"
        return
    rows = [("recipient", "channel", "when", "outcome")]
    for delivery in told["deliveries"]:
        outcome = OUTCOMES[delivery["status"]] + (", late" if delivery["is_late"] else "")
        detail = f": {delivery['detail']}" if delivery["detail"] else ""
        when = at(delivery["opened_at"] or delivery["answered_at"], zone, to="milliseconds")
        rows.append((delivery["recipient"], delivery["channel"], when or "-", outcome + detail))
    yield from table(rows)


def _happened(event: dict[str, Any]) -> str:
    who = f" {event['recipient']} by {event['channel']}" if "recipient" in event else ""
    why = event.get("says") or event.get("reason")
    return f"{event['kind']}{who}" + (f": {why}" if why else "")
