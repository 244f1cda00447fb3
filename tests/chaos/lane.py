"""One lane: homes in a folder, and receivers that no other lane uses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.chaos.far import Far
from tests.chaos.fate import Fate
from tests.flows.mail_receiver import MailReceiver

HOOKS, SECURE_HOOKS = 3, 1  # of each lane
SEALED_HOOK = 2
FOLDERS, SHARES, FAR = ("one", "two"), ("three",), ("sftp", "bucket")


class Tail:
    """A file of JSON lines that grows; each line is read once."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

    def lines(self) -> list[dict[str, Any]]:
        """What was written since it was read last."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


@dataclass
class Lane:
    """What one lane has: folders, receivers, and how far their logs were read."""

    folder: Path
    seed: int
    index: int
    ports: Sequence[int]
    hooks: Path  # where the webhook receivers write
    mail: MailReceiver
    watcher: "IO[bytes]"
    sightings: Path
    certificates: Path
    far: Far | None = None
    live: int = 0  # releases so far
    tails: dict[str, Tail] = field(default_factory=dict)

    def receiver(self, hook: int) -> int:
        """The number of one of this lane's webhooks among all that the process has."""
        plain = (len(self.ports) * HOOKS) // (HOOKS + SECURE_HOOKS)
        return self.index * HOOKS + hook if hook < HOOKS else plain + self.index * SECURE_HOOKS + hook - HOOKS

    def tail(self, path: Path) -> Tail:
        """The reader of a log, which knows how far it was read."""
        return self.tails.setdefault(str(path), Tail(path))

    def said(self, fate: Fate, place: str) -> dict[str, Any]:
        """The configuration of a release: whom it goes to."""
        ways: list[dict[str, Any]] = [{"folder": f"shares/{name}"} for name in FOLDERS]
        ways += [{"share": f"shares/{name}"} for name in SHARES]
        for hook in range(HOOKS + SECURE_HOOKS):
            scheme, port = ("http", "https")[hook >= HOOKS], self.ports[self.receiver(hook)]
            hooked = {"url": f"{scheme}://localhost:{port}/{fate.number}", "secret": "s" * 20}
            ways.append({"webhook": {**hooked, "sealed": hook == SEALED_HOOK}})
        ways.append({"email": {"to": ["texel@example.com"], "server": "relay"}})
        ways += self.far.ways(place) if self.far and fate.is_far else []
        relay = {"smtp": self.mail.url, "from": "zwerm@example.com", "tls": "none"}
        return {"audience": [{"department": [], **way} for way in ways], "servers": {"relay": relay}}

    def names(self) -> dict[str, str]:
        """How the suite calls whom the ledger calls by department and serial number."""
        own = [*FOLDERS, *SHARES, *(f"hook {hook}" for hook in range(HOOKS + SECURE_HOOKS)), "mail", *FAR]
        return {"everyone": "published"} | {f"Our organisation #{n}": name for n, name in enumerate(own, 1)}

    def tell_watcher(self, word: str, home: Path) -> None:
        """Have a home watched, or no more."""
        self.watcher.write(f"{word} {home}\n".encode())
        self.watcher.flush()


def place_of(lane: Lane, home: Path) -> str:
    """The folder on other hosts that belongs to a home."""
    return f"lane{lane.index}-{home.name}"
