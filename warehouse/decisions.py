"""The decisions of the release protocol, each one transaction of the ledger: what may follow upon what stands here."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from warehouse import WarehouseError
from warehouse.chain import FACTS
from warehouse.leases import Lease, as_holder
from warehouse.ledger import Ledger
from warehouse.moments import BEGUN, is_under_way, moment_for, place
from warehouse.records import DeliveryState, Event, Moment, Release, as_text

HOLDS_APART = timedelta(minutes=10)  # a scheduler that tries again at once gives nobody the time to mend anything
BEFORE_ARMING = ("drafted", "sealed", "staged", "held")
BEFORE_RELEASE = (*BEFORE_ARMING, "armed")


class OvertakenError(WarehouseError):
    """Before the commit, someone else held or withdrew what was about to be released."""


class BeingOpenedError(WarehouseError):
    """Another process opens the release, or has opened it: its moment stays what it is."""

    is_busy = True


def plan(
    ledger: Ledger,
    release_ids: Sequence[str],
    *,
    planned_at: datetime | None,
    why: str = "",
    replacing: Sequence[str] = (),
    calendar: Mapping[str, datetime | None] | None = None,
) -> Moment:
    """Give releases their moment: the one of the same T that is still open, else a new one.

    Where the moment of that T has begun to arm, they go to the next that is open, else to one that follows at once.
    Another T than before is recorded with `why`; `replacing` are those that are withdrawn for these afterwards.
    `calendar` is what was announced for each when it was planned.
    """
    with ledger.transaction():
        planned = [_must(ledger, release_id) for release_id in release_ids]
        for release in planned:
            if release.is_out or is_under_way(ledger, release):
                stands = "out" if release.is_out else "being opened now"
                raise BeingOpenedError(f"release {release.release_id} is {stands} and cannot be planned anew")
            _must_be(ledger, release.release_id, BEFORE_ARMING, "planned")
        moment = moment_for(ledger, planned_at, leaving={*release_ids, *replacing})
        place(ledger, planned, moment, why=why, replaced=ledger.known(replacing), calendar=calendar or {})
    return moment


def stage(ledger: Ledger, release_ids: Sequence[str]) -> tuple[Moment, ...]:
    """Everyone is ready to be armed; a release whose moment has begun to arm meanwhile goes to the next."""
    moments = {}
    with ledger.transaction():
        for release_id in release_ids:
            release = _must(ledger, release_id)
            moment = ledger.moment(release.moment_id) if release.moment_id else None
            if moment is not None and (release.is_out or is_under_way(ledger, release)):
                moments[moment.moment_id] = moment  # another process opens it, and this one joins
                continue
            _must_be(ledger, release_id, BEFORE_ARMING, "staged")
            if moment is None or moment.phase != "open":
                moment = moment_for(ledger, None if moment is None else moment.planned_at)
                place(ledger, [release], moment, why=BEGUN)
            ledger.add("staged", release_ids=[release_id], moment_id=moment.moment_id)
            moments[moment.moment_id] = moment
    return tuple(moments.values())


def want(ledger: Ledger, wanted: Sequence[DeliveryState], *, release_id: str) -> tuple[DeliveryState, ...]:
    """Draw up who receives a release; a delivery that was drawn up before keeps its id, and so its key."""
    with ledger.transaction():
        known = {_who(delivery): delivery for delivery in ledger.deliveries(release_id)}
        added = []
        for delivery in wanted:
            if _who(delivery) in known:
                earlier = known.pop(_who(delivery))
                if earlier.status == "left_out":
                    ledger.add("included", delivery_id=earlier.delivery_id)
            else:
                added.append(_facts(delivery))
        if added:
            ledger.add("drawn_up", release_ids=[release_id], facts=ledger.insert("deliveries", added))
        for delivery in known.values():
            ledger.add("unwanted", delivery_id=delivery.delivery_id)
    return ledger.deliveries(release_id)


def freeze(ledger: Ledger, moment_id: str, *, lease: Lease) -> tuple[Release, ...]:
    """Begin to arm: from now on the moment's releases are these, whatever is staged later."""
    with as_holder(ledger, lease):
        staged = tuple(release for release in ledger.releases_of(moment_id) if release.state == "staged")
        if staged:
            ledger.add("arming", release_ids=_ids(staged), moment_id=moment_id)
    return staged


def arm(ledger: Ledger, moment_id: str, *, lease: Lease, release_ids: Sequence[str], took: Mapping[str, float]) -> None:
    """Every delivery said ready, and what can be read is complete in a private place; `took` seconds per channel."""
    with as_holder(ledger, lease):
        _must_all_be(ledger, release_ids, "staged")
        ledger.add("armed", release_ids=release_ids, moment_id=moment_id, took=dict(took))


def commit(ledger: Ledger, moment_id: str, *, lease: Lease, release_ids: Sequence[str]) -> None:
    """Decide: ONE row, in one transaction that is on disk when this returns, for all releases of the moment.

    Before this row nobody has anything and everything can be undone; after it there is only completion.
    """
    with as_holder(ledger, lease):
        _must_all_be(ledger, release_ids, "armed")
        ledger.add("released", release_ids=release_ids, moment_id=moment_id)


def overtaken(ledger: Ledger, release_ids: Sequence[str]) -> OvertakenError | None:
    """Who held or withdrew one of these while they were armed, and why; None where nobody did."""
    for release in ledger.known(release_ids):
        if release.state in ("held", "withdrawn"):
            return _overtaken(release)
    return None


def remark(ledger: Ledger, kind: Literal["clock"], *, release_ids: Sequence[str], moment_id: str, says: str) -> None:
    """Record what everyone should know of a moment though it stops nothing; the register prints it."""
    with ledger.transaction():
        ledger.add(kind, release_ids=release_ids, moment_id=moment_id, says=says)


def refuse(ledger: Ledger, refusals: Mapping[str, str], *, moment_id: str | None = None) -> None:
    """Record who was not ready, and why."""
    with ledger.transaction():
        for delivery_id, reason in refusals.items():
            ledger.add("refused", delivery_id=delivery_id, moment_id=moment_id, reason=reason)


def leave_out(ledger: Ledger, reasons: Mapping[str, str]) -> None:
    """Let the moment go ahead without these deliveries; the register shows them as left out."""
    with ledger.transaction():
        for delivery_id, reason in reasons.items():
            ledger.add("left_out", delivery_id=delivery_id, detail=reason)


def hold(
    ledger: Ledger,
    release_ids: Sequence[str],
    *,
    reason: str,
    details: str = "",
    moment_id: str | None = None,
    refused: Sequence[tuple[str, str]] = (),
    lease: Lease | None = None,
) -> tuple[Release, ...]:
    """Stop releases before their commit; `refused` names recipient and channel of those who were not ready.

    `moment_id` is given where the whole moment is held, and so over; `lease` where nobody else may have begun to open
    it. What is out already stays out.
    """
    with as_holder(ledger, lease) if lease else ledger.transaction():
        held = [_must(ledger, release_id) for release_id in release_ids]
        held = [release for release in held if release.state in BEFORE_RELEASE]
        if held:
            ledger.add(
                "held",
                release_ids=_ids(held),
                moment_id=moment_id,
                reason=reason,
                details=details,
                refused=list(refused),
                planned_at=max((as_text(r.planned_at) for r in held if r.planned_at), default=None),
            )
    return tuple(held)


def withhold(ledger: Ledger, survey: str, wave: str, *, reason: str) -> None:
    """Nothing of a wave can be sealed, and everyone is told why; said once, however often it is tried."""
    with ledger.transaction():
        said = [event.detail for event in ledger.events(kinds=("withheld",))]
        known = [detail for detail in said if (detail["survey"], detail["wave"]) == (survey, wave)]
        if not known or known[-1]["reason"] != reason:
            ledger.add("withheld", survey=survey, wave=wave, reason=reason)


def withdraw(
    ledger: Ledger, release_id: str, *, reason: str, stands_on: Callable[[Release], Collection[str]] | None = None
) -> tuple[Release, ...]:
    """Withdraw a release before its commit, and every release that stands on it: what it is measured against, and more.

    `stands_on` gives all releases whose figures stand in one; without it, that is what changes are measured against.
    """
    with ledger.transaction():
        _must_be(ledger, release_id, BEFORE_RELEASE, "withdrawn")
        bases = {
            release.release_id: {release.previous_release_id, *(stands_on(release) if stands_on else ())}
            for release in ledger.pending()
        }
        withdrawn, found = {release_id}, {release_id}
        while found:
            found = {name for name, stood_on in bases.items() if stood_on & withdrawn} - withdrawn
            withdrawn |= found
        ledger.add("withdrawn", release_ids=sorted(withdrawn), reason=reason)
    return tuple(_must(ledger, name) for name in sorted(withdrawn))


def undo(ledger: Ledger, moment_id: str, *, reason: str, lease: Lease) -> tuple[Release, ...]:
    """Arming ended without a commit: nothing was sent; the releases are staged as before, the moment is open."""
    with as_holder(ledger, lease):
        moment = ledger.moment(moment_id)
        if moment is None or moment.phase not in ("arming", "armed"):
            return ()
        back = [release for release in ledger.releases_of(moment_id) if release.state in ("staged", "armed")]
        ledger.add("staged", release_ids=_ids(back), moment_id=moment_id, reason=reason)
    return tuple(back)


def tried_in_vain(ledger: Ledger) -> frozenset[tuple[str, str]]:
    """Recipients and channels that two holds in a row name: nobody may block the others for ever.

    Two holds count as two where they lie ten minutes apart or are of different times; all in between name him too.
    """
    decided = [e for e in ledger.events(kinds=("held", "released")) if e.kind == "released" or e.detail.get("refused")]
    newest = decided[-1] if decided else None
    named: set[tuple[str, str]] | None = None
    for event in reversed(decided):
        if newest is None or event.kind == "released":
            break
        refused = {(who, channel) for who, channel in event.detail["refused"]}
        named = refused if named is None else named & refused
        if event is not newest and _are_apart(event, newest):
            return frozenset(named)
    return frozenset()


def _are_apart(earlier: Event, later: Event) -> bool:
    times = [event.detail.get("planned_at") for event in (earlier, later)]
    return later.at - earlier.at >= HOLDS_APART or (None not in times and times[0] != times[1])


def _facts(delivery: DeliveryState) -> dict[str, str | None]:
    said = {name: getattr(delivery, name) for name in FACTS["deliveries"] if name != "created_at"}
    return {**said, "created_at": as_text(datetime.now(UTC))}


def _who(delivery: DeliveryState) -> tuple[str, str, str, str | None]:
    return delivery.recipient, delivery.channel, delivery.language, delivery.target


def _ids(releases: Iterable[Release]) -> list[str]:
    return [release.release_id for release in releases]


def _must(ledger: Ledger, release_id: str) -> Release:
    release = ledger.release(release_id)
    if release is None:
        raise WarehouseError(f"{ledger.path} knows no release {json.dumps(release_id)}; zwerm status lists them")
    return release


def _must_be(ledger: Ledger, release_id: str, states: Sequence[str], done: str) -> Release:
    release = _must(ledger, release_id)
    if release.state not in states:
        raise WarehouseError(f"release {release_id} is {release.state} and cannot be {done}")
    return release


def _must_all_be(ledger: Ledger, release_ids: Sequence[str], state: str) -> None:
    for release in ledger.known(release_ids):
        if release.state != state:
            raise _overtaken(release)


def _overtaken(release: Release) -> OvertakenError:
    why = f": {release.stated_reason}" if release.stated_reason else ""
    return OvertakenError(f"{release.survey} {release.wave} was {release.state} meanwhile{why}")
