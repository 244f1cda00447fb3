"""Who is written to together: everyone who reads one language has one message of all that opens at a moment.

A server holds few connections at once. So there is a message per moment and language, however many releases open; it is
the same in every process, because what opened together is what the ledger says.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from flows.channels import GONE, Delivery
from flows.channels.email_line import Batch
from flows.channels.email_message import mailbox, sender_of
from flows.home import Home
from flows.model import Language
from flows.recipients import Email
from flows.settings import Settings
from warehouse.ledger import Ledger
from warehouse.records import OUT

MOST_IN_A_BATCH = 100  # recipients that every server takes (RFC 5321, 4.5.3.1.8), where connections allow it
WAITING = ("staged", "armed")

Recipients = Mapping[str, tuple[str, ...]]  # the first of a recipient's delivery ids: his addresses
Groups = dict[tuple[tuple[str, ...], Language], dict[str, tuple[str, ...]]]


class Division:
    """A moment's deliveries in batches; a recipient stands in them under the first of his delivery ids."""

    def __init__(self, deliveries: Iterable[Delivery], settings: Settings) -> None:
        self.impossible: dict[str, str] = {}  # delivery id: why no server has to be asked
        self._first: dict[tuple[object, ...], str] = {}
        self._ids: dict[str, list[str]] = {}
        self._lead: dict[str, str] = {}
        known = sorted(deliveries, key=lambda delivery: delivery.delivery_id)
        self._opening, self._out = _opening_together({delivery.release_id for delivery in known}, settings)
        self.batches = [
            batch
            for server, groups in self._groups(known, settings).items()
            for batch in self._cut(server, groups, settings)
        ]

    def all_of(self, name: str) -> Sequence[str]:
        """All delivery ids of the recipient whose first one this is."""
        return self._ids.get(name, [name])

    def lead_of(self, name: str) -> str:
        """The first delivery id of the recipient who has this one."""
        return self._lead.get(name, name)

    def _groups(self, deliveries: Iterable[Delivery], settings: Settings) -> dict[str, Groups]:
        groups: dict[str, Groups] = {}
        for delivery in deliveries:
            name, target = delivery.delivery_id, delivery.target
            if not isinstance(target, Email):
                self.impossible[name] = GONE
                continue
            try:
                addresses = tuple(mailbox(address) for address in target.to)
                sender_of(settings.servers[target.server].sender)
            except KeyError:
                self.impossible[name] = "stands nowhere in [servers]"
            except ValueError:
                self.impossible[name] = "has a sender or recipient whose address cannot be understood"
            else:
                key = self._opening[delivery.release_id], delivery.language
                lead = self._first.setdefault((delivery.recipient, target.server, addresses, key), name)
                self._ids.setdefault(lead, []).append(name)
                self._lead[name] = lead
                groups.setdefault(target.server, {}).setdefault(key, {})[lead] = addresses
        return groups

    def _cut(self, server: str, groups: Groups, settings: Settings) -> list[Batch]:
        """Divide a server's connections among its messages, and each message's recipients among its share."""
        share = settings.servers[server].max_connections // len(groups)
        is_out = all(name in self._out for release_ids, _ in groups for name in release_ids)
        if share == 0 and not is_out:
            reason = f"needs a connection per language, {len(groups)} at once: raise its max_connections"
            self.impossible |= {name: reason for group in groups.values() for name in group}
            return []
        return [
            Batch(server, release_ids, language, recipients)
            for (release_ids, language), group in groups.items()
            for recipients in divide(group, most=max(share, 1))
        ]


def divide(recipients: Recipients, *, most: int) -> list[dict[str, tuple[str, ...]]]:
    """Divide recipients into few batches of even size, at most `most`; one recipient's addresses stay together."""
    count = min(most, len(recipients), math.ceil(sum(map(len, recipients.values())) / MOST_IN_A_BATCH))
    batches: list[dict[str, tuple[str, ...]]] = [{} for _ in range(count)]
    for name, addresses in sorted(recipients.items()):
        min(batches, key=lambda batch: sum(map(len, batch.values())))[name] = addresses
    return batches


def _opening_together(release_ids: set[str], settings: Settings) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """Each release with all that open with it, and those that are out already.

    Releases of whose moment the ledger says nothing are taken to open together.
    """
    path, found, out = Home(settings.home).ledger, {}, set()
    if path.exists():
        with Ledger.open(path) as ledger:
            found = {name: same for name in release_ids if (same := _same_moment(ledger, name))}
            out = {release.release_id for release in ledger.released()}
    rest = tuple(sorted(release_ids - found.keys()))
    return found | dict.fromkeys(rest, rest), out


def _same_moment(ledger: Ledger, release_id: str) -> tuple[str, ...]:
    release = ledger.release(release_id)
    states = OUT if release is not None and release.is_out else WAITING
    if release is None or release.moment_id is None or release.state not in states:
        return ()
    return tuple(sorted(r.release_id for r in ledger.releases_of(release.moment_id) if r.state in states))
