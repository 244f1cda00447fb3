"""The pages that span releases, and each release's register: outside the seal, made when a publication is assembled."""

from collections.abc import Sequence

from flows.settings import Settings
from warehouse.marts import Edition
from warehouse.records import DeliveryState, Release


def site_pages(
    settings: Settings,
    editions: Sequence[Edition],
    deliveries: Sequence[DeliveryState],
    *,
    stopped: Sequence[Release],
) -> dict[str, bytes]:
    """Index and registers by their name below `site/`; `stopped` are the releases that are held or withdrawn now."""
    return {}
