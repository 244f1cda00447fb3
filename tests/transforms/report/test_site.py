"""What spans releases: the list, newest first; the calendar and its feed; the register, in words."""

import json
import re
from datetime import UTC, date, datetime, timedelta

from tests.transforms.report.test_pages import Page
from transforms.report.moments import Moment
from transforms.report.register import Breach, Delivered, Register, Remark, register, rows
from transforms.report.site import Index, Published, Stopped, assembled

T = datetime(2026, 11, 10, 8, 30, tzinfo=UTC)
HEAD = "5e" * 32
TITLES = {"en": "Passenger survey", "nl": "Reizigersonderzoek"}


def published(wave: str, revision: int, days_ago: int, **more: object) -> Published:
    facts: dict[str, object] = {"survey": "passengers", "titles": TITLES, "reason": None, "languages": ("en", "nl")}
    facts |= {"departments": 14, "path": f"passengers/{wave}/r{revision}", "released_at": T - timedelta(days=days_ago)}
    return Published(wave=wave, revision=revision, **(facts | more))  # type: ignore[arg-type]


RELEASES = (
    published("2026-09", 1, 30),
    published("2026-10", 1, 0),
    published("2026-09", 2, 2, reason="late <answers>"),
)
MOMENTS = (
    Moment(
        "passengers", TITLES, "2026-12", T + timedelta(days=60), T, reason="The survey; closes, later\nthan planned"
    ),
    Moment("passengers", TITLES, "2026-11", T + timedelta(days=28), T, meeting=date(2026, 12, 16)),
)
INDEX = Index("Waddenlijn", ("nl", "en"), "Europe/Amsterdam", RELEASES, MOMENTS)


def test_the_landing_lists_all_waves_newest_first_in_the_default_language() -> None:
    made = assembled(INDEX)
    source = made["index.html"].decode()
    assert re.findall(r'class="title" href="([^"]+)"', source) == [
        "passengers/2026-10/r1/nl/index.html",
        "passengers/2026-09/r2/nl/index.html",
    ]
    assert '<html lang="nl">' in source
    assert "late &lt;answers&gt;" in source
    assert 'href="passengers/2026-09/r1/nl/index.html"' in source
    assert "dinsdag 10 november 2026, 09:30:00" in source
    assert 'href="../passengers/2026-10/r1/en/index.html"' in made["en/index.html"].decode()


def test_the_sites_pages_link_to_each_other_and_have_no_script() -> None:
    made = assembled(INDEX)
    inner = {f"{language}/{page}.html" for language in ("en", "nl") for page in ("index", "calendar")}
    assert set(made) == {"index.html", "style.css", "calendar.ics"} | inner
    for path, source in made.items():
        if path.endswith(".html"):
            page = Page(source)
            assert page.open == [], path
            assert "script" not in [tag for tag, _ in page.elements]


def test_a_stop_is_told_with_its_reason() -> None:
    stopped = (Stopped("passengers", TITLES, "2026-10", 1, "held", "Ships #2 was not ready", T),)
    text = Page(assembled(Index("Waddenlijn", ("en",), "UTC", (), (), stopped))["index.html"]).text
    assert "Held: Passenger survey , October 2026" in text
    assert "Ships #2 was not ready" in text
    assert "Nothing has been released yet." in text


def test_the_calendar_names_day_time_and_meeting() -> None:
    text = Page(assembled(INDEX)["en/calendar.html"]).text
    assert "Tuesday 8 December 2026, 09:30:00" in text
    assert "Discussed on Wednesday 16 December 2026." in text
    assert text.index("November 2026") < text.index("This moment was moved")


def test_the_feed_follows_the_standard() -> None:
    source = assembled(INDEX)["calendar.ics"]
    lines = source.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR" and lines[-2:] == [b"END:VCALENDAR", b""]
    assert max(map(len, lines)) <= 75
    unfolded = source.replace(b"\r\n ", b"").decode()
    assert re.findall(r"DTSTART:(\S+)", unfolded) == ["20261208T083000Z", "20270109T083000Z"]
    assert "SUMMARY:Reizigersonderzoek\\, november 2026" in unfolded
    assert "The survey\\; closes\\, later\\nthan planned" in unfolded
    assert len(set(re.findall(r"UID:(\S+)", unfolded))) == 2


def facts(**more: object) -> Register:
    given: dict[str, object] = {
        "organisation": "Waddenlijn", "languages": ("en", "nl"), "titles": TITLES, "wave": "2026-10", "revision": 1,
        "timezone": "Europe/Amsterdam", "release_id": "7c19e04b8d2f6a31", "planned_at": T,
        "released_at": T + timedelta(milliseconds=3), "skew_ms": 14.2, "tolerance_ms": 100,
        "deliveries": (
            Delivered("Ships #1", "email", T + timedelta(milliseconds=12), "delivered"),
            Delivered("Ports #1", "webhook", None, "failed"),
        ),
        "breaches": (), "remarks": (), "survey": "passengers", "ledger_head": HEAD,
    }  # fmt: skip
    return Register(**(given | more))  # type: ignore[arg-type]


def test_the_register_tells_who_received_it_through_what_and_when() -> None:
    made = register(facts())
    en, nl = Page(made["en/register.html"]).text, Page(made["nl/register.html"]).text
    assert "Received by everyone at the same moment: 09:30:00, within 14 ms." in en
    assert "Door iedereen op hetzelfde moment ontvangen: 09:30:00, binnen 14 ms." in nl
    assert "Ships #1 By e-mail At 09:30:00.012 Outcome received" in en
    assert "Ports #1 Via een systeem (webhook) Om · Uitkomst niet ontvangen" in nl
    assert "Released: Tuesday 10 November 2026, 09:30:00.003" in en


def test_the_register_says_how_often_a_delivery_was_sent() -> None:
    often = Delivered("Ships #1", "webhook", T + timedelta(seconds=4), "delivered", attempts=3)
    made = register(facts(deliveries=(often,)))
    assert "Outcome received; sent 3 times" in Page(made["en/register.html"]).text
    assert "Uitkomst ontvangen; 3 keer verstuurd" in Page(made["nl/register.html"]).text


def test_who_reads_what_is_published_is_no_recipient() -> None:
    published = Delivered("everyone", "published", T, "delivered")
    besides = Page(
        register(facts(deliveries=(published, Delivered("Ships #1", "email", T, "delivered"))))["en/register.html"]
    )
    assert " 1 recipient. " in besides.text
    alone = Page(register(facts(deliveries=(published,)))["en/register.html"])
    assert "Everyone reads these pages in the same place; nothing was sent besides." in alone.text
    assert "recipient." not in alone.text


def test_a_register_before_the_receipts_claims_nothing_yet() -> None:
    text = Page(register(facts(skew_ms=None, released_at=None))["en/register.html"]).text
    assert "Received by everyone" not in text
    assert "Receipts are being counted" in text


def test_breaches_are_told_in_words_and_change_the_headline() -> None:
    breaches = (
        Breach("skew", milliseconds=240.0),
        Breach("late", "Ports #1", 61000.0),
        Breach("early_read", "Ships #1"),
        Breach("left_out", "Ports #1"),
        Breach("other", says="the clock was off"),
    )
    text = Page(register(facts(breaches=breaches))["en/register.html"]).text
    assert "Not everything went as promised." in text
    assert "Between the first and the last lay 240 ms; at most 100 ms was promised." in text
    assert "Ports #1 received it 61,000 ms late." in text
    assert "Ships #1 could read it too early." in text
    assert "was left out of this channel" in text
    assert "the clock was off" in text


def test_the_register_prints_the_ledgers_head_and_says_what_it_is_for() -> None:
    made = register(facts())
    for page, says in (
        ("en/register.html", "with it anyone can prove"),
        ("nl/register.html", "daarmee kan iedereen aantonen"),
    ):
        assert f'<data value="{HEAD}"' in made[page].decode()
        assert says in Page(made[page]).text
        assert HEAD in Page(made[page]).text.replace(" ", "")
    assert json.loads(made["register.json"])["ledger_head"] == HEAD


def test_remarks_are_told_in_both_languages_and_do_not_change_the_headline() -> None:
    remarks = (Remark("clock", says="not synchronised"), Remark("tries", number=44), Remark("access", says="unknown"))
    made = register(facts(remarks=remarks))
    en, nl = Page(made["en/register.html"]).text, Page(made["nl/register.html"]).text
    assert "Received by everyone at the same moment" in en
    assert "About the clock: not synchronised" in en and "Over de klok: not synchronised" in nl
    assert "44 tries to read it at its address before the moment found nothing." in en
    assert "44 pogingen om het vóór het moment op zijn adres te lezen vonden niets." in nl


def test_a_read_before_the_moment_is_told_with_how_much_too_early_it_was() -> None:
    made = register(facts(breaches=(Breach("early_read", milliseconds=2_280_000.0),)))
    assert "Somebody read it 2,280,000 ms before the moment." in Page(made["en/register.html"]).text
    (breach,) = json.loads(made["register.json"])["breaches"]
    assert (breach["what"], breach["recipient"], breach["milliseconds"]) == ("early_read", None, 2_280_000.0)


def test_the_register_as_json_has_the_rows_of_the_page_and_times_in_utc() -> None:
    late = Delivered("Ships #1", "email", T, "delivered", 2, "nl", T + timedelta(seconds=1), is_late=True)
    said = json.loads(register(facts(deliveries=(late,), breaches=(Breach("late", "Ships #1"),)))["register.json"])
    assert said["deliveries"] == [
        {
            "recipient": "Ships #1",
            "channel": "email",
            "language": "nl",
            "opened_at": "2026-11-10T08:30:00.000000+00:00",
            "answered_at": "2026-11-10T08:30:01.000000+00:00",
            "outcome": "delivered",
            "attempts": 2,
            "is_late": True,
        }
    ]
    assert said["breaches"][0]["says"] == "Ships #1 received it late."
    assert (said["survey"], said["wave"], said["skew_ms"], said["tolerance_ms"]) == ("passengers", "2026-10", 14.2, 100)


def test_the_rows_of_a_register_carry_what_holds_for_the_whole_release() -> None:
    made = rows(facts(remarks=(Remark("tries", number=1),)))
    assert [(row["recipient"], row["outcome"], row["ledger_head"], len(row["remarks"])) for row in made] == [
        ("Ports #1", "failed", HEAD, 1),
        ("Ships #1", "delivered", HEAD, 1),
    ]
