import json
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest

from flows.channels import Delivery, announcement
from flows.channels.announcement import AnnouncementChannel
from flows.channels.announcement_message import post, stop_post
from flows.channels.email_message import News
from flows.home import Home
from flows.model import Language
from flows.recipients import Announcement
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from flows.settings import Settings
from tests.flows.receivers import Behaviour, Receivers, webhook_receivers
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger

NPS = 41.8276
TOKEN = "xoxb-hunter2-of-texel"
IN_TEN_SECONDS = timedelta(seconds=10)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home, organisation={"name": "Waddenlijn", "site_url": "https://zwerm.example"})


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcement, "PAUSES", (0.0, 0.2, 0.4, 0.8, 1.6))


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "chats", 3) as receivers:
        yield receivers


def test_a_message_has_a_link_and_no_figure_and_leaves_only_after_t(
    home: Home, settings: Settings, chats: Receivers
) -> None:
    release_id = sealed(home, nps=NPS)
    channel = channel_of(home, settings, [delivery(release_id, address(chats, 0))])

    assert channel.stage() == []
    assert channel.arm(until=datetime.now(UTC) + IN_TEN_SECONDS) == []
    assert (channel.still_ready(), channel.opens()) == ([], [])
    assert chats.log() == []  # not even a connection
    (outcome,) = channel.confirm(deadline=time.monotonic() + 10)

    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert outcome.sent_at is not None
    (call,) = chats.calls()
    said = json.loads(call.body)
    assert said["title"] == "Waddenlijn: Passengers, 2026-10"
    assert "https://zwerm.example/passengers/2026-10/r1/en/index.html" in said["message"]
    raw = b"".join(came.data for came in chats.log())
    assert not any(figure in raw for figure in (b"41.8", b"41,8", str(NPS).encode(), release_id.encode()))


def test_each_chat_gets_one_message_in_its_own_language_whatever_opens_at_the_moment(
    home: Home, settings: Settings, chats: Receivers
) -> None:
    first, second = sealed(home), sealed(home, survey="staff")
    languages: tuple[Language, ...] = ("nl", "en", "nl")
    wanted = [
        delivery(release_id, address(chats, chat), language=language)
        for release_id in (first, second)
        for chat, language in enumerate(languages)
    ]
    channel = armed(home, settings, wanted)

    outcomes = channel.confirm(deadline=time.monotonic() + 10)

    assert [outcome.status for outcome in outcomes] == ["delivered"] * 6
    said = messages(chats)
    assert sorted(said) == [0, 1, 2]
    assert all(len(of_chat) == 1 for of_chat in said.values())
    assert said[0][0]["title"] == "Waddenlijn: Passengers, Staff, 2 metingen"
    assert "results of 2 waves are open" in said[1][0]["message"]


def test_one_slow_chat_delays_no_other(home: Home, settings: Settings, chats: Receivers) -> None:
    chats.behave({0: {"slow_seconds": 1.5}})
    wanted = [delivery(sealed(home), address(chats, chat)) for chat in range(3)]
    channel = armed(home, settings, wanted)

    began = time.time_ns()
    outcomes = channel.confirm(deadline=time.monotonic() + 10)

    assert [outcome.status for outcome in outcomes] == ["delivered"] * 3
    assert all((call.at - began) / 1e9 < 1.2 for call in chats.calls())


def test_a_chat_that_refuses_is_asked_again_and_the_others_get_nothing_twice(
    home: Home, settings: Settings, chats: Receivers
) -> None:
    behave(chats, {0: {"": [503, 503, 204]}})
    wanted = [delivery(sealed(home), address(chats, chat)) for chat in range(3)]
    channel = armed(home, settings, wanted)

    outcomes = channel.confirm(deadline=time.monotonic() + 15)

    assert [(outcome.status, outcome.attempts) for outcome in outcomes] == [
        ("delivered", 3),
        ("delivered", 1),
        ("delivered", 1),
    ]
    assert {chat: len(said) for chat, said in messages(chats).items()} == {0: 3, 1: 1, 2: 1}
    assert channel.complete([each.delivery_id for each in wanted], deadline=inf) == outcomes
    assert len(chats.calls()) == 5


def test_tries_are_few_and_end_with_the_deadline(home: Home, settings: Settings, chats: Receivers) -> None:
    behave(chats, {0: {"": [500]}})
    channel = armed(home, settings, [delivery(sealed(home), address(chats, 0))])

    began = time.monotonic()
    (outcome,) = channel.confirm(deadline=began + 1.2)

    assert time.monotonic() - began < 2.5
    assert outcome.status == "failed"
    assert outcome.detail == "the chat service (json://) did not take the message"
    assert 2 <= outcome.attempts == len(chats.calls()) <= 4


def test_a_chat_that_hangs_is_unknown_when_the_time_is_up_and_not_written_to_a_second_time_meanwhile(
    home: Home, settings: Settings, chats: Receivers
) -> None:
    behave(chats, {0: {"slow_seconds": 2}})
    wanted = delivery(sealed(home), address(chats, 0, rto=8))
    channel = armed(home, settings, [wanted])

    (outcome,) = channel.confirm(deadline=time.monotonic() + 0.6)
    assert (outcome.status, outcome.attempts) == ("unknown", 1)
    assert outcome.detail == "the chat service (json://) did not answer in time"

    (completed,) = channel.complete([wanted.delivery_id], deadline=inf)
    assert (completed.status, completed.attempts, len(chats.calls())) == ("delivered", 1, 1)


@pytest.mark.parametrize("fault", [{"hang_up": [""]}, {"silent": [""]}, {"garbage": True}])
def test_a_chat_that_answers_nothing_sensible_has_not_said_yes(
    home: Home, settings: Settings, chats: Receivers, fault: dict[str, Any]
) -> None:
    behave(chats, {0: fault})
    wanted = [delivery(sealed(home), address(chats, chat, rto=0.5)) for chat in (0, 1)]
    channel = armed(home, settings, wanted)

    statuses = [outcome.status for outcome in channel.confirm(deadline=time.monotonic() + 1.2)]

    assert statuses[0] in ("failed", "unknown")
    assert statuses[1] == "delivered"


def test_a_chat_that_is_not_there_fails_and_stops_nobody(home: Home, settings: Settings, chats: Receivers) -> None:
    wanted = [delivery(sealed(home), url) for url in (f"json://localhost:9/{TOKEN}", address(chats, 0))]
    channel = armed(home, settings, wanted)

    statuses = [outcome.status for outcome in channel.confirm(deadline=time.monotonic() + 2)]

    assert statuses == ["failed", "delivered"]


def test_a_redirect_is_not_followed(home: Home, settings: Settings, chats: Receivers) -> None:
    behave(chats, {0: {"": [307]}})
    channel = armed(home, settings, [delivery(sealed(home), address(chats, 0))])

    (outcome,) = channel.confirm(deadline=time.monotonic() + 1)

    assert outcome.status == "failed"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"nonsense://{TOKEN}/", "the chat service (nonsense://) has an address that Apprise does not understand"),
        (TOKEN, "the chat service has an address that Apprise does not understand"),
        (f"json://{TOKEN}.example, json://b.example", "the chat service (json://) has an address of 2 rooms"),
        ("", "the chat service has an address that Apprise does not understand"),
    ],
)
def test_an_address_that_apprise_does_not_know_is_refused_by_its_scheme_alone(
    home: Home, settings: Settings, url: str, says: str
) -> None:
    channel = channel_of(home, settings, [delivery(sealed(home), url)])

    for refusals in (channel.stage(), channel.arm(until=datetime.now(UTC))):
        (refusal,) = refusals
        assert refusal.reason.startswith(says)
        assert TOKEN not in refusal.reason


def test_an_entry_that_is_gone_is_refused_and_its_delivery_fails(home: Home, settings: Settings) -> None:
    channel = channel_of(home, settings, [delivery(sealed(home), None)])

    (refusal,) = channel.stage()
    (outcome,) = channel.complete([refusal.delivery_id], deadline=inf)

    assert "stands in [[audience]] no more" in refusal.reason
    assert (outcome.status, outcome.attempts, outcome.detail) == ("failed", 0, refusal.reason)


def test_a_hold_is_told_once_with_its_reason_and_without_a_link(
    home: Home, settings: Settings, chats: Receivers
) -> None:
    wanted = [
        delivery(sealed(home, nps=NPS), address(chats, 0), language="nl"),
        delivery(sealed(home, nps=NPS), f"nonsense://{TOKEN}"),
    ]
    channel = channel_of(home, settings, wanted)
    channel.stage()
    channel.abandon()

    channel.announce("held", "not ready: Ships > Texel #1 by webhook")

    (call,) = chats.calls()
    said = json.loads(call.body)
    assert said["title"] == "Waddenlijn: Passengers, 2026-10: aangehouden"
    assert "De reden: not ready: Ships > Texel #1 by webhook" in said["message"]
    assert "https://" not in said["message"]
    assert str(NPS) not in said["message"]


def test_a_hold_of_what_lies_nowhere_any_more_raises_nothing(home: Home, settings: Settings, chats: Receivers) -> None:
    lost = delivery("0" * 16, address(chats, 0))
    channel = AnnouncementChannel([lost], releases={"0" * 16: home.releases / ("0" * 16)}, settings=settings)

    channel.announce("withdrawn", "a mistake in the mapping")

    assert chats.calls() == []


def test_no_address_reaches_a_log(
    home: Home, settings: Settings, chats: Receivers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("apprise", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    behave(chats, {0: {"": [503, 204]}})
    wanted = [delivery(sealed(home), url) for url in (address(chats, 0), f"json://localhost:9/{TOKEN}", f"x://{TOKEN}")]
    channel = channel_of(home, settings, wanted)
    channel.stage()
    outcomes = channel.confirm(deadline=time.monotonic() + 2)
    channel.announce("held", "why")

    assert TOKEN not in caplog.text
    assert not any(record.name.startswith(("apprise", "urllib3")) for record in caplog.records)
    assert TOKEN not in repr((channel._chats, outcomes))
    logging.getLogger("apprise").error("somebody else's")
    assert "somebody else's" in caplog.text


def test_apprise_leaves_no_file_behind(
    home: Home, settings: Settings, chats: Receivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user" / "data"))
    channel = armed(home, settings, [delivery(sealed(home), address(chats, 0))])
    channel.confirm(deadline=time.monotonic() + 10)

    assert not (tmp_path / "user").exists()


HOSTILE = News(
    organisation="Straße & Söhne",
    title='Größe {wave} <b>"Zürich"</b>\r\n@everyone <!channel> <@U1> \u202e%s \\n',
    wave="2026-10",
    revision=2,
    reason="@here is why",
    link="https://zwerm.example/größe/2026-10/r2/en/index.html",
)


def test_a_hostile_title_calls_nobody_breaks_no_line_and_is_shown_as_it_is() -> None:
    for written in (post([HOSTILE], "en"), stop_post([HOSTILE], "held", HOSTILE.reason, language="nl")):
        said = f"{written.title}\n{written.text}"
        assert "Straße & Söhne" in written.title
        assert 'Größe {wave} <b>"Zürich"</b> @ everyone < !channel> < @ U1> %s \\n' in said
        assert "\r" not in said
        assert "\u202e" not in said
        assert "@here" not in said
    assert HOSTILE.link in post([HOSTILE], "en").text


def test_a_hostile_title_arrives_as_text(home: Home, settings: Settings, chats: Receivers) -> None:
    title = {"en": 'Größe <script>alert("7")</script> \\n :smile: {0}'}
    survey = settings.surveys["passengers"].model_copy(update={"title": title})
    release_id = sealed(home)
    manifest = home.releases / release_id / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "title": survey.title}))
    channel = armed(home, settings, [delivery(release_id, address(chats, 0))])

    channel.confirm(deadline=time.monotonic() + 10)

    (call,) = chats.calls()
    assert json.loads(call.body)["title"] == f"Waddenlijn: {title['en']}, 2026-10"


def test_an_announcement_after_t_is_no_breach_and_outside_the_skew_and_one_that_failed_is_recorded(
    home: Home, chats: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcement, "PAUSES", (0.0, 0.3))
    behave(chats, {0: {"slow_seconds": 0.8}, 1: {"": [503, 204]}, 2: {"": [500]}})
    audience = [{"department": [], "announce": [address(chats, chat) for chat in range(3)]}]
    settings = settings_for(home, audience=audience)
    release_id = sealed(home)
    record(home, release_id)
    plan(home, [release_id])
    (moment,) = stage(home, settings, [release_id])
    assert chats.log() == []

    open_moment(home, settings, moment.moment_id)

    with Ledger.open(home.ledger) as ledger:
        states = {state.delivery_id: state for state in ledger.deliveries(release_id)}
        released = ledger.release(release_id)
    told = [state for state in states.values() if state.channel == "announcement"]
    assert sorted((state.status, state.is_breach) for state in told) == [
        ("delivered", False),
        ("delivered", False),
        ("failed", True),
    ]
    assert all(state.opened_at is not None for state in told if state.status == "delivered")
    assert released is not None
    assert released.skew_ms is not None
    assert released.skew_ms < 500
    assert b"xoxb" not in home.ledger.read_bytes()


def channel_of(home: Home, settings: Settings, wanted: Sequence[Delivery]) -> AnnouncementChannel:
    releases = {each.release_id: home.releases / each.release_id for each in wanted}
    return AnnouncementChannel(wanted, releases=releases, settings=settings)


def armed(home: Home, settings: Settings, wanted: Sequence[Delivery]) -> AnnouncementChannel:
    channel = channel_of(home, settings, wanted)
    assert channel.stage() == []
    assert channel.arm(until=datetime.now(UTC)) == []
    return channel


_count = iter(range(1_000_000))


def delivery(release_id: str, url: str | None, *, language: Language = "en") -> Delivery:
    target = None if url is None else Announcement.model_validate({"url": url})
    return Delivery(f"{next(_count):032x}", release_id, "Ships > Texel #1", "announcement", language, target)


def address(chats: Receivers, chat: int, *, rto: float = 4) -> str:
    return f"json://localhost:{chats.ports[chat]}/{TOKEN}?rto={rto}"


def behave(chats: Receivers, faults: dict[int, dict[str, Any]]) -> None:
    chats.behave(cast(dict[int, Behaviour], faults))


def messages(chats: Receivers) -> dict[int, list[dict[str, str]]]:
    said: dict[int, list[dict[str, str]]] = {}
    for call in chats.calls():
        said.setdefault(call.receiver, []).append(json.loads(call.body))
    return said
