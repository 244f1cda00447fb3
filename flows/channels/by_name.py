"""Which class serves which channel; each is imported only where the audience uses it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name

from flows.channels import Channel, ChannelName, Delivery
from flows.home import Home
from flows.settings import Settings

Factory = Callable[[ChannelName, Sequence[Delivery], Mapping[str, Path], Settings], Channel]


KINDS: Mapping[ChannelName, str] = {
    "published": "flows.channels.published:PublishedChannel",
    "folder": "flows.channels.folder:FolderChannel",
    "share": "flows.channels.share:ShareChannel",
    "sftp": "flows.channels.sftp:SftpChannel",
    "object_store": "flows.channels.object_store:ObjectStoreChannel",
    "webhook": "flows.channels.webhook:WebhookChannel",
    "email": "flows.channels.email:EmailChannel",
    "announcement": "flows.channels.announcement:AnnouncementChannel",
}


def channel_for(
    name: ChannelName, deliveries: Sequence[Delivery], releases: Mapping[str, Path], settings: Settings
) -> Channel:
    """The channel of this name for these deliveries; `releases` are the sealed folders by release id."""
    kind: Callable[..., Channel] = resolve_name(KINDS[name])
    return kind(deliveries, releases=releases, settings=settings)


def channels_for(
    deliveries: Sequence[Delivery], *, home: Home, settings: Settings, factory: Factory = channel_for
) -> dict[ChannelName, Channel]:
    """One channel object per way out that these deliveries take."""
    made: dict[ChannelName, Channel] = {}
    for name in dict.fromkeys(delivery.channel for delivery in deliveries):
        own = [delivery for delivery in deliveries if delivery.channel == name]
        releases = {delivery.release_id: home.releases / delivery.release_id for delivery in own}
        made[name] = factory(name, own, releases, settings)
    return made
