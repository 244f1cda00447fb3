"""What each way out holds before T and how it opens: data that `zwerm channels` shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.channels import ChannelName


@dataclass(frozen=True)
class Way:
    """A way out as a person sees it; one channel may have two."""

    name: str
    channel: ChannelName
    written: str  # in [[audience]]; empty where nobody needs to ask for it
    holds: str  # before T
    opens: str  # at T


WAYS: Sequence[Way] = (
    Way(
        "published",
        "published",
        "",
        "warehouse, site, Parquet and downloads complete in one folder under a random name, which nobody else can list",
        "one rename of one link, for all of it in one instant",
    ),
    Way(
        "folder",
        "folder",
        'folder = "PATH"',
        "the complete files in a private folder on the same file system of this host",
        "one rename",
    ),
    Way(
        "webhook",
        "webhook",
        'webhook = { url = "https://…" }',
        "a connection, encrypted where it is https; its server said yes to a call without content; not a byte of the "
        "request is sent",
        "release.json in one send",
    ),
    Way(
        "webhook, sealed",
        "webhook",
        'webhook = { url = "https://…", sealed = true }',
        "its server has an encrypted envelope, which opens with a key it does not have, and a connection",
        "the key, 32 bytes in one send; zwerm open decrypts",
    ),
    Way(
        "e-mail",
        "email",
        'email = { to = ["…"], server = "…" }',
        "the mail server has accepted sender and recipients and waits for the message; nothing of it is sent",
        "the whole message: a link and no figures",
    ),
    Way(
        "share",
        "share",
        'share = "PATH"',
        "an encrypted envelope on the mounted share, read back and compared; an empty file is open for its key",
        "the key: written, closed, renamed; plain copies follow at once",
    ),
    Way(
        "SFTP",
        "sftp",
        'sftp = { url = "sftp://…" }',
        "an encrypted envelope on the server, read back and compared; the connection is open",
        "the key by one posix-rename; plain copies follow at once",
    ),
    Way(
        "object store",
        "object_store",
        'object_store = { url = "s3://…" }',
        "an encrypted envelope under a random name in the bucket, read back and compared; the connection is open",
        "the key object by one atomic PUT; plain copies follow at once",
    ),
    Way(
        "announcement",
        "announcement",
        'announce = ["slack://…"]',
        "nothing: the message waits here",
        "right after T, outside the skew: a link and no figures",
    ),
)
