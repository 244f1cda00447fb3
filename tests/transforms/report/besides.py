"""The tables beside the figures, for editions to draw: comparisons, changes, trends, drivers, themes and quotes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tests.transforms.report.frames import frame
from transforms.comparisons import comparisons
from transforms.report.beside import BESIDE

ROOT, PORTS, TEXEL = "all", "ports-6f708192", "texel-d6e7f809"
REASONS = ("By e-mail, no longer on paper.", "Per e-mail, niet meer op papier.")
DRIVERS: Sequence[tuple[Any, ...]] = (  # driver, kind, importance, its interval, ratings
    ("crew", "strength", 0.31, 0.27, 0.35, 4.8, 4.7, 4.2),
    ("on_time", "strength", 0.24, 0.2, 0.29, 4.5, 4.4, 4.1),
    ("information", "lever", 0.23, 0.19, 0.28, 4.3, 4.2, 3.4),
    ("food", None, 0.22, 0.18, 0.26, 3.8, 3.7, 3.3),
)
LABELS = {
    "crew": {"en": "Crew", "nl": "Bemanning"},
    "on_time": {"en": "Sailing on time", "nl": "Op tijd varen"},
    "information": {"en": "Information when plans change", "nl": "Informatie bij wijzigingen"},
    "food": {"en": "Food and drink", "nl": "Eten en drinken"},
}
WORDS = (
    ("nl", "promoters", "vriendelijk", 214),
    ("nl", "promoters", "op tijd", 151),
    ("nl", "promoters", "uitzicht", 97),
    ("en", "promoters", "friendly", 61),
    ("en", "promoters", "on time", 44),
    ("nl", "passives", "omroep", 58),
    ("nl", "passives", "wachten", 40),
    ("en", "passives", "announcement", 17),
    ("en", "detractors", "delay", 21),
)
QUOTES = (
    ("en", "The crew helped my mother with her walker before we had even asked. I tell everyone."),
    ("nl", "Fietsen aan boord, koffie, dek. Als we varen is de vakantie begonnen."),
    ("de", "Wir haben dieses Jahr Freunde mitgebracht, weil es bei euch so entspannt ist."),
)


def tables(metrics: pd.DataFrame, history: pd.DataFrame, *, published: Sequence[str]) -> dict[str, pd.DataFrame]:
    """All six tables of an edition whose frames are given."""
    names = dict(zip(metrics["department_id"], metrics["department"], strict=True))
    return {
        "comparisons": comparisons(metrics, min_respondents=10),
        "changes": _changes(metrics, names, published),
        "trends": _trends(metrics, history, names, published),
        "drivers": _drivers(names, [ROOT, PORTS]),
        "themes": _rows("themes", [_theme(ROOT, names, place, word) for place, word in enumerate(WORDS, start=1)]),
        "quotes": _rows(
            "quotes",
            [
                {"department_id": ROOT, "department": names[ROOT], "language": language, "position": i, "quote": quote}
                for i, (language, quote) in enumerate(QUOTES, start=1)
            ],
        ),
    }


def _rows(name: str, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    return frame(rows, BESIDE[name])


def _theme(department: str, names: dict[str, str], place: int, word: tuple[Any, ...]) -> dict[str, Any]:
    language, kind, theme, respondents = word
    found = {"department_id": department, "department": names[department], "language": language, "kind": kind}
    return found | {"theme": theme, "position": place, "respondents": respondents, "log_odds": 0.8, "z_score": 4.0}


def _drivers(names: dict[str, str], departments: Sequence[str]) -> pd.DataFrame:
    columns = (
        *("driver", "kind", "importance", "importance_low", "importance_high"),
        *("rating_superpromoters", "rating_promoters", "rating_passives"),
    )
    return _rows(
        "drivers",
        [
            {"department_id": department, "department": names[department], "label": LABELS[row[0]]["nl"]}
            | {"left_out": None, "responses": 3100, "r_squared": 0.44}
            | dict(zip(columns, row, strict=True))
            for department in departments
            for row in DRIVERS
        ],
    )


def _changes(metrics: pd.DataFrame, names: dict[str, str], published: Sequence[str]) -> pd.DataFrame:
    rows = []
    for row in metrics.to_dict("records"):
        if row["department_id"] not in published or pd.isna(row["nps_change"]):
            continue
        found = {"department_id": row["department_id"], "department": names[row["department_id"]]}
        figures = {name: row[name] for name in ("nps_change", "nps_change_low", "nps_change_high")}
        figures |= {"p_value": row["change_p_value"], "is_significant": row["is_change_significant"]}
        before = {"basis": "previous", "compared_wave": "2026-09", "compared_release_id": "5f0e1d2c3b4a5968"}
        rows.append(found | figures | before | {"method": "overlapping"})
        year = {"basis": "year_before", "compared_wave": "2025-10", "compared_release_id": "0123456789abcdef"}
        moved = {"nps_change": 7.25, "nps_change_low": 4.1, "nps_change_high": 10.4, "p_value": 0.001}
        rows.append(found | moved | year | {"is_significant": True, "method": "independent"})
    return _rows("changes", rows)


def _trends(
    metrics: pd.DataFrame, history: pd.DataFrame, names: dict[str, str], published: Sequence[str]
) -> pd.DataFrame:
    """A smooth that is the mean of what is near; the method changed with the third wave of many."""
    every = pd.concat([history, metrics], ignore_index=True)
    waves = list(dict.fromkeys(every["wave"]))
    broken = waves[2] if len(waves) > 5 else None
    rows = []
    for department in published:
        own = every[(every["department_id"] == department) & every["nps"].notna()]
        nps = own["nps"].astype(float).tolist()
        for place, (wave, value) in enumerate(zip(own["wave"], nps, strict=True)):
            smooth = float(np.mean(nps[max(0, place - 1) : place + 2]))
            row = {"department_id": department, "department": names[department], "trend_wave": wave, "nps": value}
            row |= {"position": waves.index(wave) + 1, "nps_low": value - 3, "nps_high": value + 3}
            row |= {"nps_smooth": smooth, "nps_smooth_low": smooth - 2, "nps_smooth_high": smooth + 2}
            row |= {"is_break": wave == broken, "break_reason_en": REASONS[0] if wave == broken else None}
            rows.append(row | {"break_reason_nl": REASONS[1] if wave == broken else None})
    return _rows("trends", rows)
