"""Whether mail servers, webhooks, folders and other hosts can be reached; nothing is sent to anyone."""

import os
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flows.channels.connections import TIME_UP, address_of, connect, explain, room_for, together
from flows.channels.email_line import FAULTS, leave, log_in, why
from flows.command.doctor.chats import chats
from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.command.doctor.places import is_local, is_on_network, nearest
from flows.home import Home
from flows.progress import counted
from flows.recipients import MailServer, Webhook
from flows.settings import Settings
from warehouse.ledger import Ledger

MAIL, HOOKS, FOLDERS, SHARES = "mail servers", "webhooks", "folders", "shares"
SECONDS = 8.0
NAMED_AT_MOST = 10
TCP_WINDOW_BYTES = 14_000  # what leaves at once on a new connection; the rest waits for an answer on the way


def connections(settings: Settings, home: Home) -> Iterator[Finding]:
    """Log in with each mail server and SFTP host, shake hands with each webhook's host, try each folder."""
    yield from _mail(settings)
    yield from _webhooks(settings, home)
    yield from _folders(settings, home)
    yield from _shares(settings, home)
    if any(recipient.sftp is not None for recipient in settings.audience):
        from flows.command.doctor.hosts import hosts  # loads asyncssh

        yield from hosts(settings)
    if any(recipient.object_store is not None for recipient in settings.audience):
        from flows.command.doctor.buckets import buckets  # loads obstore

        yield from buckets(settings)
    yield from chats(settings)


def _mail(settings: Settings) -> Iterator[Finding]:
    names = list(settings.servers)
    said = together(lambda name: _greeted(settings.servers[name]), names, seconds=SECONDS)
    for name, fault in zip(names, said, strict=True):
        server = settings.servers[name]
        if fault != "":
            place = _place(server.smtp, "its server")
            yield problem(MAIL, f"{name}: {place} {fault or TIME_UP}", f"mend servers.{name}, or ask who runs it")
            continue
        logged_in = f", log-in as {server.user}" if server.user else ""
        yield ok(MAIL, f"{name}: {_place(server.smtp, name)} answers, {_encryption(server)}{logged_in}")
        if server.tls == "none" and server.smtp.startswith("smtp:") and not is_local(server.smtp):
            yield remark(
                MAIL,
                f"{name}: what goes to {_place(server.smtp, name)} can be read on the way",
                'leave out tls = "none", or write smtps://, where the server can do TLS',
            )


def _greeted(server: MailServer) -> str:
    """Empty where the server let us in; else what went wrong, without a word of its own."""
    try:
        leave(log_in(server, context=ssl.create_default_context(), deadline=time.monotonic() + SECONDS))
    except FAULTS as error:
        return why(error)
    return ""


def _encryption(server: MailServer) -> str:
    if server.smtp.startswith("smtps:"):
        return "TLS from the start"
    return "STARTTLS" if server.tls == "required" else "without TLS"


def _webhooks(settings: Settings, home: Home) -> Iterator[Finding]:
    hooks = [recipient.webhook for recipient in settings.audience if recipient.webhook is not None]
    if not hooks:
        return
    places = list(dict.fromkeys(_place(hook.url, "a webhook") for hook in hooks))
    by_place = {_place(hook.url, "a webhook"): hook for hook in hooks}
    context = ssl.create_default_context()
    said = together(lambda place: _reached(by_place[place], context), places, seconds=SECONDS)
    faults = [(place, fault or TIME_UP) for place, fault in zip(places, said, strict=True) if fault != ""]
    for place, fault in faults[:NAMED_AT_MOST]:
        yield problem(HOOKS, f"{place} {fault}", "mend the address, or ask who runs it: one who is not ready holds all")
    if len(faults) > NAMED_AT_MOST:
        yield problem(HOOKS, f"and {len(faults) - NAMED_AT_MOST} more hosts do not answer", "see the network first")
    if not faults:
        yield ok(HOOKS, f"{counted(len(hooks), 'webhook')}: every host answers ({len(places)}); no request was made")
    if lack := room_for(len(hooks)):
        says, _, todo = lack.partition(": ")
        yield problem(HOOKS, says, todo)
    yield from _habits(hooks)
    if not all(hook.sealed for hook in hooks):
        yield from _sizes(home)


def _reached(hook: Webhook, context: ssl.SSLContext) -> str:
    try:
        connect(address_of(hook.url), context=context, seconds=SECONDS).close()
    except (OSError, ValueError) as error:
        return explain(error)
    return ""


def _habits(hooks: list[Webhook]) -> Iterator[Finding]:
    plain = sorted({_place(hook.url, "") for hook in hooks if hook.url.startswith("http:") and not is_local(hook.url)})
    if plain:
        yield remark(
            HOOKS,
            f"without TLS, readable on the way: {', '.join(plain[:NAMED_AT_MOST])}",
            "write https://, where it can",
        )
    unsigned = sum(hook.secret is None for hook in hooks)
    if unsigned:
        yield remark(
            HOOKS,
            f"{unsigned} of {len(hooks)} have no secret: their receivers cannot tell that a message is yours",
            'give each a secret = "${VARIABLE}"; messages are then signed with it',
        )


def _sizes(home: Home) -> Iterator[Finding]:
    """A document that does not leave at once shows the length of the line in the skew."""
    if not home.ledger.exists():
        return
    with Ledger.open(home.ledger) as ledger:
        newest = {release.survey: release.release_id for release in ledger.releases()}
    for survey, release_id in newest.items():
        document = home.releases / release_id / "release.json"
        size = document.stat().st_size if document.exists() else 0
        if size > TCP_WINDOW_BYTES:
            yield remark(
                HOOKS,
                f"release.json of {survey} has {size / 1000:,.0f} kB; more than 14 kB does not leave at once, so a far "
                "host has it a few milliseconds later than a near one",
                "nothing, while the skew of its releases (zwerm status) stays within release.tolerance_ms; sealed "
                "webhooks, which send only a key at the moment, are what removes it",
            )


def _folders(settings: Settings, home: Home) -> Iterator[Finding]:
    targets = dict.fromkeys(recipient.folder for recipient in settings.audience if recipient.folder is not None)
    found = [
        finding for target in targets for finding in _folder(settings.file.parent / target, settings, home, FOLDERS)
    ]
    yield from found
    if targets and all(finding.kind != "problem" for finding in found):
        yield ok(FOLDERS, f"{counted(len(targets), 'folder')}: writable, and opened by one rename")


def _shares(settings: Settings, home: Home) -> Iterator[Finding]:
    targets = dict.fromkeys(recipient.share for recipient in settings.audience if recipient.share is not None)
    roots = [settings.file.parent / target for target in targets]
    found = [finding for root in roots for finding in _folder(root, settings, home, SHARES)]
    yield from found
    for root in roots:
        if is_on_network(root) is None:
            yield remark(
                SHARES,
                f"{root} is on this host's own disk: is the share mounted?",
                "mount it; a folder of this host that others do not hold is folder = …, which opens at once",
            )
    if targets and all(finding.kind != "problem" for finding in found):
        yield ok(SHARES, f"{counted(len(targets), 'share')}: writable; a closed envelope lies there before the moment")


def _folder(root: Path, settings: Settings, home: Home, about: str) -> Iterator[Finding]:
    another = f"choose another {about.removesuffix('s')} = …"
    for private in (home.landing, home.working, home.releases, home.published):
        if root.resolve().is_relative_to(private):
            yield problem(about, f"{root} lies inside {private}, which is Zwerm's own", another)
            return
    fault = _tried(nearest(root))
    if fault:
        yield problem(about, f"{root}: {fault}", f"let this account write there, or {another}")
        return
    for below in (root / survey for survey in settings.surveys):
        if below.is_dir() and below.stat().st_dev != root.stat().st_dev:
            yield problem(
                about, f"{below} is another file system than {root}: no rename reaches it", "mount it elsewhere"
            )
    if kind := is_on_network(root):
        yield remark(
            about, f"{root} is on a network file system ({kind}); some may see the rename seconds later than others"
        )


def _tried(folder: Path) -> str | None:
    """Make a private folder there and rename it, as a release does; nothing of it stays."""
    if not folder.is_dir():
        return f"{folder} is a file"
    made, renamed = (folder / f".zwerm-doctor-{secrets.token_hex(8)}" for _ in range(2))
    try:
        made.mkdir(mode=0o700)
        made.rename(renamed)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else type(error).__name__
    finally:
        for path in (made, renamed):
            with suppress(OSError):
                path.rmdir()
    return None


def _place(url: str, otherwise: str) -> str:
    """Host and port alone, so that no credential of an address comes along."""
    try:
        return str(address_of(url))
    except ValueError:
        return otherwise
