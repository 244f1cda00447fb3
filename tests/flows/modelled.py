"""What the state of every release must be, said once more in a few lines: a model that the ledger is held against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ALLOWED: Mapping[str | None, frozenset[str]] = {  # "States of a release", as the protocol draws them
    None: frozenset({"drafted"}),
    "drafted": frozenset({"sealed", "held", "withdrawn"}),
    "sealed": frozenset({"staged", "held", "withdrawn"}),
    "staged": frozenset({"staged", "armed", "held", "withdrawn"}),  # staged again: for another moment, or arming undone
    "armed": frozenset({"staged", "released", "held", "withdrawn"}),
    "held": frozenset({"staged", "held", "withdrawn"}),
    "released": frozenset({"confirmed"}),
    "confirmed": frozenset(),
    "withdrawn": frozenset(),
}
BEFORE_ARMING = ("sealed", "staged", "held")
BEFORE_RELEASE = (*BEFORE_ARMING, "armed")
OUT = ("released", "confirmed")
APART, HOLDS_APART = timedelta(minutes=2), timedelta(minutes=10)
LEAD, LATE = timedelta(seconds=30), timedelta(seconds=1)


@dataclass
class Known:
    """A release, as far as it has come."""

    release_id: str
    survey: str
    wave: str
    revision: int
    figure: str
    previous: str | None
    state: str = "sealed"
    moment: str | None = None
    left_out: set[str] = field(default_factory=set)
    was_asked: bool = False  # it was staged once, so that its recipients can be told of a hold
    kills: int = 0  # how often a process ended between its commit and its confirm

    @property
    def place(self) -> str:
        """Where it will lie below a site or a shared folder."""
        return f"{self.survey}/{self.wave}/r{self.revision}"


@dataclass
class Hour:
    """A moment: its T, or none, and its phase."""

    at: datetime | None
    phase: str = "open"


@dataclass
class Model:
    """All releases and moments of a home, and who kept the others from theirs."""

    late: str
    releases: dict[str, Known] = field(default_factory=dict)
    moments: dict[str, Hour] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    decided: list[tuple[frozenset[str], datetime, datetime | None] | None] = field(default_factory=list)

    def of(self, moment_id: str, *states: str) -> list[Known]:
        """The releases of a moment, in some states or in any."""
        return [r for r in self.releases.values() if r.moment == moment_id and (not states or r.state in states)]

    def at(self, release: Known) -> datetime | None:
        """The T that a release waits for."""
        return self.moments[release.moment].at if release.moment else None

    def is_under_way(self, release: Known) -> bool:
        """Whether a process was killed while it armed it."""
        is_armed = release.moment is not None and self.moments[release.moment].phase in ("arming", "armed")
        return is_armed and release.state in ("staged", "armed")

    def may_be_planned(self, release: Known, at: datetime | None) -> bool:
        """Before arming alone, and for a T that is taken already or two minutes from any other."""
        if release.state not in BEFORE_ARMING or self.is_under_way(release):
            return False
        taken = {name: hour.at for name, hour in self.moments.items() if hour.at and hour.phase != "held"}
        if at is None or at in taken.values():
            return True
        near = [name for name, other in taken.items() if abs(other - at) < APART]
        return all(r is release or r.state == "withdrawn" for name in near for r in self.of(name))

    def stop(self, releases: Iterable[Known], refused: Iterable[str] = (), *, moment: str | None = None) -> None:
        """Hold for everyone; what is out already stays out."""
        held = [release for release in releases if release.state in BEFORE_RELEASE]
        if held and refused:
            times = [at for release in held if (at := self.at(release))]
            self.decided.append((frozenset(refused), datetime.now(UTC), max(times, default=None)))
        for release in held:
            release.state = "held"
        if held and moment:
            self.moments[moment].phase = "held"

    def refused(self, releases: Iterable[Known]) -> set[str]:
        """Who keeps these releases from everyone; whom two holds in a row named does not, and is left out."""
        asked, vain = list(releases), self.in_vain()
        refusing = {name for release in asked for name in self.blocked - release.left_out}
        for release in asked:
            release.left_out |= self.blocked & vain
        return refusing - vain

    def in_vain(self) -> frozenset[str]:
        """Whom the last holds name, one after the other, of which two are ten minutes or a T apart."""
        named: frozenset[str] | None = None
        since = self.decided[::-1]
        for hold in since[: since.index(None)] if None in since else since:
            assert hold is not None and since[0] is not None
            named = hold[0] if named is None else named & hold[0]
            has_other_time = hold[2] is not None and since[0][2] is not None and hold[2] != since[0][2]
            if hold is not since[0] and (since[0][1] - hold[1] >= HOLDS_APART or has_other_time):
                return named
        return frozenset()

    def withdrawn(self, release: Known) -> list[Known]:
        """Withdraw it, and all that is measured against it."""
        gone = [release]
        for one in gone:
            gone += [r for r in self.releases.values() if r.previous == one.release_id and r.state in BEFORE_RELEASE]
        for one in gone:
            one.state = "withdrawn"
        return gone

    def undo(self, moment_id: str) -> None:
        """Arming ended without a commit."""
        if self.moments[moment_id].phase in ("arming", "armed"):
            self.moments[moment_id].phase = "open"
            for release in self.of(moment_id, "armed"):
                release.state = "staged"

    def complete(self, moment_id: str) -> None:
        """What was decided comes to its end."""
        self.moments[moment_id].phase = "confirmed"
        for release in self.of(moment_id, "released"):
            release.state = "confirmed"

    def is_late(self, moment_id: str, *, by: timedelta = LATE) -> bool:
        """Whether its T passed while nothing ran."""
        hour = self.moments[moment_id]
        return hour.phase not in OUT and hour.at is not None and datetime.now(UTC) - hour.at > by

    def is_waited_for(self, moment_id: str) -> bool:
        """Whether it is under way, or something waits for it."""
        phase = self.moments[moment_id].phase
        is_open = phase in ("open", "arming", "armed") and bool(self.of(moment_id, "sealed", "staged", "armed"))
        return phase == "released" or is_open

    def recover(self) -> None:
        """Finish what was decided, undo what was not, hold what is late."""
        for moment_id, hour in self.moments.items():
            self.undo(moment_id)
            if hour.phase == "released":
                self.complete(moment_id)
        for moment_id in self.moments:
            if (
                self.late == "hold"
                and self.is_waited_for(moment_id)
                and self.is_late(moment_id, by=timedelta(minutes=1))
            ):
                self.stop(self.of(moment_id, "sealed", "staged", "armed"), moment=moment_id)

    def open(self, moment_id: str, *, crash: str | None, is_cancelled: bool, is_overtaken: bool) -> str:
        """What must come of opening a moment: opened, joined, held, killed, or nothing where nothing was staged."""
        hour = self.moments[moment_id]
        if hour.phase == "held":
            return "held"
        if hour.phase == "confirmed":
            return "joined"
        if hour.phase == "released":
            self.complete(moment_id)
            return "opened"
        is_waiting = hour.phase != "open" or bool(self.of(moment_id, "sealed", "staged", "armed"))
        is_stopped_before = is_cancelled and hour.at is not None and hour.at - datetime.now(UTC) > LEAD
        if not is_stopped_before:
            if not is_waiting:
                return "nothing"
            self.undo(moment_id)
        if is_stopped_before or (self.is_late(moment_id) and self.late == "hold"):
            self.stop(self.of(moment_id, "sealed", "staged", "armed"), moment=moment_id)
            return "held"
        return self._armed(moment_id, crash, is_cancelled, is_overtaken)

    def _armed(self, moment_id: str, crash: str | None, is_cancelled: bool, is_overtaken: bool) -> str:
        hour, frozen = self.moments[moment_id], self.of(moment_id, "staged")
        if not frozen:
            return "nothing"
        if crash == "arming":
            hour.phase = "arming"
            return "killed"
        follows = all(
            r.previous is None or self.releases[r.previous].state in OUT or self.releases[r.previous] in frozen
            for r in frozen
        )
        refused = self.refused(frozen) if follows else set()
        if not follows or refused:
            self.stop(frozen, refused, moment=moment_id)
            return "held"
        self._all(hour, frozen, "armed")
        if is_overtaken:
            self.withdrawn(frozen[0])
        if crash == "armed":
            return "killed"
        if is_cancelled or is_overtaken:
            self.stop(frozen, moment=moment_id)
            return "held"
        self.decided.append(None)
        if crash is not None and crash not in ("confirmed", "renewed"):
            self._all(hour, frozen, "released")
            for release in frozen:
                release.kills += 1
            return "killed"
        self._all(hour, frozen, "confirmed")
        return "killed" if crash else "opened"

    def _all(self, hour: Hour, releases: Iterable[Known], state: str) -> None:
        hour.phase = state
        for release in releases:
            release.state = state
