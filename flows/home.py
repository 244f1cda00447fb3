"""Where a home keeps its things, and the promise that nobody else on the host can read what is not yet released."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from flows.errors import ConfigurationError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
PUBLIC_FOLDER = 0o755


@dataclass(frozen=True)
class Home:
    """The folders of one home; `landing`, `working` and `releases` are 0700, `published` is for everyone."""

    path: Path

    @property
    def landing(self) -> Path:
        """The original bytes, each file under its SHA-256."""
        return self.path / "landing"

    @property
    def working(self) -> Path:
        """What the pipeline itself needs: warehouse, ledger, secret, logs, Prefect's own files."""
        return self.path / "working"

    @property
    def releases(self) -> Path:
        """Sealed content, one folder per release id."""
        return self.path / "releases"

    @property
    def published(self) -> Path:
        """What everyone reads; swapped whole, by one rename of a link."""
        return self.path / "published"

    @property
    def warehouse(self) -> Path:
        """The working DuckDB file; it never leaves the pipeline's account."""
        return self.working / "warehouse.duckdb"

    @property
    def ledger(self) -> Path:
        """The append-only record of releases, deliveries and decisions."""
        return self.working / "ledger.sqlite"

    @property
    def access_record(self) -> Path:
        """What was asked of the site that `serve` shows: when and which page, and not by whom."""
        return self.working / "site_access.jsonl"

    @property
    def logs(self) -> Path:
        """Private logs, with the details that Prefect and the console never see."""
        return self.working / "log"

    @property
    def scratch(self) -> Path:
        """Spill files and transcoded copies; emptied at each start."""
        return self.working / "scratch"

    @property
    def check_reports(self) -> Path:
        """Great Expectations' Data Docs, for the operator alone."""
        return self.working / "checks"

    @property
    def prefect(self) -> Path:
        """The home's own Prefect server: database, auth string, pid."""
        return self.working / "prefect"

    def prepare(self) -> "Home":
        """Make the folders that are missing and set their modes, every time: a mode that was loosened is tightened."""
        try:
            self._make()
        except OSError as error:
            raise ConfigurationError(
                f"home {self.path} cannot be made or written to ({error.strerror or error}: {error.filename}); "
                "name another folder as home in zwerm.toml, or give this account the right to write there"
            ) from error
        return self

    def _make(self) -> None:
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(PUBLIC_FOLDER)  # everyone passes through it to `published`
        for folder in (
            self.landing,
            self.working,
            self.releases,
            self.logs,
            self.scratch,
            self.check_reports,
            self.prefect,
        ):
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)
        self.published.mkdir(exist_ok=True)
        self.published.chmod(PUBLIC_FOLDER)

    def secret(self) -> bytes:
        """32 bytes, made once per home, never renewed: the key of respondents' hashes and suppression weights."""
        path = self.working / "secret"
        if not path.exists():
            draft = path.with_name(f"secret.{secrets.token_hex(8)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # the first of two processes wins; the other reads the winner's
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
