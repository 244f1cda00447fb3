"""The checks themselves, on evidence that is made up: what is wrong is found, and what is allowed is not."""

import base64
from dataclasses import replace

import pytest

from tests.chaos import checker
from tests.chaos.checker import violations
from tests.chaos.evidence import Evidence, Send, Start
from tests.chaos.fate import Fate, Jump
from tests.chaos.watcher import Sighting
from tests.chaos.wire import message_of, request_of

DOCUMENT = b'{"nps": 31.4159265}'
RELEASE = "0123456789abcdef"
PLACE = "passengers/w00001/r1"
TABLES = {name: [RELEASE] for name in checker.FILLED}
WHOLE = Start(
    began=0,
    ended=1000,
    is_killed=False,
    steps={"committed": 100},
    recovered=(),
    end="confirmed",
    reason="",
    phase="confirmed",
    is_out=True,
    acknowledged=frozenset({"hook"}),
    lacked=0,
)
SEND = Send("hook", at=110, wall=110, key="k", content=DOCUMENT, is_whole=True, is_yes=True, is_read=True)
RIGHT = Evidence(
    fate=Fate(1),
    release_id=RELEASE,
    place=PLACE,
    document=DOCUMENT,
    canary=b"31.4159265",
    planned_wall=None,
    starts=(WHOLE,),
    sends=(SEND,),
    traffic=((110, b"POST / HTTP/1.1\r\n\r\n" + DOCUMENT),),
    sightings=(Sighting(120, 120, "home", "published", {PLACE: "hash"}, TABLES),),
    state="confirmed",
    statuses={"hook": "delivered"},
    attempts={"hook": 1},
    recipients=("hook",),
    shares=("one",),
    at_the_end={"one": DOCUMENT, "published": DOCUMENT},
)
KILLED = replace(WHOLE, ended=200, is_killed=True, end="killed", phase="released", acknowledged=frozenset())
NEXT = replace(WHOLE, began=300, steps={}, recovered=("passengers w00001: the process ended while it opened",))
TWICE = replace(RIGHT, sends=(SEND, replace(SEND, at=310)), attempts={"hook": 2})


def found(evidence: Evidence) -> set[str]:
    return {violation.what for violation in violations(evidence)}


def test_what_is_right_is_found_to_be_right() -> None:
    assert violations(RIGHT) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, sends=(replace(SEND, at=99),)),
        replace(RIGHT, planned_wall=111),
        replace(RIGHT, planned_wall=111 + checker.MAY_BE_OFF, fate=Fate(1, jump=Jump("sealed", 1.0))),
        replace(RIGHT, starts=(replace(WHOLE, steps={}, is_out=False),)),
        replace(RIGHT, traffic=((99, b"..31.4159265"),)),
        *(
            replace(RIGHT, traffic=((99, base64.b64encode(b"x" * offset + b"the nps is 31.4159265 now")),))
            for offset in range(3)
        ),
        replace(RIGHT, sightings=(Sighting(99, 99, "home", "one", {PLACE: "hash"}),)),
        replace(RIGHT, sightings=(Sighting(99, 99, "home", "published", {}, TABLES),)),
    ],
)
def test_what_could_be_read_before_the_commit_or_before_t_is_early(wrong: Evidence) -> None:
    assert "early" in found(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, sends=()),
        replace(RIGHT, sends=(replace(SEND, is_whole=False),)),
        replace(RIGHT, sends=(replace(SEND, is_yes=False),)),
        replace(RIGHT, statuses={"hook": "unknown"}),
        replace(RIGHT, at_the_end={"one": DOCUMENT}),
        replace(RIGHT, at_the_end={"published": DOCUMENT}),
    ],
)
def test_who_does_not_have_it_at_the_end_is_lost(wrong: Evidence) -> None:
    assert found(wrong) == {"lost"}


def test_a_clock_that_was_set_may_be_off_by_what_is_not_held() -> None:
    assert violations(replace(RIGHT, planned_wall=111, fate=Fate(1, jump=Jump("sealed", 1.0)))) == []


def test_who_was_left_out_is_not_lost() -> None:
    assert violations(replace(RIGHT, sends=(), statuses={"hook": "left_out"})) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, sends=(replace(SEND, content=b"{}"),)),
        replace(RIGHT, at_the_end={"one": b"{}", "published": DOCUMENT}),
        replace(RIGHT, sightings=(Sighting(120, 120, "home", "published", {PLACE: ""}, {**TABLES, "quality": ["q"]}),)),
        replace(RIGHT, sightings=(Sighting(120, 120, "home", "published", {}, TABLES),)),
        replace(RIGHT, sightings=(Sighting(120, 120, "home", "published", {PLACE: ""}, {**TABLES, "themes": ["q"]}),)),
        replace(RIGHT, sightings=(Sighting(120, 120, "home", "published", {}, {}, "IOException: no"),)),
    ],
)
def test_two_contents_are_a_mixture(wrong: Evidence) -> None:
    assert "mixed" in found(wrong)


def test_nothing_may_come_after_an_acknowledgement_in_one_process() -> None:
    assert found(TWICE) == {"again"}


def test_nothing_may_come_after_an_acknowledgement_that_the_ledger_had_when_its_process_was_killed() -> None:
    killed = replace(KILLED, acknowledged=frozenset({"hook"}), phase="confirmed")
    assert found(replace(TWICE, starts=(killed, NEXT))) == {"again"}


def test_what_was_acknowledged_to_a_process_that_was_killed_before_it_wrote_it_down_may_come_again_and_is_counted() -> (
    None
):
    again = replace(TWICE, starts=(KILLED, NEXT))
    assert violations(again) == []
    assert checker.unknown(again) == 1


def test_what_was_not_answered_or_whose_answer_was_not_read_may_come_again_and_is_counted() -> None:
    for first in (replace(SEND, is_read=False), replace(SEND, is_yes=False, is_read=False)):
        again = replace(TWICE, sends=(first, replace(SEND, at=310)))
        assert violations(again) == []
        assert checker.unknown(again) == 1


def test_what_was_refused_may_come_again_and_is_not_unknown() -> None:
    again = replace(TWICE, sends=(replace(SEND, is_yes=False), replace(SEND, at=310)))
    assert violations(again) == []
    assert checker.unknown(again) == 0


def test_another_key_is_never_allowed() -> None:
    first = replace(SEND, is_read=False)
    assert found(replace(TWICE, sends=(first, replace(SEND, at=310, key="other")))) == {"again"}


def test_what_comes_of_an_earlier_release_meanwhile_came_again() -> None:
    assert found(replace(RIGHT, strays=("hook /0",))) == {"again"}


def test_what_came_and_is_not_counted_is_found_however_many_processes_died() -> None:
    again = replace(TWICE, starts=(KILLED, NEXT), attempts={"hook": 1})
    assert found(again) == {"uncounted"}
    assert found(replace(again, starts=(KILLED, replace(KILLED, began=290, recovered=None), NEXT))) == {"uncounted"}


@pytest.mark.parametrize("phase", ["arming", "armed", "released"])
def test_what_the_next_start_finds_and_does_not_tell_is_found(phase: str) -> None:
    before = replace(KILLED, phase=phase, steps={"committed": 100}, is_out=True)
    assert found(replace(RIGHT, starts=(before, replace(NEXT, recovered=())))) == {"unsaid"}


def test_what_an_earlier_release_left_behind_is_found() -> None:
    assert found(replace(RIGHT, starts=(replace(WHOLE, recovered=("something was completed",)),))) == {"unsaid"}


@pytest.mark.parametrize("wrong", [replace(RIGHT, state="held"), replace(RIGHT, starts=(replace(WHOLE, end="hung"),))])
def test_what_does_not_end_well_is_found(wrong: Evidence) -> None:
    assert found(wrong) == {"unfinished"}


def test_a_request_is_read_from_its_bytes() -> None:
    data = b"POST /7 HTTP/1.1\r\nZwerm-Event: release\r\nIdempotency-Key: k\r\nContent-Length: 3\r\n\r\nabc"
    request = request_of(data)
    assert request is not None
    assert (request.target, request.event, request.key, request.body, request.is_whole) == (
        *("/7", "release", "k", b"abc"),
        True,
    )
    cut = request_of(data[:-1])
    assert cut is not None
    assert not cut.is_whole
    assert request_of(data[:30]) is None


def test_a_message_is_read_from_its_bytes() -> None:
    before, content = b"ehlo x\r\nMAIL FROM:<a@b>\r\ndata\r\n", b"Message-ID: <1@b>\r\n\r\nbody"
    assert message_of(before) is None
    cut, whole, thanked = (message_of(before + content + end) for end in (b"", b"\r\n.\r\n", b"\r\n.\r\nquit\r\n"))
    assert cut and whole and thanked
    assert [each.is_whole for each in (cut, whole, thanked)] == [False, True, True]
    assert [each.is_thanked for each in (cut, whole, thanked)] == [False, False, True]
    assert {each.key for each in (cut, whole, thanked)} == {"<1@b>"}
    assert thanked.begins == len(before)
