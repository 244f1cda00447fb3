"""What every part of `zwerm.toml` is made of."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

Language = Literal["en", "nl"]
Text = str | Mapping[str, str]  # one text for all languages, or one per language


class Model(BaseModel):
    """Frozen, and an unknown key is an error: a mistyped setting must never be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
