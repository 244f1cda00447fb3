"""Before the moment: a release is recorded, gets its T, and everyone is asked whether he is ready."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from flows.channels.by_name import Factory, channel_for, channels_for
from flows.errors import ConfigurationError
from flows.home import Home
from flows.preparing.seal import read_sealed, read_table, stands_on
from flows.releasing.audience import deliveries, recorded, restored, uncovered
from flows.releasing.holding import NotReadyError, announce, each, excused, hold, refusing
from flows.releasing.publication import is_behind, renew_if_free
from flows.settings import Settings
from warehouse import WarehouseError, decisions
from warehouse.leases import one_at_a_time
from warehouse.ledger import Ledger
from warehouse.moments import TooCloseError
from warehouse.publish import manifest_parts
from warehouse.records import DeliveryState, Facts, Moment, Release, State

OnStep = Callable[[str], None]
STAGING = "staging"  # two that put the same things into the same places at once would trip over each other
ANNOUNCED_AHEAD = timedelta(minutes=2)  # what opens sooner is not kept waiting by its own announcement


def nothing(step: str) -> None:
    """What is called at each named step where nobody asked for more."""


def record(home: Home, release_id: str) -> State:
    """Tell the ledger of a release that is sealed; the same content again is the same release, in the state it has."""
    sealed = read_sealed(home.releases / release_id)
    facts = Facts(
        release_id=sealed.release_id,
        survey=sealed.survey,
        wave=sealed.wave,
        revision=sealed.revision,
        reason=sealed.reason,
        previous_release_id=sealed.previous_release_id,
        departments=sealed.departments,
        content_sha256=manifest_parts(sealed.folder)["release.json"],
    )
    with Ledger.open(home.ledger) as ledger:
        return ledger.seal(facts)


def plan(
    home: Home,
    release_ids: Sequence[str],
    *,
    at: datetime | None = None,
    why: str = "",
    replacing: Sequence[str] = (),
    calendar: Mapping[str, datetime | None] | None = None,
) -> Moment:
    """Give sealed releases their moment: T, or None for as soon as it is armed; `why` it is another than before.

    `replacing` are releases of the same waves that are withdrawn afterwards; `calendar` is what the calendar says of
    each now, so that a change of it is noticed.
    """
    with Ledger.open(home.ledger) as ledger:
        try:
            return decisions.plan(
                ledger, release_ids, planned_at=at, why=why, replacing=replacing, calendar=calendar or {}
            )
        except TooCloseError as error:
            raise ConfigurationError(str(error)) from None


def stage(
    home: Home,
    settings: Settings,
    release_ids: Sequence[str],
    *,
    on_step: OnStep = nothing,
    factory: Factory = channel_for,
) -> tuple[Moment, ...]:
    """Do everything slow and ask everyone whether he is ready; raises HeldError, with who and why, where one is not."""
    on_step("sealed")
    with Ledger.open(home.ledger) as ledger:
        states = [state for name in release_ids for state in _drawn_up(ledger, settings, name)]
        channels = channels_for(restored(states, settings), home=home, settings=settings, factory=factory)
        for release_id in release_ids:
            if reason := _not_covered(home, settings, release_id):
                hold(ledger, home, settings, release_ids, channels=channels, reason=reason)
        with one_at_a_time(ledger, STAGING):
            answers = each(channels, lambda name, channel: channel.stage(), otherwise=refusing(states))
        refusals = excused(ledger, states, [refusal for answer in answers for refusal in answer])
        if refusals:
            fault = NotReadyError(states, refusals)
            hold(
                ledger,
                home,
                settings,
                release_ids,
                channels=channels,
                reason=fault.public,
                details=str(fault),
                refused=fault.refused,
            )
        moments = decisions.stage(ledger, release_ids)
    on_step("staged")
    return moments


def announce_moments(home: Home, settings: Settings, moments: Sequence[Moment]) -> None:
    """Have the published calendar tell of planned moments, where they are new or moved and not about to come."""
    ahead = [m for m in moments if m.planned_at is not None and m.planned_at - datetime.now(UTC) > ANNOUNCED_AHEAD]
    with Ledger.open(home.ledger) as ledger:
        if ahead and is_behind(ledger, "planned"):
            with suppress(OSError, WarehouseError):  # that it cannot be published, its release finds out for itself
                renew_if_free(ledger, home, settings)


def withdraw(
    home: Home, settings: Settings, release_id: str, *, reason: str, factory: Factory = channel_for
) -> list[str]:
    """Withdraw a release before its commit, with those that show its figures, and tell everyone; the ids withdrawn."""

    def bases(release: Release) -> frozenset[str]:
        return stands_on(home.releases / release.release_id)

    with Ledger.open(home.ledger) as ledger:
        withdrawn = decisions.withdraw(ledger, release_id, reason=reason, stands_on=bases)
        states = ledger.deliveries(*(release.release_id for release in withdrawn))
        channels = channels_for(restored(states, settings), home=home, settings=settings, factory=factory)
        announce(channels, "withdrawn", reason)
        try:
            renew_if_free(ledger, home, settings)
        except WarehouseError as error:
            raise WarehouseError(f"{release_id} is withdrawn and its recipients are told, but {error}") from error
    return [release.release_id for release in withdrawn]


def _drawn_up(ledger: Ledger, settings: Settings, release_id: str) -> tuple[DeliveryState, ...]:
    wanted = [recorded(delivery, settings) for delivery in deliveries(settings, release_id)]
    return decisions.want(ledger, wanted, release_id=release_id)


def _not_covered(home: Home, settings: Settings, release_id: str) -> str | None:
    paths = read_table(home.releases / release_id, "departments")["path"]
    missing = uncovered(settings, ([str(name) for name in path] for path in paths))
    return f"the audience does not cover {'; '.join(map(str, missing))}" if missing else None
