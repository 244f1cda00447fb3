"""One run: what it was called with, read once and passed down."""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.configuration import load
from flows.errors import ConfigurationError
from flows.guard import keep_private_log
from flows.home import Home
from flows.model import Text
from flows.settings import Settings, Survey
from warehouse import WarehouseError
from warehouse.store import Store

BUSY_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Run:
    """Settings, home and clock of one run; its id is random and stands beside what it landed."""

    settings: Settings
    home: Home
    now: datetime  # UTC
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))
    patience: timedelta = timedelta()  # how long it waits for a warehouse that another process has open

    @classmethod
    def begin(cls, config: Path, *, now: datetime | None = None, patience: timedelta = timedelta()) -> "Run":
        """Read the configuration, make the home ready and open the private log."""
        os.umask(0o077)  # a scheduler's process comes with its own: what is written before T is for this account alone
        settings = load(config)
        home = Home(settings.home).prepare()
        keep_private_log(home.logs)
        return cls(settings, home, now or datetime.now(UTC), patience=patience)

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
        with ExitStack() as opened:
            yield self._opened(opened)

    def _opened(self, opened: ExitStack) -> Store:
        deadline = time.monotonic() + self.patience.total_seconds()
        while True:
            try:
                return opened.enter_context(Store.open(self.home.warehouse, scratch=self.home.scratch))
            except WarehouseError as error:
                if not error.is_busy or time.monotonic() > deadline:
                    raise
            time.sleep(BUSY_PAUSE_SECONDS)

    def titles(self, name: str) -> dict[str, str]:
        """The survey's title in each language of the organisation."""
        return in_languages(self.survey(name).title or name, self.settings.organisation.languages)


def in_languages(text: Text, languages: tuple[str, ...]) -> dict[str, str]:
    """A text per language; where one is not given, the first that is stands in."""
    if not isinstance(text, Mapping):
        return dict.fromkeys(languages, text)
    stand_in = next((text[language] for language in languages if language in text), next(iter(text.values()), ""))
    return {language: text.get(language, stand_in) for language in languages}
