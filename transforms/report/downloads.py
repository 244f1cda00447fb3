"""The downloads: the mart's columns at full precision, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from transforms.report.beside import BESIDE
from transforms.report.edition import HIGHLIGHTS, METRICS, QUALITY, Edition

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def downloads(edition: Edition) -> dict[str, bytes]:
    """Every download of a release by its path; departments are named in the download's language."""
    found: dict[str, bytes] = {}
    for language in edition.languages:
        names = dict(zip(edition.departments["department_id"], edition.departments[f"name_{language}"], strict=True))
        found[f"downloads/all-departments-{language}.csv"] = table(_named(edition.metrics, names), METRICS)
        found[f"downloads/highlights-{language}.csv"] = table(_named(edition.highlights, names), HIGHLIGHTS)
        if not edition.history.empty:
            waves = pd.concat([edition.history[list(METRICS)], edition.metrics[list(METRICS)]], ignore_index=True)
            found[f"downloads/over-time-{language}.csv"] = table(_named(waves, names), METRICS)
        for name, columns in BESIDE.items():
            frame = edition.tables.get(name)
            if frame is not None and not frame.empty:
                found[f"downloads/{name}-{language}.csv"] = table(
                    _labelled(_named(frame, names), edition, language), columns
                )
    found["downloads/checks.csv"] = table(edition.quality, QUALITY)
    return found


def table(frame: pd.DataFrame, columns: tuple[str, ...]) -> bytes:
    """A CSV after RFC 4180 with a byte-order mark, which spreadsheets need to see that it is UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    values = [frame[column].tolist() for column in columns]
    shown = [frame[column].notna().tolist() for column in columns]
    kinds = [pd.api.types.is_integer_dtype(frame[column].dropna().infer_objects()) for column in columns]
    whole = [kind or column in _WHOLE for kind, column in zip(kinds, columns, strict=True)]
    for row, there in zip(zip(*values, strict=True), zip(*shown, strict=True), strict=True):
        writer.writerow(
            [
                _cell(value, is_whole=is_whole) if is_there else ""
                for value, is_there, is_whole in zip(row, there, whole, strict=True)
            ]
        )
    return ("\ufeff" + text.getvalue()).encode()


_WHOLE = {
    "level",
    "responses",
    "missing_scores",
    "promoters",
    "passives",
    "detractors",
    "superpromoters",
    "sharers",
    "silent_promoters",
    "unknown_promoters",
    "told_known",
    "told",
    "influence_known",
    "antipromoters",
    "respondents",
    "position",
    "failed_count",
    "base_count",
}


def _cell(value: Any, *, is_whole: bool) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "true" if value else "false"
    return str(int(value)) if is_whole else repr(float(value))


def _named(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    own = frame["department_id"].map(names)
    return frame.assign(department=own.where(own.notna(), frame["department"]))


def _labelled(frame: pd.DataFrame, edition: Edition, language: str) -> pd.DataFrame:
    if "label" not in frame.columns:
        return frame
    own = frame["driver"].map({name: label.get(language) for name, label in edition.driver_labels.items()})
    return frame.assign(label=own.where(own.notna(), frame["label"]))
