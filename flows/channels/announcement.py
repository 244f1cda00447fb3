"""Announcements in chat services, through Apprise: a link and no figures, right after T and outside the skew.

Nothing is sent before T. Apprise says one yes or no per object: so each address has an object of its own, and may lead
to one room only. A no tells nothing of what the service did with the message, and chat services know no keys: it is
sent again, at growing intervals and a few times only, and counted. Apprise keeps and logs nothing here, because
addresses hold tokens.
"""

import logging
import re
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING

from flows.channels import GONE, Delivery, Open, Outcome, Refusal, Stop
from flows.channels.announcement_message import Post, post, stop_post
from flows.channels.connections import TIME_UP, together
from flows.channels.news import news_of
from flows.channels.outcomes import Outcomes
from flows.model import Language
from flows.recipients import Announcement
from flows.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apprise import Apprise

ANNOUNCE_SECONDS = 10.0
COMPLETE_SECONDS = 30.0
GRACE_SECONDS = 0.2  # for threads to note that the deadline has come
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each attempt
TALKATIVE = ("apprise", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "requests")
SCHEME = re.compile(r"([a-z][a-z0-9]{0,19})://", re.IGNORECASE)
_announcing = local()


@dataclass(frozen=True)
class Chat:
    """One address in one language: whatever opens at a moment is one message there."""

    url: str = field(repr=False)
    language: Language
    delivery_ids: tuple[str, ...]
    release_ids: tuple[str, ...]

    @property
    def service(self) -> str:
        """What may be said of it; the rest of the address is as good as a password."""
        scheme = SCHEME.match(self.url)
        return f"the chat service ({scheme[1].lower()}://)" if scheme else "the chat service"


class AnnouncementChannel:
    """The chats of one moment; how slow one is, no other notices."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: "Mapping[str, Path]", settings: Settings) -> None:
        self._names = [each.delivery_id for each in deliveries]
        self._gone = [each.delivery_id for each in deliveries if each.target is None]
        self._chats = _chats(deliveries)
        self._releases, self._settings = releases, settings
        self._refused: frozenset[Chat] = frozenset()
        self._outcomes = Outcomes()
        self._turns = {chat: Lock() for chat in self._chats}  # so that what hangs is not sent a second time beside it
        for name in self._gone:
            self._note(name, is_yes=False, is_sent=False, detail=f"the announcement {GONE}")

    def stage(self) -> list[Refusal]:
        """See that Apprise understands each address; nothing is sent, for none of them can be asked."""
        faults = {chat: fault for chat in self._chats if isinstance(fault := self._services[chat], str)}
        self._refused = frozenset(faults)
        gone = [Refusal(name, f"the announcement {GONE}") for name in self._gone]
        return gone + [Refusal(name, fault) for chat, fault in faults.items() for name in chat.delivery_ids]

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Have the messages ready; no connection is held, since none would be faster than T."""
        _ = self._posts
        return self.stage()

    def still_ready(self) -> list[Refusal]:
        """Nothing is held."""
        return []

    def opens(self) -> list[Open]:
        """Nothing opens here: the link that is announced leads to what opens."""
        return []

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Send all messages side by side, and again where the service did not say yes, until the deadline."""
        return self._all_told(self._names, deadline=deadline)

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Send what is still missing."""
        return self._all_told(delivery_ids, deadline=min(deadline, time.monotonic() + COMPLETE_SECONDS))

    def abandon(self) -> None:
        """Nothing is held and nothing was put."""

    def announce(self, event: Stop, reason: str) -> None:
        """Say in every chat that the results are held or withdrawn, and why: once, and without a way to fail."""
        told = [chat for chat in self._chats if chat not in self._refused]
        together(partial(self._tell_stop, event=event, reason=reason), told, seconds=ANNOUNCE_SECONDS)

    def _all_told(self, names: Sequence[str], *, deadline: float) -> list[Outcome]:
        missing = frozenset(self._outcomes.missing(names))
        wanted = [chat for chat in self._chats if missing.intersection(chat.delivery_ids)]
        seconds = deadline - time.monotonic() + GRACE_SECONDS
        together(partial(self._tell, names=missing, deadline=deadline), wanted, seconds=seconds)
        for chat in wanted:
            if self._turns[chat].locked():
                self._note(*chat.delivery_ids, is_yes=False, is_sent=True, is_answered=False, detail=_slow(chat))
        return self._outcomes.of(names)

    def _tell(self, chat: Chat, *, names: Collection[str], deadline: float) -> None:
        for pause in PAUSES:
            if time.monotonic() + pause >= deadline:
                return
            time.sleep(pause)
            if not self._turns[chat].acquire(timeout=max(deadline - time.monotonic(), 0)):
                return
            try:
                missing = self._outcomes.missing(name for name in chat.delivery_ids if name in names)
                if not missing or time.monotonic() >= deadline:
                    return
                self._send(chat, deadline)
            finally:
                self._turns[chat].release()

    def _send(self, chat: Chat, deadline: float) -> None:
        is_yes = _notify(self._services[chat], self._posts[chat])
        detail = "" if is_yes else f"{chat.service} did not take the message"
        is_counted = time.monotonic() < deadline + GRACE_SECONDS  # else it was counted as unanswered
        self._note(*chat.delivery_ids, is_yes=is_yes, is_sent=is_counted, detail=detail, sent_at=datetime.now(UTC))

    def _tell_stop(self, chat: Chat, *, event: Stop, reason: str) -> None:
        folders = [self._releases[name] for name in chat.release_ids if name in self._releases]
        try:
            news = news_of(folders, language=chat.language, settings=self._settings)
        except (OSError, KeyError, ValueError):
            return
        _notify(self._services[chat], stop_post(news, event, reason, language=chat.language))

    def _note(
        self,
        *names: str,
        is_yes: bool,
        is_sent: bool,
        detail: str,
        is_answered: bool = True,
        sent_at: datetime | None = None,
    ) -> None:
        for name in names:
            self._outcomes.note(
                name, is_yes=is_yes, is_answered=is_answered, is_sent=is_sent, detail=detail, sent_at=sent_at
            )

    @cached_property
    def _services(self) -> "dict[Chat, Apprise | str]":
        return {chat: _service(chat) for chat in self._chats}

    @cached_property
    def _posts(self) -> dict[Chat, Post]:
        return {
            chat: post(
                news_of(
                    [self._releases[name] for name in chat.release_ids], language=chat.language, settings=self._settings
                ),
                chat.language,
            )
            for chat in self._chats
        }


def _chats(deliveries: Sequence[Delivery]) -> tuple[Chat, ...]:
    found: dict[tuple[str, Language], list[Delivery]] = {}
    for each in deliveries:
        if isinstance(each.target, Announcement):
            found.setdefault((each.target.url.get_secret_value(), each.language), []).append(each)
    return tuple(
        Chat(
            url,
            language,
            tuple(each.delivery_id for each in own),
            tuple(dict.fromkeys(each.release_id for each in own)),
        )
        for (url, language), own in found.items()
    )


def _service(chat: Chat) -> "Apprise | str":
    """An object of Apprise for one address, or why there is none."""
    with _unheard(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports imghdr, which Python 3.13 has no more
        from apprise import Apprise, AppriseAsset

        asset = AppriseAsset(
            app_id="Zwerm",
            app_desc="Zwerm",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            async_mode=False,
            http_redirects=False,
            pgp_autogen=False,
            pem_autogen=False,
            storage_mode="memory",
        )
        try:
            service = Apprise(asset=asset)
            is_known = service.add(chat.url)
            rooms = len(service) if is_known else 0
        except Exception:  # of more than a hundred services' address readers; any text of theirs may quote the address
            is_known, rooms = False, 0
    if not is_known:
        return f"{chat.service} has an address that Apprise does not understand"
    if rooms != 1:
        return (
            f"{chat.service} has an address of {rooms} rooms; write one address per room, since each answers for itself"
        )
    return service


def _notify(service: "Apprise | str", message: Post) -> bool:
    """Whether the service said yes."""
    if isinstance(service, str):
        return False
    from apprise import NotifyFormat

    with _unheard():
        try:
            return bool(service.notify(title=message.title, body=message.text, body_format=NotifyFormat.TEXT))
        except Exception:  # what a service's code raises is a no, and its text may quote the address
            return False


@contextmanager
def _unheard() -> Iterator[None]:
    """Drop what Apprise and the HTTP client below it log meanwhile in this thread: it may quote addresses."""
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_not_announcing)
    _announcing.now = True
    try:
        yield
    finally:
        _announcing.now = False


def _not_announcing(record: logging.LogRecord) -> bool:
    return not getattr(_announcing, "now", False)


def _slow(chat: Chat) -> str:
    return f"{chat.service} {TIME_UP}"
