"""One run: what it was called with, read once and passed down."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flows.configuration import load
from flows.errors import ConfigurationError
from flows.guard import keep_private_log
from flows.home import Home
from flows.settings import Settings, Survey, Text
from warehouse.store import Store


@dataclass(frozen=True)
class Run:
    """Settings, home and clock of one run; its id is random and stands beside what it landed."""

    settings: Settings
    home: Home
    now: datetime  # UTC
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def begin(cls, config: Path, *, now: datetime | None = None) -> "Run":
        """Read the configuration, make the home ready and open the private log."""
        os.umask(0o077)  # a scheduler's process comes with its own: what is written before T is for this account alone
        settings = load(config)
        home = Home(settings.home).prepare()
        keep_private_log(home.logs)
        return cls(settings, home, now or datetime.now(UTC))

    def survey(self, name: str) -> Survey:
        """A survey of the configuration; an unknown name is an error that lists the known."""
        try:
            return self.settings.surveys[name]
        except KeyError:
            known = ", ".join(self.settings.surveys)
            raise ConfigurationError(f"{self.settings.file} has no survey '{name}'; it has: {known}") from None

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The working warehouse, open for as long as the block; no release waits for its moment while it is open."""
        with Store.open(self.home.warehouse, scratch=self.home.scratch) as store:
            yield store

    def titles(self, name: str) -> dict[str, str]:
        """The survey's title in each language of the organisation."""
        return in_languages(self.survey(name).title or name, self.settings.organisation.languages)


def in_languages(text: Text, languages: tuple[str, ...]) -> dict[str, str]:
    """A text per language; where one is not given, the first that is stands in."""
    if not isinstance(text, Mapping):
        return dict.fromkeys(languages, text)
    stand_in = next((text[language] for language in languages if language in text), next(iter(text.values()), ""))
    return {language: text.get(language, stand_in) for language in languages}
