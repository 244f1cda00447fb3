"""What `zwerm.toml` may say: frozen models with defaults for everything that has one; unknown keys are errors."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, PrivateAttr, StringConstraints, ValidationInfo, field_validator, model_validator

from flows.commenting import Comments
from flows.departments import DepartmentEntry
from flows.model import Language, Model, Text
from flows.recipients import MailServer, Recipient
from flows.roles import Roles
from flows.weighting import Weighting

Severity = Literal["critical", "warning"]


class Organisation(Model):
    """Whose customers answer, in which languages the pages speak, and whose clock counts."""

    name: str = "Our organisation"
    languages: tuple[Language, ...] = ("en",)
    timezone: str = "UTC"
    site_url: str | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is not a time zone; allowed are names such as 'Europe/Amsterdam'")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's zone; every local time in the file is in it."""
        return ZoneInfo(self.timezone)


class FilesSource(Model):
    """Files on this host, by path or glob: CSV, TSV, JSON Lines, Parquet, Excel, gzip included."""

    type: Literal["files"] = "files"
    path: str
    sheet: str | None = None  # Excel only; default: the first sheet
    delimiter: Annotated[str, StringConstraints(strip_whitespace=False)] | None = None  # where sniffing cannot know
    encoding: str | None = None
    download: str | None = None  # where people get the file; shown when it is missing


class WaveColumn(Model):
    """The wave is a label that the data carry."""

    column: str


class WaveValue(Model):
    """All answers are of one wave."""

    value: str


Wave = Literal["month", "quarter", "year"] | WaveColumn | WaveValue
LABELS = {  # what a wave of the calendar is called, and one such
    "month": (r"\d{4}-(0[1-9]|1[0-2])", "2026-10"),
    "quarter": (r"\d{4}-Q[1-4]", "2026-Q4"),
    "year": (r"\d{4}", "2026"),
}


class Superpromoters(Model):
    """Thresholds of our definition; its name is printed on pages and stored with each release."""

    told_min: int = Field(default=1, ge=1)
    definition: str = "2026-1"
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # on a customer who was brought in
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None  # ISO 4217, such as EUR

    @model_validator(mode="after")
    def _margin_has_a_currency(self) -> Self:
        if (self.margin is None) != (self.currency is None):
            raise ValueError('give both or neither of margin and currency, such as margin = 40, currency = "EUR"')
        return self


class CheckSetting(Model):
    """What one named check does here: its severity and its bounds."""

    severity: Severity | None = None
    most: float | None = Field(default=None, ge=0, le=1)
    lowest: float | None = Field(default=None, ge=0)


class Break(Model):
    """A wave with which something changed in how the survey measures: trends begin anew there, and say why."""

    wave: str
    reason: Text  # printed where trends are drawn


class Schedule(Model):
    """When `zwerm serve` prepares the newest closed wave, in the organisation's zone."""

    cron: str


class Survey(Model):
    """A questionnaire that runs again and again."""

    title: Text = ""
    respondents: Text | None = None  # what those who answer are called, in the plural, such as "passengers"
    wave: Wave = "month"
    duplicates: Literal["keep", "drop", "latest"] = "keep"
    min_respondents: int = Field(default=10, ge=3)
    interval: Literal["adjusted_wald", "score", "wald"] = (
        "adjusted_wald"  # of the NPS; its name is stored with each release
    )
    sources: tuple[FilesSource, ...] = Field(min_length=1)
    roles: Roles
    segment_levels: int = Field(default=0, ge=0, le=3)  # down to which departments segments have figures; 0: the whole
    windows: tuple[Annotated[int, Field(ge=2, le=24)], ...] = ()  # how many waves are pooled, ending in the newest one
    superpromoters: Superpromoters = Superpromoters()
    comments: Comments = Comments()
    weighting: Weighting | None = None  # to these margins; a mapped weight is where it starts
    checks: Mapping[str, CheckSetting] = {}
    breaks: tuple[Break, ...] = ()
    invited: Mapping[str, Annotated[int, Field(ge=1)]] = {}  # wave: people who were asked; else the share is not known
    schedule: Schedule | None = None

    @property
    def read_roles(self) -> Roles:
        """The roles that are taken into the warehouse: comments only where something of them is shown."""
        return self.roles if self.comments.show else self.roles.model_copy(update={"comment": None})

    @model_validator(mode="after")
    def _wave_can_be_told(self) -> Self:
        if isinstance(self.wave, str) and self.roles.responded_at is None:
            raise ValueError(
                f'wave = "{self.wave}" needs roles.responded_at; or name it: wave = {{ value = "2026-10" }}'
            )
        if self.duplicates == "latest" and self.roles.response_id is None:
            raise ValueError('duplicates = "latest" needs roles.response_id')
        if self.weighting is None and self.roles.weight is None and self.roles.is_sampled:
            raise ValueError(
                "roles.stratum and roles.cluster tell how sure weighted figures are, and need roles.weight or "
                'weighting; where all answers weigh the same: weight = { sql = "1" }'
            )
        if self.superpromoters.margin is not None and None in (self.roles.told_count, self.roles.acted_count):
            raise ValueError("superpromoters.margin needs roles.told_count and roles.acted_count: customers brought in")
        return self

    @field_validator("invited")
    @classmethod
    def _invited_to_a_wave(cls, value: Mapping[str, int], info: ValidationInfo) -> Mapping[str, int]:
        wave = info.data.get("wave")
        pattern, example = LABELS.get(wave, ("", "")) if isinstance(wave, str) else ("", "")
        if isinstance(wave, WaveValue):
            pattern, example = re.escape(wave.value), wave.value
        for label in value:
            if pattern and not re.fullmatch(pattern, label):
                raise ValueError(
                    f"'{label}' is no wave of this survey; its waves are called as in \"{example}\" = 12000"
                )
        return value

    @field_validator("windows")
    @classmethod
    def _windows_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _margins_are_mapped(self) -> Self:
        levels = [f"department_{number}" for number in range(1, len(self.roles.department) + 1)]
        known = [*self.roles.segments, *(["department"] if levels else []), *levels]
        for margin in self.weighting.margins if self.weighting else ():
            if margin not in known:
                raise ValueError(
                    f"margin '{margin}' is no segment and no department; known: {', '.join(known) or 'none'}"
                )
        return self


class Windows(Model):
    """How many seconds before T a channel's connections come up and are held; servers let go of what is silent long."""

    webhook: float = Field(default=10, ge=2, le=60)
    email: float = Field(default=25, ge=2, le=60)
    share: float = Field(default=25, ge=2, le=60)
    sftp: float = Field(default=25, ge=2, le=60)
    object_store: float = Field(default=25, ge=2, le=60)


class ReleasePolicy(Model):
    """The moment of release where the calendar names none."""

    at: time | None = None  # local; None: as soon as it is ready
    tolerance_ms: int = Field(default=100, ge=1)
    late: Literal["hold", "release"] = "hold"
    require_synchronised_clock: bool = False  # else a clock that is not synchronised is a warning in the register
    windows: Windows = Windows()
    access_log: Path | None = None  # of the web server that serves the site: early reads are looked for there too


class PlannedMoment(Model):
    """One wave's announced moment, local time in the organisation's zone."""

    wave: str
    at: datetime
    meeting: date | None = None


class Settings(Model):
    """The whole of `zwerm.toml`, read once at the edge and passed down."""

    home: Path = Path()
    organisation: Organisation = Organisation()
    surveys: Mapping[str, Survey] = Field(min_length=1)
    release: ReleasePolicy = ReleasePolicy()
    calendar: Mapping[str, tuple[PlannedMoment, ...]] = {}
    departments: tuple[DepartmentEntry, ...] = ()
    audience: tuple[Recipient, ...] = ()
    servers: Mapping[str, MailServer] = {}

    _file: Path = PrivateAttr(default=Path("zwerm.toml"))

    @property
    def file(self) -> Path:
        """The `zwerm.toml` these settings came from."""
        return self._file


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The one instant (UTC) that a local time means; a time that the clock skips or shows twice is refused."""
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} does not exist in {zone.key}: the clocks go forward over it; choose another time"
        )
    if first != second:
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} exists twice in {zone.key}: the clocks go back over it; choose another time"
        )
    return first
