"""The part over time: what changed since the previous wave and since a year before, the pictures and their table."""

from dataclasses import replace
from typing import Any

from transforms.report import sentences
from transforms.report.beside import Movement
from transforms.report.edition import Metric
from transforms.report.over_time import series, trend
from transforms.report.scene import Scene
from transforms.report.words import Words


def timeline(scene: Scene, words: Words, department_id: str) -> dict[str, Any] | None:
    """One department through the waves; None where fewer than two waves can be shown."""
    metrics, trends = scene.over_time[department_id], scene.beside.trends.get(department_id, ())
    views = [
        trend(words, series(metrics, trends, what=name), name=name, drawing=scene.drawings[department_id, name])
        for name in ("nps", "superpromoters")
        if (department_id, name) in scene.drawings
    ]
    if not views:
        return None
    is_asked, now = scene.edition.superpromoters_asked, metrics[-1]
    shown = {metric.wave for metric in metrics}
    return {
        "sentence": sentences.change(words, now) or no_change(scene, words, now),
        "notes": _notes(scene, words, now),
        "trends": views,
        "is_smooth": any(view is not None and view.drawing.spans for view in views),
        "breaks": [
            (words.wave(row.trend_wave), row.reason(words.language))
            for row in trends
            if row.is_break and row.trend_wave in shown
        ],
        "rows": [_row(scene, words, metric) for metric in reversed(metrics)],
        "caption": words.by_period(
            words.say("NPS and superpromoters") if is_asked else words.say("NPS"), [metric.wave for metric in metrics]
        ),
        "change_rows": [_change_row(words, row) for row in scene.beside.changes.get(department_id, ())],
    }


def no_change(scene: Scene, words: Words, metric: Metric) -> str:
    """Where a change cannot be told."""
    previous = scene.previous_wave
    assert previous is not None
    since = words.wave_beside(previous, metric.wave)
    return words.say("A change since %(wave)s cannot be told for this department.", wave=since)


def _notes(scene: Scene, words: Words, now: Metric) -> list[str]:
    """Who answered both waves, and the change since the same wave a year before."""
    rows = {row.basis: row for row in scene.beside.changes.get(now.department_id, ())}
    found = []
    previous, year = rows.get("previous"), rows.get("year_before")
    if previous is not None and now.nps_change is not None:
        found.append(who_answered_both(words, previous.method))
    if year is not None and (previous is None or year.compared_wave != previous.compared_wave):
        said = sentences.change(words, _against(now, year))
        if said is not None:
            found.append(f"{said} {who_answered_both(words, year.method)}")
    return found


def _against(now: Metric, row: Movement) -> Metric:
    return replace(
        now,
        previous_wave=row.compared_wave,
        nps_change=row.nps_change,
        nps_change_low=row.nps_change_low,
        nps_change_high=row.nps_change_high,
        is_change_significant=row.is_significant,
    )


def who_answered_both(words: Words, method: str) -> str:
    """Whether the same people answered both waves, and what that does to the comparison."""
    if method == "paired":
        return words.say("The same people answered both times, so each is compared with himself.")
    if method == "overlapping":
        return words.say("Part of the people answered both times; the interval takes that into account.")
    return words.say("The two are compared as answers of different people.")


def _change_row(words: Words, row: Movement) -> tuple[str, list[tuple[str, str]]]:
    outcome = words.say("beyond chance") if row.is_significant else words.say("could be chance")
    methods = {
        "paired": words.say("the same people"),
        "overlapping": words.say("partly the same people"),
        "independent": words.say("different people"),
    }
    return words.wave(row.compared_wave), [
        (words.say("Change"), words.signed(row.nps_change)),
        (words.say("Interval"), words.to(row.nps_change_low, row.nps_change_high)),
        (words.say("Outcome"), outcome),
        (words.say("Compared as"), methods.get(row.method, row.method)),
    ]


def _row(scene: Scene, words: Words, metric: Metric) -> dict[str, Any]:
    gone = "·"
    labels = [words.say("Answers"), words.say("NPS"), words.say("Interval")]
    cells = [gone, gone, gone]
    if metric.responses is not None and metric.nps is not None:
        assert metric.nps_low is not None and metric.nps_high is not None
        cells = [words.number(metric.responses), words.points(metric.nps), words.to(metric.nps_low, metric.nps_high)]
    if scene.edition.superpromoters_asked:
        labels += [words.say("Superpromoters"), words.say("Interval")]
        rate, low, high = metric.superpromoter_rate, metric.superpromoter_rate_low, metric.superpromoter_rate_high
        told = rate is not None and low is not None and high is not None
        cells += [words.percent(rate or 0), words.to_percent(low or 0, high or 0)] if told else [gone, gone]
    return {"wave": words.wave_short(metric.wave), "cells": list(zip(labels, cells, strict=True))}
