"""Whether Apprise understands the addresses of chat services; nothing is sent, for none of them can be asked."""

from collections.abc import Iterator

from flows.channels import Delivery
from flows.channels.announcement import AnnouncementChannel
from flows.command.doctor.findings import Finding, ok, problem
from flows.progress import counted
from flows.releasing.audience import labelled
from flows.settings import Settings

ABOUT = "announcements"


def chats(settings: Settings) -> Iterator[Finding]:
    """Read every address of `announce`, and name the recipients of those that lead nowhere."""
    told = [(label, each) for label, recipient in labelled(settings) for each in recipient.announce]
    if not told:
        return
    asked = [Delivery(f"{number}", "", label, "announcement", "en", to) for number, (label, to) in enumerate(told)]
    refusals = AnnouncementChannel(asked, releases={}, settings=settings).stage()
    for refusal in refusals:
        recipient = asked[int(refusal.delivery_id)].recipient
        yield problem(ABOUT, f"{recipient}: {refusal.reason}", "write it as Apprise's documentation says")
    if not refusals:
        yield ok(ABOUT, f"{counted(len(told), 'chat')}: Apprise understands each address; nobody was written to")
