import hashlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest
import trustme

from flows.channels import Delivery, Outcome, Refusal, email
from flows.channels.email import EmailChannel
from flows.channels.email_batches import divide
from flows.channels.email_message import News, mailbox, message_id, write
from flows.home import Home
from flows.model import Language
from flows.recipients import Email
from flows.settings import Settings
from tests.flows.mail_receiver import PASSWORD, USER, MailReceiver, mail_receiver
from tests.flows.receivers import ROOT

RELEASE = "0f1e2d3c4b5a6978"
TITLE = {"nl": "Reizigersonderzoek", "en": "Passenger survey"}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "localhost.pem")
    return tmp_path / "localhost.pem"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return sealed(tmp_path / "releases" / RELEASE)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[MailReceiver]:
    with mail_receiver(tmp_path / "relay") as receiver:
        yield receiver


def sealed(folder: Path, **manifest: object) -> Path:
    folder.mkdir(parents=True)
    said = {
        "survey": "passengers",
        "title": TITLE,
        "wave": "2026-10",
        "revision": 1,
        "reason": None,
        "languages": ["nl", "en"],
        **manifest,
    }
    (folder / "manifest.json").write_text(json.dumps({"release_id": folder.name, **said}))
    return folder


def settings(
    url: str, *, tls: str = "none", site_url: str | None = "https://zwerm.example/", **server: object
) -> Settings:
    return Settings.model_validate(
        {
            "organisation": {"name": "Waddenlijn", "languages": ["nl", "en"], "site_url": site_url},
            "surveys": {
                "s": {"wave": {"value": "1"}, "sources": [{"path": "s.csv"}], "roles": {"score": "score"}},
            },
            "servers": {"relay": {"smtp": url, "from": "Zwerm <zwerm@waddenlijn.example>", "tls": tls, **server}},
        }
    )


def delivery(*to: str, language: Language = "nl", name: str | None = None) -> Delivery:
    target = Email(to=to, server="relay")
    return Delivery(name or secrets.token_hex(16), RELEASE, "Ships > Texel #1", "email", language, target)


def channel(release: Path, configured: Settings, *deliveries: Delivery) -> EmailChannel:
    home = Home(release.parents[1]).prepare()
    own = configured.model_copy(update={"home": home.path})
    return EmailChannel(deliveries, releases={RELEASE: release}, settings=own)


def soon(seconds: float = 30) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def open_all(emails: EmailChannel) -> None:
    for each in emails.opens():
        each.send()


def confirm(emails: EmailChannel, *, seconds: float = 5) -> dict[str, Outcome]:
    return {outcome.delivery_id: outcome for outcome in emails.confirm(deadline=time.monotonic() + seconds)}


def statuses(outcomes: dict[str, Outcome]) -> set[str]:
    return {outcome.status for outcome in outcomes.values()}


def test_a_message_is_held_after_data_and_none_of_its_bytes_leaves_before_the_opening(
    release: Path, relay: MailReceiver
) -> None:
    emails = channel(release, settings(relay.url), delivery("texel@w.example"), delivery("a@w.example", language="en"))
    assert emails.stage() == []
    assert emails.arm(until=soon()) == []
    assert emails.still_ready() == []
    time.sleep(0.2)
    raw = b"".join(came.data for came in relay.log())
    assert raw.upper().count(b"DATA\r\n") == 2
    for word in (b"Subject", b"passengers", b"2026-10", b"Waddenlijn", RELEASE.encode(), b"Message-ID"):
        assert word not in raw
    assert relay.mails() == []
    opened_at = time.time_ns()
    open_all(emails)
    assert statuses(confirm(emails)) == {"delivered"}
    assert len(relay.mails()) == 2
    assert min(came.at for came in relay.log() if b"Subject" in came.data) > opened_at


@pytest.mark.parametrize("encryption", ["starttls", "implicit"])
def test_messages_go_encrypted_and_logged_in(tmp_path: Path, release: Path, certificate: Path, encryption: Any) -> None:
    folder = tmp_path / "guarded"
    with mail_receiver(folder, encryption=encryption, certificate=certificate, is_guarded=True) as relay:
        configured = settings(relay.url, tls="required", user=USER, password=PASSWORD)
        emails = channel(release, configured, delivery("texel@waddenlijn.example"))
        assert emails.stage() == []
        assert emails.arm(until=soon()) == []
        assert emails.still_ready() == []
        assert b"Subject" not in b"".join(came.data for came in relay.log())
        open_all(emails)
        assert statuses(confirm(emails)) == {"delivered"}
        [mail] = relay.mails()
        assert mail.is_encrypted and mail.user == USER


@pytest.mark.parametrize("step", ["stage", "arm"])
def test_a_wrong_password_is_a_refusal_that_does_not_show_it(
    tmp_path: Path, release: Path, certificate: Path, step: str
) -> None:
    with mail_receiver(tmp_path / "g", encryption="starttls", certificate=certificate, is_guarded=True) as relay:
        configured = settings(relay.url, tls="required", user=USER, password="wrong-pa55word")
        emails = channel(release, configured, delivery("texel@waddenlijn.example"))
        [refusal] = emails.stage() if step == "stage" else emails.arm(until=soon())
    assert refusal.reason.startswith(f"mail server relay (localhost:{relay.port}) refused the log-in (535)")
    assert "pa55word" not in refusal.reason and USER not in refusal.reason


def test_a_server_without_starttls_is_refused_unless_that_was_allowed(release: Path, relay: MailReceiver) -> None:
    [refusal] = channel(release, settings(relay.url, tls="required"), delivery("texel@w.example")).stage()
    assert "does not offer STARTTLS" in refusal.reason
    assert b"MAIL" not in b"".join(came.data for came in relay.log()).upper()


def test_a_certificate_that_is_not_trusted_is_a_refusal(
    tmp_path: Path, release: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_receiver(tmp_path / "t", encryption="starttls", certificate=certificate) as relay:
        [refusal] = channel(release, settings(relay.url, tls="required"), delivery("texel@w.example")).stage()
    assert "shows a certificate that is not accepted" in refusal.reason


@pytest.mark.parametrize("step", ["stage", "arm"])
def test_a_refused_recipient_is_a_refusal_of_that_delivery_alone(release: Path, relay: MailReceiver, step: str) -> None:
    relay.behave({"refuse": ["gone@w.example"]})
    good, bad = delivery("texel@w.example"), delivery("there@w.example", "gone@w.example")
    emails = channel(release, settings(relay.url), good, bad)
    refusals = emails.stage() if step == "stage" else emails.arm(until=soon())
    reason = f"mail server relay (localhost:{relay.port}) refused an address of this recipient (550)"
    assert refusals == [Refusal(bad.delivery_id, reason)]
    emails.abandon()
    emails.announce("held", "a recipient is not ready")


def test_whose_address_is_refused_gets_nothing_at_any_of_his_addresses(release: Path, relay: MailReceiver) -> None:
    relay.behave({"refuse": ["gone@w.example"]})
    good, bad = delivery("texel@w.example"), delivery("there@w.example", "gone@w.example")
    emails = channel(release, settings(relay.url), good, bad)
    emails.arm(until=soon())
    open_all(emails)
    outcomes = confirm(emails, seconds=1)
    assert outcomes[good.delivery_id].status == "delivered"
    assert outcomes[bad.delivery_id].status == "failed"
    assert [mail.recipients for mail in relay.mails()] == [["texel@w.example"]]
    relay.behave({})
    assert emails.complete([bad.delivery_id], deadline=inf)[0].status == "delivered"
    assert sorted(relay.mails()[1].recipients) == ["gone@w.example", "there@w.example"]


def test_nobody_sees_who_else_received_it(release: Path, relay: MailReceiver) -> None:
    addresses = [f"person{number}@waddenlijn.example" for number in range(30)]
    emails = channel(release, settings(relay.url), *map(delivery, addresses))
    emails.arm(until=soon())
    open_all(emails)
    assert statuses(confirm(emails)) == {"delivered"}
    mails = relay.mails()
    assert sorted(address for mail in mails for address in mail.recipients) == sorted(addresses)
    assert not any(b"person" in mail.content for mail in mails)
    assert all(mail.message["To"] == "undisclosed-recipients:;" for mail in mails)


def test_each_reads_it_in_his_language_with_a_link_and_no_figures(release: Path, relay: MailReceiver) -> None:
    people = [delivery("nl@w.example"), delivery("en@w.example", language="en")]
    emails = channel(release, settings(relay.url), *people)
    emails.arm(until=soon())
    open_all(emails)
    confirm(emails)
    dutch, english = sorted(relay.mails(), key=lambda mail: mail.recipients, reverse=True)
    assert dutch.message["Subject"] == "Waddenlijn: Reizigersonderzoek, 2026-10"
    assert english.message["Subject"] == "Waddenlijn: Passenger survey, 2026-10"
    assert "https://zwerm.example/passengers/2026-10/r1/nl/index.html\n" in dutch.text
    assert "https://zwerm.example/passengers/2026-10/r1/en/index.html\n" in english.text
    assert "op hetzelfde moment" in dutch.text
    assert "at the same moment" in english.text
    for mail in (dutch, english):
        assert mail.message.get_content_type() == "text/plain"
        assert re.findall(r"\d+", mail.text.replace("2026-10", "").replace("/r1/", "")) == []


def test_without_a_site_address_the_message_carries_the_folder(release: Path, relay: MailReceiver) -> None:
    emails = channel(release, settings(relay.url, site_url=None), delivery("nl@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    confirm(emails)
    [mail] = relay.mails()
    assert f"\n{release.parents[1]}/published/site/passengers/2026-10/r1/nl/index.html\n" in mail.text


def test_the_link_leads_to_a_page_that_there_is(tmp_path: Path, relay: MailReceiver) -> None:
    dutch = sealed(tmp_path / "dutch" / RELEASE, languages=["nl"], title={"nl": "Reizigersonderzoek"})
    emails = channel(dutch, settings(relay.url), delivery("en@w.example", language="en"))
    emails.arm(until=soon())
    open_all(emails)
    confirm(emails)
    [mail] = relay.mails()
    assert "/r1/nl/index.html" in mail.text and mail.message["Subject"] == "Waddenlijn: Reizigersonderzoek, 2026-10"


def test_a_senders_name_may_hold_any_sign(release: Path, relay: MailReceiver) -> None:
    configured = settings(relay.url, **{"from": "Zwérm, B.V. <z@w.example>"})
    emails = channel(release, configured, one := delivery("texel@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    assert confirm(emails)[one.delivery_id].status == "delivered"
    [sender] = relay.mails()[0].message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Zwérm, B.V.", "z@w.example")


def several(tmp_path: Path, configured: Settings, *people: str, waves: int = 6) -> EmailChannel:
    """Waves of two surveys for readers of both languages, at one moment."""
    home = Home(tmp_path).prepare()
    ids = [f"{number:016x}" for number in range(1, waves + 1)]
    for number, name in enumerate(ids, 1):
        revision = 2 if number == waves else 1
        sealed(home.releases / name, wave=f"2026-{number:02}", revision=revision, reason="late answers")
    languages: tuple[Language, ...] = ("nl", "en")
    drawn = [
        replace(delivery(to, language=language), release_id=name, recipient=to)
        for name in ids
        for to, language in zip(people, languages, strict=False)
    ]
    own = configured.model_copy(update={"home": home.path})
    return EmailChannel(drawn, releases={name: home.releases / name for name in ids}, settings=own)


def test_many_waves_of_one_moment_are_one_message_per_language(tmp_path: Path, relay: MailReceiver) -> None:
    relay.behave({"slow_seconds": 0.5})  # while one answer is awaited, nothing is sent again
    emails = several(tmp_path, settings(relay.url, max_connections=2), "nl@w.example", "en@w.example")
    assert emails.stage() == [] and emails.arm(until=soon()) == []
    assert [len(each.delivery_ids) for each in emails.opens()] == [6, 6]
    open_all(emails)
    outcomes = confirm(emails)
    assert (len(outcomes), statuses(outcomes)) == (12, {"delivered"})
    english, dutch = sorted(relay.mails(), key=lambda mail: mail.recipients)
    assert english.message["Subject"] == "Waddenlijn: Passenger survey, 6 waves"
    assert dutch.message["Subject"] == "Waddenlijn: Reizigersonderzoek, 6 metingen"
    links = re.findall(r"https://zwerm\.example/\S+", english.text)
    assert links == [f"https://zwerm.example/passengers/2026-{n:02}/r{1 + (n == 6)}/en/index.html" for n in range(1, 7)]
    assert english.text.count("revision") == english.text.count("This is revision 2 of this wave: late answers") == 1


def test_a_refused_reader_of_many_waves_is_refused_for_each_of_them(tmp_path: Path, relay: MailReceiver) -> None:
    relay.behave({"refuse": ["nl@w.example"]})
    emails = several(tmp_path, settings(relay.url), "nl@w.example", waves=3)
    assert len({refusal.delivery_id for refusal in emails.stage()}) == 3


def test_a_revision_says_what_changed(tmp_path: Path, relay: MailReceiver) -> None:
    revised = sealed(tmp_path / "revised" / RELEASE, revision=2, reason="forty late answers")
    emails = channel(revised, settings(relay.url), delivery("en@w.example", language="en"))
    emails.arm(until=soon())
    open_all(emails)
    confirm(emails)
    [mail] = relay.mails()
    assert mail.message["Subject"].endswith("2026-10, revision 2")
    assert "This is revision 2 of this wave: forty late answers" in mail.text


@pytest.mark.parametrize("language", ["en", "nl"])
def test_no_text_becomes_a_header_or_ends_the_message(language: Language) -> None:
    hostile = "x\r\nBcc: all@press.example\r\n.\r\nMAIL FROM:<a@b>\u202e"
    news = News(hostile, hostile, hostile, 2, f"first\n.\n{hostile}", "https://zwerm.example/x")
    data = write([news], language=language, sender="Zwerm <z@w.example>", message_id="<1@w.example>", at=soon())
    assert data.endswith(b"\r\n.\r\n")
    assert data.count(b"\r\n.\r\n") == 1
    assert b"\nBcc" not in data and b"\nMAIL" not in data
    assert re.search(rb"(?<!\r)\n", data) is None


def test_lines_that_begin_with_a_dot_arrive_as_they_are(tmp_path: Path, relay: MailReceiver) -> None:
    long = "word " * 13
    dotted = sealed(tmp_path / "dotted" / RELEASE, revision=2, reason=f"{long}.hidden " * 20)
    emails = channel(dotted, settings(relay.url), delivery("en@w.example", language="en"))
    emails.arm(until=soon())
    open_all(emails)
    assert statuses(confirm(emails)) == {"delivered"}
    assert relay.mails()[0].text.count(" .hidden") == 20


def test_a_message_refused_after_data_is_sent_again_under_the_same_id(release: Path, relay: MailReceiver) -> None:
    relay.behave({"answers": ["451 try later", "250 taken"]})
    emails = channel(release, settings(relay.url), one := delivery("texel@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    outcome = confirm(emails)[one.delivery_id]
    assert (outcome.status, outcome.attempts, outcome.sent_at is not None) == ("delivered", 2, True)
    first, second = relay.mails()
    assert first.content == second.content
    assert emails.complete([one.delivery_id], deadline=inf)[0].status == "delivered"
    assert len(relay.mails()) == 2


def test_a_message_whose_connection_ended_is_sent_again(release: Path, relay: MailReceiver) -> None:
    relay.behave({"hang_up": True})
    emails = channel(release, settings(relay.url), one := delivery("texel@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    time.sleep(0.1)
    relay.behave({})
    assert confirm(emails)[one.delivery_id].status == "delivered"
    assert len({mail.message["Message-ID"] for mail in relay.mails()}) == 1


def test_a_server_that_does_not_answer_is_waited_for_and_not_sent_to_again(release: Path, relay: MailReceiver) -> None:
    relay.behave({"hang": True})
    emails = channel(release, settings(relay.url), one := delivery("texel@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    started = time.monotonic()
    outcome = confirm(emails, seconds=1)[one.delivery_id]
    assert time.monotonic() - started < 1.5
    assert (outcome.status, "in time" in outcome.detail) == ("unknown", True)
    assert len(relay.mails()) == 1


def test_what_is_acknowledged_does_not_wait_for_a_goodbye(release: Path, relay: MailReceiver) -> None:
    relay.behave({"slow_goodbye": True})
    emails = channel(release, settings(relay.url), one := delivery("texel@w.example"))
    emails.arm(until=soon())
    open_all(emails)
    assert confirm(emails, seconds=0.7)[one.delivery_id].status == "delivered"


def test_a_server_that_says_nothing_does_not_keep_the_moment_waiting(release: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        emails = channel(release, settings(f"smtp://localhost:{mute.getsockname()[1]}"), delivery("texel@w.example"))
        started = time.monotonic()
        [refusal] = emails.arm(until=soon(1))
        assert time.monotonic() - started < 1.5
        assert refusal.reason.endswith("did not answer in time")


def test_a_new_process_completes_under_the_same_message_id(release: Path, relay: MailReceiver, tmp_path: Path) -> None:
    relay.behave({"hang": True})
    people = [delivery("texel@w.example"), delivery("vlieland@w.example")]
    emails = channel(release, settings(relay.url, max_connections=2), *people)
    emails.arm(until=soon())
    open_all(emails)
    assert statuses(confirm(emails, seconds=0.5)) == {"unknown"}
    relay.behave({})
    code = (
        "import sys; from pathlib import Path; from tests.flows.channels import test_email as t\n"
        "url, folder, *names = sys.argv[1:]\n"
        "people = [t.delivery(a, name=n) for a, n in zip(['texel@w.example', 'vlieland@w.example'], names)]\n"
        "print(t.channel(Path(folder), t.settings(url), people[0]).complete(names[:1], deadline=t.inf)[0].status)"
    )
    command = [sys.executable, "-c", code, relay.url, str(release), *(one.delivery_id for one in people)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=True)
    assert ended.stdout.strip() == "delivered"
    assert len({mail.message["Message-ID"] for mail in relay.mails()}) == 1
    assert relay.mails()[-1].recipients == ["texel@w.example"]


def test_a_connection_lost_right_before_the_moment_is_a_refusal(release: Path, relay: MailReceiver) -> None:
    relay.behave({"drop_seconds": 0.1})
    emails = channel(release, settings(relay.url), one := delivery("texel@w.example"))
    assert emails.arm(until=soon(1.3)) == []
    time.sleep(0.6)
    [refusal] = emails.still_ready()
    assert refusal.delivery_id == one.delivery_id
    assert refusal.reason == f"mail server relay (localhost:{relay.port}) closed the connection held for T"


def test_a_connection_lost_long_before_the_moment_is_made_anew(release: Path, relay: MailReceiver) -> None:
    relay.behave({"drop_seconds": 0.1})
    emails = channel(release, settings(relay.url), delivery("texel@w.example"))
    assert emails.arm(until=soon()) == []
    time.sleep(0.4)
    relay.behave({})
    assert emails.still_ready() == []
    open_all(emails)
    assert statuses(confirm(emails)) == {"delivered"}
    assert len(relay.mails()) == 1


def test_of_an_abandoned_message_nothing_is_delivered_and_its_readers_are_told_why(
    release: Path, relay: MailReceiver
) -> None:
    people = [delivery("nl@w.example"), delivery("en@w.example", language="en")]
    emails = channel(release, settings(relay.url), *people)
    emails.arm(until=soon())
    emails.abandon()
    emails.announce("held", "not ready: Ships #1 by webhook")
    english, dutch = sorted(relay.mails(), key=lambda mail: mail.recipients)
    assert english.message["Subject"] == "Waddenlijn: Passenger survey, 2026-10: held"
    assert dutch.message["Subject"] == "Waddenlijn: Reizigersonderzoek, 2026-10: aangehouden"
    assert "The reason: not ready: Ships #1 by webhook\n" in english.text
    assert "De reden: not ready: Ships #1 by webhook\n" in dutch.text
    assert "https://" not in english.text and "index.html" not in dutch.text
    assert emails.opens() == []


def test_who_was_not_ready_is_not_written_to_of_the_hold(release: Path, relay: MailReceiver) -> None:
    relay.behave({"refuse": ["gone@w.example"]})
    emails = channel(release, settings(relay.url), delivery("texel@w.example"), delivery("gone@w.example"))
    emails.stage()
    relay.behave({})
    emails.announce("withdrawn", "a wrong file\r\n.\r\nBcc: x@y")
    [mail] = relay.mails()
    assert mail.recipients == ["texel@w.example"]
    assert mail.message["Subject"] == "Waddenlijn: Reizigersonderzoek, 2026-10: ingetrokken"
    assert "De reden: a wrong file . Bcc: x@y\n" in mail.text


def test_telling_of_a_hold_neither_fails_nor_waits_for_a_mute_server(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "ANNOUNCE_SECONDS", 0.5)
    channel(release, settings("smtp://localhost:1"), delivery("texel@w.example")).announce("held", "held")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        emails = channel(release, settings(f"smtp://localhost:{mute.getsockname()[1]}"), delivery("texel@w.example"))
        started = time.monotonic()
        emails.abandon()
        emails.announce("held", "held")
        assert time.monotonic() - started < 1.5


def test_a_message_larger_than_the_server_takes_is_a_refusal(tmp_path: Path, release: Path) -> None:
    with mail_receiver(tmp_path / "small", size=300) as relay:
        [refusal] = channel(release, settings(relay.url), delivery("texel@w.example")).stage()
    assert "takes messages of 300 bytes at most" in refusal.reason


def test_no_more_connections_are_held_than_the_server_allows(release: Path, relay: MailReceiver) -> None:
    people = [delivery(f"p{number}@w.example") for number in range(250)]
    people += [delivery("en@w.example", language="en")]
    emails = channel(release, settings(relay.url, max_connections=4), *people)
    assert emails.arm(until=soon()) == []
    assert len(emails.opens()) == 3
    open_all(emails)
    assert statuses(confirm(emails)) == {"delivered"}
    assert len({came.connection for came in relay.log()}) == 3
    assert len({hashlib.sha256(mail.content).digest() for mail in relay.mails()}) == 2


def test_more_languages_than_connections_is_a_refusal(release: Path, relay: MailReceiver) -> None:
    people = [delivery("nl@w.example"), delivery("en@w.example", language="en")]
    refusals = channel(release, settings(relay.url, max_connections=1), *people).stage()
    assert len(refusals) == 2
    assert "needs a connection per language, 2 at once" in refusals[0].reason


def test_addresses_beyond_ascii_are_delivered(release: Path, relay: MailReceiver) -> None:
    emails = channel(release, settings(relay.url), one := delivery("Jörg <jörg@bücher.example>"))
    assert emails.stage() == [] and emails.arm(until=soon()) == []
    open_all(emails)
    assert confirm(emails)[one.delivery_id].status == "delivered"
    assert relay.mails()[0].recipients == ["jörg@xn--bcher-kva.example"]


@pytest.mark.parametrize("address", ["no address", "a@b\r\nRCPT TO:<c@d>", "@b", "a@b@c", "<a@b", ""])
def test_an_address_that_is_none_is_a_refusal_and_not_quoted(release: Path, relay: MailReceiver, address: str) -> None:
    [refusal] = channel(release, settings(relay.url), delivery(address)).arm(until=soon())
    assert refusal.reason.endswith("has a sender or recipient whose address cannot be understood")


def test_a_server_that_is_not_there_is_a_refusal(release: Path) -> None:
    emails = channel(release, settings("smtp://localhost:1"), one := delivery("texel@w.example"))
    assert [refusal.reason for refusal in emails.stage()] == ["mail server relay (localhost:1) refuses connections"]
    assert confirm(emails, seconds=0.5)[one.delivery_id].status == "failed"


def test_a_recipient_stays_whole_and_batches_stay_even() -> None:
    recipients = {f"{number:03}": ("a@b",) * (1 + number % 3) for number in range(200)}
    batches = divide(recipients, most=5)
    sizes = [sum(map(len, batch.values())) for batch in batches]
    assert len(batches) == 4 and max(sizes) - min(sizes) <= 3
    assert {name: to for batch in batches for name, to in batch.items()} == recipients


def test_a_message_id_tells_nothing_and_is_each_moment_and_languages_own() -> None:
    def identity(*more: str, language: Language = "nl", secret: bytes = b"s" * 32) -> str:
        sender = "Zwerm <z@waddenlijn.example>"
        return message_id(secret, release_ids=(RELEASE, *more), language=language, sender=sender)

    assert re.fullmatch(r"<[0-9a-f]{32}@waddenlijn\.example>", identity())
    others = {identity("0" * 16), identity(language="en"), identity(secret=b"t" * 32)}
    assert len(others | {identity()}) == 4
    assert mailbox("Zwerm <zwerm@waddenlijn.example>") == mailbox("zwerm@waddenlijn.example")
