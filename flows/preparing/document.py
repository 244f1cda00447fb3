"""`release.json`: what a webhook or a folder receives, the same bytes for everyone, with its JSON Schema beside it."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from pydantic import Field

from flows.preparing.beside import Comparison, Driver, Movement, Quote, Regrouped, Rolling, Segment, Theme, Trend
from flows.preparing.parts import Figures, Highlight, Part, Place, Quality, Revised


class ReleaseDocument(Part):
    """One release of one wave of a customer survey: everyone receives exactly this."""

    format: Literal["zwerm-release/1"] = "zwerm-release/1"
    release_id: str
    organisation: str
    survey: str
    title: dict[str, str]
    wave: str
    revision: int
    reason: str | None = Field(description="why a revision was made")
    is_material: bool = Field(description="all late answers were let in at once, also where they were few")
    revised: list[Revised] = Field(description="what a revision changed")
    previous_release_id: str | None
    definition: str = Field(description="version of the definition of superpromoter, which is Zwerm's own")
    told_min: int
    interval: Literal["adjusted_wald", "score", "wald"] = Field(description="how nps_low and nps_high were computed")
    margin: float | None = Field(description="on one customer who was brought in; null where it is not configured")
    currency: str | None = Field(description="of the margin, after ISO 4217")
    min_respondents: int
    invited: int | None = Field(
        description="people who were invited to the whole survey; null where it is not configured"
    )
    response_rate: float | None = Field(
        description="answers of the whole, with a score or without, over invited, 0 to 1; null where that is above 1"
    )
    departments: list[Figures] = Field(description="in the order of the tree")
    tree: list[Place] = Field(description="the same departments: their places, and their time")
    highlights: list[Highlight]
    quality: list[Quality]
    comparisons: list[Comparison] = Field(description="departments against everyone else, in the order of the tree")
    changes: list[Movement] = Field(description="against the previous wave, and against that of a year before")
    trends: list[Trend]
    regrouped: list[Regrouped] = Field(description="earlier waves in today's tree, where departments moved since")
    drivers: list[Driver] = Field(description="as the wave's first release made them, also in a revision")
    themes: list[Theme] = Field(description="those of the wave's first release that may still be shown")
    quotes: list[Quote] = Field(description="those of the wave's first release that may still be shown")
    segments: list[Segment] = Field(description="as the wave's first release made them, also in a revision")
    rolling: list[Rolling] = Field(description="as the wave's first release made them, also in a revision")

    def text(self) -> bytes:
        """JSON in the order of the schema, UTF-8, no clock time: the same content gives the same bytes."""
        return self.model_dump_json(indent=1).encode() + b"\n"


PARTS: Mapping[str, type[Part]] = {
    "highlights": Highlight,
    "quality": Quality,
    "comparisons": Comparison,
    "changes": Movement,
    "trends": Trend,
    "regrouped": Regrouped,
    "drivers": Driver,
    "themes": Theme,
    "quotes": Quote,
    "segments": Segment,
    "rolling": Rolling,
}


@cache
def schema() -> bytes:
    """The JSON Schema of `release.json`."""
    return json.dumps(ReleaseDocument.model_json_schema(), sort_keys=True, indent=1).encode() + b"\n"


def records(frame: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of `frame` as plain values, missing ones as None."""
    rows: list[dict[str, Any]] = pa.Table.from_pandas(frame[list(columns)], preserve_index=False).to_pylist()
    return rows
