"""One run of each way to tell many recipients, and what their receivers saw of it."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import release_ways as ways
from tests.benchmarks.release_lines import Came
from tests.benchmarks.release_receivers import Receivers

RECEIVE_SECONDS = 60.0
POLL_SECONDS = 0.02
OPENING = ("release", "key")
MEGABYTE = 1145  # departments whose figures are so long

Way = Callable[[], Callable[[], object]]  # prepares; what it gives back is what is measured


@dataclass(frozen=True)
class Skews:
    """What the receivers saw of one run of one way, in milliseconds, and what the ledger has of it where it is ours."""

    sender: float
    receivers: float
    size: int  # bytes of a message
    count: int  # messages
    opened: float  # from the first byte of the first to the last byte of the last
    recorded: float | None = None


class Bench:
    """A sender's process with its receivers."""

    def __init__(self, receivers: Receivers, folder: Path) -> None:
        self.receivers = receivers
        self.folder = folder
        self._mail_bytes = 0  # of a message of ours

    def warm_up(self) -> None:
        """Import and compile what all need."""
        self.webhooks(10)
        self.emails(10)

    def webhooks(self, count: int, *, run: int = 0, is_tls: bool = False) -> dict[str, Skews]:
        """One run of all ways to so many webhooks, each time another of them first."""
        port = self.receivers.https_port if is_tls else self.receivers.http_port
        assert port is not None
        urls = ways.webhooks(count, port=port, scheme="https" if is_tls else "http")
        ours = self._staged([{"webhook": {"url": url}} for url in urls])
        asked = ways.requests(urls, ours.body)
        made: dict[str, Way] = {
            "release": lambda: ours.open,
            "floor": lambda: ways.floor([(ways.connected(port, is_tls=is_tls), each.message) for each in asked]),
            "gather": lambda: ways.gathered(urls, asked, body=ours.body),
            "sequential": lambda: ways.sequential(urls, asked, body=ours.body),
            "sequential_lean": lambda: ways.sequential_lean(port, asked, body=ours.body),
        }
        if is_tls:
            made = {name: made[name] for name in ("release", "floor")}
        return self._each(made, run, expected=dict.fromkeys(made, count))

    def emails(self, count: int, *, run: int = 0) -> dict[str, Skews]:
        """One run of all ways to so many recipients over as many connections as ours needs."""
        port, recipients = self.receivers.smtp_port, ways.mailboxes(count)
        ours = self._staged([{"email": {"to": to, "server": "relay"}} for to in recipients])
        batches = ways.divided(recipients)
        made: dict[str, Way] = {
            "release": lambda: ours.open,
            "floor": lambda: ways.floor([(ways.in_data(port, to), ways.mail(self._mail_bytes)) for to in batches]),
            "gather": lambda: ways.mailed_together(port, batches, size=self._mail_bytes),
            "sequential": lambda: ways.mailed_in_turn(port, recipients, size=self._mail_bytes),
        }
        found = self._each(made, run, expected=dict.fromkeys(made, len(batches)) | {"sequential": count})
        self._mail_bytes = found["release"].size
        return found

    def slow_readers(self, count: int, *, run: int = 0) -> dict[str, Skews]:
        """One run of ours to webhooks that read 1 MB/s: sealed ones of 1 MB and of 1 kB, and plain ones of 1 MB."""
        urls = ways.webhooks(count, port=self.receivers.slow_http_port)

        def staged(departments: int, *, is_sealed: bool) -> Callable[[], object]:
            audience = [{"webhook": {"url": url, "sealed": is_sealed}} for url in urls]
            return self._staged(audience, departments=departments).open

        made: dict[str, Way] = {
            "sealed_1mb": lambda: staged(MEGABYTE, is_sealed=True),
            "sealed_1kb": lambda: staged(0, is_sealed=True),
            "plain_1mb": lambda: staged(MEGABYTE, is_sealed=False),
        }
        return self._each(made, run, expected=dict.fromkeys(made, count))

    def _staged(self, audience: Sequence[object], *, departments: int = 2) -> ways.Staged:
        folder = self.folder / "home"
        shutil.rmtree(folder, ignore_errors=True)
        return ways.staged(folder, audience=audience, mail_port=self.receivers.smtp_port, departments=departments)

    def _each(self, made: Mapping[str, Way], run: int, *, expected: Mapping[str, int]) -> dict[str, Skews]:
        names = list(made)
        turn = run % len(names)
        order = (*names[turn:], *names[:turn])
        return {name: self._measured(made[name](), expected[name]) for name in order}

    def _measured(self, action: Callable[[], object], expected: int) -> Skews:
        self.receivers.take()
        recorded = action()
        came = self._came(expected)
        first, whole = [each.first for each in came], [each.whole for each in came]
        sender, held = ((max(times) - min(times)) / 1e6 for times in (first, whole))
        opened = (max(whole) - min(first)) / 1e6
        own = recorded if isinstance(recorded, float) else None
        return Skews(sender, held, came[0].size, len(came), opened, own)

    def _came(self, expected: int) -> list[Came]:
        ends = time.monotonic() + RECEIVE_SECONDS
        came: list[Came] = []
        while len(came) < expected and time.monotonic() < ends:
            time.sleep(POLL_SECONDS)
            came += [each for each in self.receivers.take() if each.event in OPENING]
        if len(came) != expected:
            raise SystemExit(f"{len(came)} of {expected} messages came: nothing was measured")
        return came
