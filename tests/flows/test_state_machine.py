"""Any order of calls, failures and kills: each release is in the state that the protocol gives it, and nobody is early.

`make any-order` takes longer and shortens what it finds; here the same examples are drawn each time.
"""

import gc
import html
import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from flows.errors import ConfigurationError, FlowError
from flows.home import Home
from flows.release import open_moment
from flows.releasing.moment import plan, stage, withdraw
from flows.releasing.recover import recover, retry
from flows.settings import Settings
from tests.flows.any_order import SHARES, Ground, full_hour, killing, outcome, pick
from tests.flows.modelled import ALLOWED, BEFORE_RELEASE, OUT, Known
from tests.flows.reading import in_mart, readable
from warehouse import WarehouseError, decisions
from warehouse.ledger import Ledger

EXAMPLES = int(os.environ.get("ZWERM_STATE_MACHINE_EXAMPLES", "0"))
OPENING = ("arming", "armed", "committed", "opened:1", "confirmed")
AHEAD = (60, 61, 60, 61, 64)  # minutes; the first two are too close to each other
SURVEYS = ("passengers", "staff")
some = st.integers(0, 30)
when = st.sampled_from((None, *AHEAD))


class Withdraw(Protocol):
    """Withdraws a release."""

    def __call__(self, home: Home, settings: Settings, release_id: str, *, reason: str) -> object: ...


def decide_to_withdraw(home: Home, settings: Settings, release_id: str, *, reason: str) -> None:
    """Withdraw it in a process that ends before it has told anybody."""
    with Ledger.open(home.ledger) as ledger:
        decisions.withdraw(ledger, release_id, reason=reason)


crashes = st.sampled_from((None, None, None, *OPENING))
rarely = st.sampled_from((False, False, False, False, True))
overtakings = st.sampled_from((None, None, None, None, withdraw, decide_to_withdraw))


class AnyOrder(Ground):
    """What people, schedulers and kills do, in any order, and what holds after each of it."""

    # -- what people and schedulers do

    @rule(survey=st.sampled_from(SURVEYS), is_measured=st.booleans(), minutes=when, steps=st.sampled_from((0, 1, 2, 2)))
    def seal_a_wave(self, survey: str, is_measured: bool, minutes: int | None, steps: int) -> None:
        waves = len(self.model.releases)
        earlier = [r for r in self.model.releases.values() if r.survey == survey and r.state != "withdrawn"]
        previous = earlier[-1].release_id if earlier and is_measured else None
        made = self.seal(survey, f"{2026 + waves // 12}-{waves % 12 + 1:02}", 1, previous)
        if steps:
            self.plan(made, minutes)
        if steps > 1:
            self.stage([made], None)

    @precondition(lambda self: self.revisable())
    @rule(which=some)
    def seal_and_stage_a_revision(self, which: int) -> None:
        chosen = pick(self.revisable(), which)
        self.stage([self.seal(chosen.survey, chosen.wave, chosen.revision + 1, chosen.previous)], None)

    @precondition(lambda self: self.model.releases)
    @rule(which=some, minutes=when)
    def plan_it(self, which: int, minutes: int | None) -> None:
        self.plan(pick([*self.model.releases.values()], which), minutes)

    @precondition(lambda self: self.those(*BEFORE_RELEASE))
    @rule(which=st.lists(some, min_size=1, max_size=3), crash=st.sampled_from((None, None, None, "sealed", "staged")))
    def stage_them(self, which: list[int], crash: str | None) -> None:
        waiting = self.those(*BEFORE_RELEASE)
        self.stage([*{r.release_id: r for r in (pick(waiting, n) for n in which)}.values()], crash)

    @precondition(lambda self: self.with_releases())
    @rule(which=some, crash=crashes, is_cancelled=rarely, is_share_lost=rarely, overtaken=overtakings)
    def open_it(
        self, which: int, crash: str | None, is_cancelled: bool, is_share_lost: bool, overtaken: Withdraw | None
    ) -> None:
        moment_id = pick(self.with_releases(), which)
        self.open(moment_id, crash, is_cancelled=is_cancelled, is_share_lost=is_share_lost, overtaken=overtaken)

    @rule(survey=st.sampled_from(SURVEYS), crash=crashes, overtaken=overtakings)
    def seal_stage_and_open_a_wave(self, survey: str, crash: str | None, overtaken: Withdraw | None) -> None:
        waves = len(self.model.releases)
        made = self.seal(survey, f"{2026 + waves // 12}-{waves % 12 + 1:02}", 1, None)
        self.stage([made], None)
        if made.moment is not None and made.state == "staged":
            self.open(made.moment, crash, overtaken=overtaken)

    @precondition(lambda self: self.model.releases)
    @rule(which=some)
    def withdraw_it(self, which: int) -> None:
        chosen = pick([*self.model.releases.values()], which)
        if chosen.state not in BEFORE_RELEASE:
            with pytest.raises(WarehouseError, match="cannot be withdrawn"):
                withdraw(self.home, self.settings, chosen.release_id, reason="a wrong file")
            return
        gone = withdraw(self.home, self.settings, chosen.release_id, reason=f"file <{chosen.place}> & more")
        assert set(gone) == {release.release_id for release in self.model.withdrawn(chosen)}

    @precondition(lambda self: self.model.releases)
    @rule(which=some)
    def retry_it(self, which: int) -> None:
        chosen = pick([*self.model.releases.values()], which)
        if chosen.state in ("withdrawn", "staged", "armed"):
            with pytest.raises(FlowError, match=r"withdrawn|not held"):
                retry(self.home, self.settings, chosen.release_id)
            return
        at = self.model.at(chosen)
        is_past = at is not None and at <= datetime.now(UTC)
        may_be = self.model.may_be_planned(chosen, None if is_past and chosen.state == "held" else at)
        came = outcome(lambda: retry(self.home, self.settings, chosen.release_id))
        if chosen.state in OUT:
            assert came == "done"
        elif not may_be:
            assert came == "refused"
        else:
            self.learn([chosen])
            assert came == self.staged([chosen], None)

    @precondition(lambda self: self.model.releases)
    @rule()
    def start_again(self) -> None:
        self.model.recover()
        recover(self.home, self.settings)
        self.is_settled = True

    @precondition(lambda self: self.those(*BEFORE_RELEASE))
    @rule(name=st.sampled_from(sorted(SHARES)))
    def a_share_goes_away_or_comes_back(self, name: str) -> None:
        if name in self.model.blocked:
            self.unblock(name)
        else:
            self.block(name)

    @precondition(lambda self: self.model.moments)
    @rule(minutes=st.sampled_from([11, 130]))
    def time_passes(self, minutes: int) -> None:
        self.now.shift(timedelta(minutes=minutes))

    # -- what must hold after each of them

    @invariant()
    def every_state_is_the_models(self) -> None:
        with Ledger.open(self.home.ledger) as ledger:
            known = {r.release_id: r for r in ledger.releases()}
            moments = {m.moment_id: m for m in ledger.moments()}
            opened = {m.moment_id for m in ledger.open_moments()}
        assert {name: r.state for name, r in known.items()} == {n: r.state for n, r in self.model.releases.items()}
        assert {n: (m.planned_at, m.phase) for n, m in moments.items() if n in self.model.moments} == {
            name: (hour.at, hour.phase) for name, hour in self.model.moments.items()
        }
        assert opened == {name for name in self.model.moments if self.model.is_waited_for(name)}
        assert {r.moment_id for r in known.values()} == {r.moment for r in self.model.releases.values()}

    @invariant()
    def every_step_is_one_that_the_protocol_allows(self) -> None:
        with Ledger.open(self.home.ledger) as ledger:
            events = ledger.events()
        states: dict[str, str | None] = {}
        commits: Counter[str] = Counter()
        for event in events:
            for name in event.release_ids if event.kind in ALLOWED else ():
                before = states.get(name)
                assert event.kind in ALLOWED[before], f"{before} → {event.kind}"
                states[name] = event.kind
                commits[name] += event.kind == "released"
        assert commits == {r.release_id: int(r.state in OUT) for r in self.model.releases.values()}

    @invariant()
    def the_lease_is_free_when_nobody_is_inside(self) -> None:
        with Ledger.open(self.home.ledger) as ledger:
            leases = ledger.connection.execute("select count(*) from leases").fetchone()[0]
        assert leases == 0 or not self.is_settled

    @invariant()
    def nobody_is_early(self) -> None:
        waiting = [r for r in self.model.releases.values() if r.state not in OUT]
        shown = "\n".join(readable(self.home.published) + readable(self.home.path / "shares"))
        assert [r.place for r in waiting if f"/{r.place}/" in shown] == []
        sent = {said["release_id"] for said in self.receiver.events("release")}
        assert sent <= {r.release_id for r in self.model.releases.values() if r.state in OUT}
        texts = b"".join(self.texts())
        assert [r.figure for r in waiting if r.figure.encode() in texts] == []

    @invariant()
    def what_is_published_is_whole_and_of_what_is_out_alone(self) -> None:
        out = sorted(r.release_id for r in self.model.releases.values() if r.state in OUT)
        published = self.home.published / "current"
        if not published.is_symlink():
            assert out == [] or not self.is_settled
            return
        if self.seen[0] != str(published.readlink()):
            self.seen = (str(published.readlink()), in_mart(published / "warehouse.duckdb"))
        assert set(self.seen[1]) <= set(out)
        if self.is_settled:
            assert self.seen[1] == out

    @invariant()
    def who_is_recorded_as_having_it_has_it_whole(self) -> None:
        with Ledger.open(self.home.ledger) as ledger:
            states = {r: {d.recipient: d.status for d in ledger.deliveries(r)} for r in self.model.releases}
        for release in self.model.releases.values():
            for name, recipient in SHARES.items():
                if states[release.release_id].get(recipient) == "delivered" and name not in self.model.blocked:
                    assert self.has(release, self.home.path / "shares" / name)
                if release.state == "confirmed" and name in release.left_out and name in self.model.blocked:
                    assert states[release.release_id][recipient] == "left_out"
                elif release.state == "confirmed":
                    assert states[release.release_id][recipient] in ("delivered", "failed", "left_out")

    @invariant()
    def what_was_acknowledged_is_sent_once(self) -> None:
        sends = [(json.loads(body)["release_id"], key) for event, key, body in self.receiver.came if event == "release"]
        keys = {release_id: {key for name, key in sends if name == release_id} for release_id, _ in sends}
        for release_id, count in Counter(name for name, _ in sends).items():
            assert len(keys[release_id]) == 1
            assert count <= 1 + self.model.releases[release_id].kills

    @invariant()
    def what_is_stopped_says_so_with_its_reason(self) -> None:
        if not self.is_settled:
            return
        with Ledger.open(self.home.ledger) as ledger:
            reasons = [release.stated_reason or "" for release in ledger.stopped()]
        said = html.unescape((self.home.published / "site" / "index.html").read_text()) if reasons else ""
        assert [reason for reason in reasons if reason not in said] == []

    def plan(self, release: Known, minutes: int | None) -> None:
        """Plan it for so many minutes after the hour; refused where the model says so."""
        at = None if minutes is None else full_hour() + timedelta(minutes=minutes)
        if not self.model.may_be_planned(release, at):
            with pytest.raises((ConfigurationError, WarehouseError), match=r"two minutes|cannot be planned"):
                plan(self.home, [release.release_id], at=at)
            return
        moment = plan(self.home, [release.release_id], at=at)
        assert moment.planned_at == at or any(hour.at == at for hour in self.model.moments.values())
        self.learn([release])

    def stage(self, releases: list[Known], crash: str | None) -> None:
        """Stage these together, with what must come of it."""
        ids = [release.release_id for release in releases]
        came = outcome(lambda: stage(self.home, self.settings, ids, on_step=killing(crash)))
        self.learn(releases)
        assert came == self.staged(releases, crash)

    def open(
        self,
        moment_id: str,
        crash: str | None,
        *,
        is_cancelled: bool = False,
        is_share_lost: bool = False,
        overtaken: Withdraw | None = None,
    ) -> None:
        """Open a moment, at its T where it has one, with what must come of it."""
        at = self.model.moments[moment_id].at
        if at is not None and at > datetime.now(UTC) and not is_cancelled:
            self.now.move_to(at - timedelta(seconds=0.2))
        told = len(self.receiver.events("held"))
        before = {r.release_id for r in self.those("held")}
        waiting = self.model.of(moment_id, "staged", "armed")
        how = {"is_cancelled": is_cancelled, "is_overtaken": overtaken is not None}
        expected = self.model.open(moment_id, crash=crash, **how)

        def on_step(step: str) -> None:
            if step == "committed" and is_share_lost:
                self.block("ships")
            if step == "armed" and overtaken is not None:
                overtaken(self.home, self.settings, waiting[0].release_id, reason="a wrong file")
            killing(crash)(step)

        came = outcome(
            lambda: open_moment(
                *(self.home, self.settings, moment_id),
                is_cancelled=lambda: is_cancelled,
                on_step=on_step,
                clear_seconds=0,
            )
        )
        assert came == (expected if expected in ("held", "killed") else "done")
        if expected == "killed":
            self.leave_the_lease_of_an_ended_process(moment_id)
        newly = [r for r in self.those("held") if r.release_id not in before and r.was_asked]
        assert len(self.receiver.events("held")) - told >= len(newly)

    def teardown(self) -> None:
        """At last all shares are back: everyone has all that is out, but who was left out."""
        try:
            for name in list(self.model.blocked):
                self.unblock(name)
            self.start_again()
            for release in [r for r in self.model.releases.values() if r.state in OUT]:
                retry(self.home, self.settings, release.release_id)
            with Ledger.open(self.home.ledger) as ledger:
                out = ledger.deliveries(*(release.release_id for release in ledger.released()))
            assert {delivery.status for delivery in out} <= {"delivered", "left_out"}
            self.every_state_is_the_models()
            self.what_is_published_is_whole_and_of_what_is_out_alone()
            self.who_is_recorded_as_having_it_has_it_whole()
        finally:
            self.end()


# a killed process leaves its connections to the kernel; here they are left to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_in_any_order_of_calls_and_kills_each_release_is_where_the_protocol_says_and_nobody_is_early() -> None:
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])]
    how = settings(
        max_examples=EXAMPLES or 12,
        stateful_step_count=40 if EXAMPLES else 22,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(AnyOrder, settings=how)
    finally:
        gc.collect()
