"""A planned moment, as the calendar tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Moment:
    """When a wave of a survey will be released; `reason` says why a moment was moved."""

    survey: str
    titles: Mapping[str, str]
    wave: str
    at: datetime  # with a zone
    announced_at: datetime  # when this moment was planned or last moved
    meeting: date | None = None  # where the results are discussed
    reason: str | None = None
