"""One release on one screen: counts first, then by name only those of whom there is something to say."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flows.command.status.wording import OUTCOMES, STATES, at, cut, table
from flows.progress import counted

SCREEN = 24  # lines of a terminal that nobody has made larger
NAMED_AT_LEAST, HAPPENED_AT_LEAST = 2, 3
UNTOLD = ("drafted", "arming")  # what the next event tells as well


def lines(told: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """What it is, what to do next, who has it, who not, what happened: 24 lines, of which none need be wrapped."""
    revision = f", revision {told['revision']}" if told["revision"] > 1 else ""
    head = [f"{told['survey']} {told['wave']}{revision}", *table(list(_properties(told, zone)))]
    counts = list(table(list(_counts(told["counts"])))) or ["  nobody is drawn up yet: it was not staged"]
    named = [cut(line) for line in table(list(_named(told, zone)))]
    events = [event for event in told["events"] if event["kind"] not in UNTOLD and "recipient" not in event]
    happened = [(at(event["at"], zone, to="milliseconds"), _happened(event)) for event in events]
    room = SCREEN - len(head) - len(counts) - 2
    more = f"zwerm status {told['release_id']} --json"
    shown = _first(named, max(room - HAPPENED_AT_LEAST - 1, NAMED_AT_LEAST), more=more)
    rows = _last(happened, max(room - len(shown), HAPPENED_AT_LEAST), more=more)
    return [*head, "who has it", *counts, *shown, "what happened", *[cut(line) for line in table(rows)]]


def _properties(told: dict[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    yield "release", told["release_id"]
    state = STATES[told["state"]]
    yield "state", cut(f"{state}; {told['stated_reason']}" if told["stated_reason"] else state, width=80)
    skew = f", skew {told['skew_ms']:.1f} ms (tolerated: {told['tolerance_ms']})" if told["skew_ms"] is not None else ""
    if told["released_at"]:
        yield "opened", at(told["released_at"], zone, to="milliseconds") + skew
    elif told["planned_at"]:
        yield "planned", at(told["planned_at"], zone)
    if told["reason"]:
        yield "revised", cut(told["reason"], width=80)
    if told["previous_release_id"]:
        yield "measured", f"against {told['previous_release_id']}"
    yield "content", f"{counted(told['departments'], 'department')}, SHA-256 {told['content_sha256']}"
    if told["address"]:
        yield "pages", told["address"]
    for number, todo in enumerate(told["next"]):
        yield "" if number else "next:", todo


def _counts(counts: dict[str, dict[str, int]]) -> Iterator[tuple[str, str, str]]:
    """Per channel how many have it, and of the others what came of them."""
    for channel, count in counts.items():
        every = sum(number for outcome, number in count.items() if outcome != "late")
        rest = {OUTCOMES[None if name == "to_come" else name]: count.get(name, 0) for name in _OTHERS}
        said = [f"{number:,} {words}" for words, number in rest.items() if number]
        late = [f"{count['late']:,} late"] if count.get("late") else []
        yield channel, f"{count.get('delivered', 0):,} of {every:,}", ", ".join([*late, *said])


_OTHERS = ("failed", "unknown", "left_out", "to_come")


def _named(told: dict[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Those who lack it, and then those who had it late; where it is held, those who were not ready."""
    for refused in told["refused"]:
        yield f"{refused['recipient']} by {refused['channel']}", f"not ready: {refused['reason']}"
    if not told["released_at"]:
        return
    for delivery in sorted(told["deliveries"], key=lambda one: one["status"] == "delivered"):
        if delivery["status"] == "delivered" and not delivery["is_late"]:
            continue
        outcome = OUTCOMES[delivery["status"]] + (", late" if delivery["status"] == "delivered" else "")
        sent = f", sent {delivery['attempts']} times" if delivery["attempts"] > 1 else ""
        when = at(delivery["opened_at"], zone, to="milliseconds") if delivery["status"] == "delivered" else ""
        detail = f": {delivery['detail']}" if delivery["detail"] else ""
        yield f"{delivery['recipient']} by {delivery['channel']}", f"{outcome}{sent} {when}".rstrip() + detail


def _first(lines: Sequence[str], most: int, *, more: str) -> list[str]:
    """As many as there is room for, and how many more there are."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"  and {len(lines) - most + 1:,} others: {more}"]


def _last(rows: Sequence[tuple[str, str]], most: int, *, more: str) -> list[tuple[str, str]]:
    """The newest, and how many there were before."""
    if len(rows) <= most:
        return list(rows)
    return [(f"{len(rows) - most + 1:,} before that", more), *rows[len(rows) - most + 1 :]]


def _happened(event: dict[str, Any]) -> str:
    why = event.get("says") or event.get("reason")
    return str(event["kind"]) + (f": {why}" if why else "")
