"""How long before T each way out comes up and is held, and which audience no server could hold for so long."""

import math
from collections.abc import Iterable, Iterator, Mapping

from flows.channels import ChannelName
from flows.mistake import Key, Mistake
from flows.model import Language
from flows.settings import Settings

AT_ONCE = math.inf  # what is slow and local holds no connection: it is made as soon as arming begins
MARGIN = 1.5  # of what it took of late


def window(settings: Settings, channel: ChannelName) -> float:
    """How many seconds before T a channel's connections come up."""
    windows = settings.release.windows
    match channel:
        case "webhook" | "email" | "share" | "sftp" | "object_store":
            seconds: float = getattr(windows, channel)
            return seconds
        case "published" | "folder" | "announcement":
            return AT_ONCE


def in_turn(
    channels: Iterable[ChannelName], settings: Settings, *, took: Mapping[str, float]
) -> list[tuple[float, tuple[ChannelName, ...]]]:
    """The channels by the seconds before T at which they are armed, the first ones first.

    `took` is how long each was armed for of late: who is slow is begun with earlier than the configuration says.
    """
    groups: dict[float, list[ChannelName]] = {}
    for name in channels:
        groups.setdefault(max(window(settings, name), MARGIN * took.get(name, 0.0)), []).append(name)
    return [(seconds, tuple(groups[seconds])) for seconds in sorted(groups, reverse=True)]


def lead(channels: Iterable[ChannelName], settings: Settings, *, took: Mapping[str, float], least: float) -> float:
    """How many seconds before T arming begins: what is local takes its time before the longest window opens."""
    turns = in_turn(channels, settings, took=took)
    longest = max((seconds for seconds, _ in turns if seconds != AT_ONCE), default=0.0)
    local = max((took.get(name, 0.0) for seconds, names in turns if seconds == AT_ONCE for name in names), default=0.0)
    return max(least, longest + MARGIN * local)


def unarmable(settings: Settings) -> Iterator[Mistake]:
    """Every key for which an audience could never be ready at T, however well all goes."""
    yield from _too_few_connections(settings)
    yield from _too_short_time_outs(settings)


def mail_connections(settings: Settings) -> dict[str, int]:
    """How many connections each mail server must hold at once for a moment: a message per language at least."""
    languages: dict[str, set[Language]] = {}
    for recipient in settings.audience:
        if recipient.email is not None:
            language = recipient.language or settings.organisation.languages[0]
            languages.setdefault(recipient.email.server, set()).add(language)
    return {server: len(spoken) for server, spoken in languages.items()}


def _too_few_connections(settings: Settings) -> Iterator[Mistake]:
    for server, needed in mail_connections(settings).items():
        most = settings.servers[server].max_connections
        if needed > most:
            yield Mistake(
                ("servers", server, "max_connections"),
                f"servers.{server}.max_connections is {most}; the audience needs {needed} at once, one per language",
                most,
                f"{needed} or more, or recipients of this server in fewer languages",
            )


def _too_short_time_outs(settings: Settings) -> Iterator[Mistake]:
    """A server that lets go of a silent connection before T comes, counted from when it is armed."""
    key, name = "idle_timeout_seconds", "release.windows"
    windows = settings.release.windows
    bounds: list[tuple[Key, str, float, float | None]] = [
        (("servers", server, key), "email", windows.email, settings.servers[server].idle_timeout_seconds)
        for server in mail_connections(settings)
    ]
    for place, recipient in enumerate(settings.audience):
        if recipient.webhook is not None:
            seconds = recipient.webhook.idle_timeout_seconds
            bounds.append((("audience", place, "webhook", key), "webhook", windows.webhook, seconds))
        if recipient.sftp is not None:
            bounds.append((("audience", place, "sftp", key), "sftp", windows.sftp, recipient.sftp.idle_timeout_seconds))
    for where, channel, held, most in bounds:
        if most is not None and most <= held:
            yield Mistake(
                where,
                f"this server lets go of a silent connection after {most:g} s, and {name}.{channel} holds it for "
                f"{held:g} s before T",
                most,
                f"more than {held:g}, or a {name}.{channel} of less than {most:g}",
            )
