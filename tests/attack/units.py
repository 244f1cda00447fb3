"""What is published of one wave, as the outsider has it; and for the judge alone, whose answers it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tests.attack.organisations import Answer
from tests.attack.outsider import Residual


@dataclass(frozen=True)
class Released:
    """What everyone reads of one revision: the rows of mart.promoter_metrics, by path; and for the judge the rest."""

    metrics: pd.DataFrame
    tallies: pd.DataFrame
    counted: Sequence[Answer]


@dataclass(frozen=True)
class Today:
    """One revision of a wave in a later tree: what is published of it, and which cells of then hang on what is not."""

    revision: int
    rows: Sequence[Residual]
    hidden: Mapping[str, frozenset[str]]


@dataclass
class Unit:
    """One wave of one organisation, revision by revision."""

    name: str
    released: list[Released] = field(default_factory=list)
    today: list[Today] = field(default_factory=list)
