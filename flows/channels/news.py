"""What messages tell of a sealed release: where its results stand, read from the manifest, and no figure of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flows.channels.email_message import News
from flows.home import Home
from flows.model import Language
from flows.preparing.seal import safe_name
from flows.settings import Settings


def news_of(folders: Iterable[Path], *, language: Language, settings: Settings) -> list[News]:
    """One piece of news per sealed folder, in an order that does not depend on theirs."""
    manifests = [json.loads((folder / "manifest.json").read_bytes()) for folder in folders]
    manifests.sort(key=lambda said: (said["survey"], said["wave"], said["revision"]))
    return [_told(said, language, settings) for said in manifests]


def _told(manifest: Mapping[str, Any], language: Language, settings: Settings) -> News:
    title = manifest["title"].get(language) or next(iter(manifest["title"].values()), manifest["survey"])
    page = language if language in manifest["languages"] else manifest["languages"][0]
    place = (safe_name(manifest["survey"]), safe_name(manifest["wave"]), f"r{manifest['revision']}")
    path = "/".join((*place, page, "index.html"))
    site = settings.organisation.site_url
    link = f"{site.rstrip('/')}/{path}" if site else str(Home(settings.home).published / "site" / path)
    organisation = settings.organisation.name
    return News(organisation, title, manifest["wave"], manifest["revision"], manifest["reason"] or "", link)
