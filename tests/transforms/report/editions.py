"""Editions to draw: a ferry company with everything, and the surveys and trees that lack something."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from tests.transforms.report.besides import LABELS, tables
from tests.transforms.report.frames import frame as made
from transforms.report.edition import HIGHLIGHTS, METRICS, QUALITY, Edition, Metric

Z = 1.959963984540054
ROOT = "all"

# id, parent, level, English, Dutch, answers per wave, promoter share, detractor share, share told, share with effect
FERRY: Sequence[tuple[Any, ...]] = (
    (ROOT, None, 0, "Waddenlijn", "Waddenlijn"),
    ("customer-service-1a2b3c4d", ROOT, 1, "Customer service", "Klantenservice"),
    ("bookings-2b3c4d5e", "customer-service-1a2b3c4d", 2, "Bookings", "Boekingen"),
    ("group-travel-3c4d5e6f", "customer-service-1a2b3c4d", 2, "Group travel", "Groepsreizen"),
    ("lost-property-4d5e6f70", "customer-service-1a2b3c4d", 2, "Lost property", "Gevonden voorwerpen"),
    ("food-and-drink-5e6f7081", ROOT, 1, "Food and drink", "Eten en drinken"),
    ("ports-6f708192", ROOT, 1, "Ports", "Havens"),
    ("boarding-708192a3", "ports-6f708192", 2, "Boarding", "Inschepen"),
    ("car-lanes-8192a3b4", "ports-6f708192", 2, "Car lanes", "Opstelstroken auto"),
    ("cycles-92a3b4c5", "ports-6f708192", 2, "Cycles and luggage", "Fietsen en bagage"),
    ("ships-a3b4c5d6", ROOT, 1, "Ships", "Schepen"),
    ("ameland-b4c5d6e7", "ships-a3b4c5d6", 2, "Ameland ferry", "Veer Ameland"),
    ("terschelling-c5d6e7f8", "ships-a3b4c5d6", 2, "Terschelling ferry", "Veer Terschelling"),
    ("texel-d6e7f809", "ships-a3b4c5d6", 2, "Texel ferry", "Veer Texel"),
    ("vlieland-e7f8091a", "ships-a3b4c5d6", 2, "Vlieland ferry", "Veer Vlieland"),
)
# promoters, passives, detractors of the leaves in September and October 2026
LEAVES: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "bookings-2b3c4d5e": ((205, 160, 52), (212, 158, 61)),
    "group-travel-3c4d5e6f": ((12, 10, 5), (14, 12, 6)),
    "lost-property-4d5e6f70": ((4, 5, 2), (6, 5, 2)),
    "food-and-drink-5e6f7081": ((397, 318, 103), (346, 366, 134)),
    "boarding-708192a3": ((318, 310, 73), (330, 302, 70)),
    "car-lanes-8192a3b4": ((170, 179, 48), (171, 176, 51)),
    "cycles-92a3b4c5": ((89, 82, 25), (119, 72, 15)),
    "ameland-b4c5d6e7": ((236, 211, 55), (253, 221, 38)),
    "terschelling-c5d6e7f8": ((357, 340, 91), (402, 316, 88)),
    "texel-d6e7f809": ((411, 350, 133), (466, 378, 66)),
    "vlieland-e7f8091a": ((122, 96, 21), (147, 83, 18)),
}
SUPPRESSED = {"group-travel-3c4d5e6f", "lost-property-4d5e6f70"}
Counts = tuple[int, int, int]


def metric(promoters: int, passives: int, detractors: int, **more: Any) -> Metric:
    """The organisation's figures, from its counts and whatever else is given."""
    n = promoters + passives + detractors
    nps = round(100 * (promoters - detractors) / n, 10)
    found = Metric("all", "Waddenlijn", None, 0, "2026-10", "published", n, 0, promoters, passives, detractors, nps)
    return replace(found, **more)


def interval(counts: Counts) -> tuple[float, float, float]:
    """NPS and its adjusted Wald interval, in points."""
    promoters, passives, detractors = counts
    n = promoters + passives + detractors
    p, d = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    half = Z * math.sqrt((p + d - (p - d) ** 2) / (n + 3))
    raw = (promoters - detractors) / n
    return tuple(round(100 * x, 10) for x in (raw, max(-1.0, p - d - half), min(1.0, p - d + half)))  # type: ignore[return-value]


def row(node: tuple[Any, ...], counts: Counts, *, wave: str, is_asked: bool, is_weighted: bool) -> dict[str, Any]:
    """One published promoter_metrics row; the questions after the score are answered alike everywhere."""
    n = sum(counts)
    found: dict[str, Any] = dict.fromkeys(METRICS)
    found |= {"survey": "passengers", "wave": wave, "department_id": node[0], "department": node[4]}
    found |= {"parent_id": node[1], "level": node[2], "status": "published", "responses": n, "missing_scores": n // 160}
    found |= {"promoters": counts[0], "passives": counts[1], "detractors": counts[2]}
    if n == 0:
        return found
    nps, low, high = interval(counts)
    found |= {"nps": nps, "nps_low": low, "nps_high": high}
    if is_weighted:
        found |= {"design_effect": 1.2049}
        found |= {"nps_weighted": nps - 0.7, "nps_weighted_low": low - 0.9, "nps_weighted_high": high - 0.5}
        found |= {"effective_responses": n * 0.83}
    if is_asked:
        sharing, influence = 0.62 - 3 / (n + 30), 0.57 - 4 / (n + 40)
        rate = counts[0] / n * sharing * influence
        half = Z * math.sqrt(max(rate * (1 - rate), 1e-4) / n)
        found |= {"superpromoters": round(rate * n), "superpromoter_rate": rate}
        found |= {"superpromoter_rate_low": max(0.0, rate - half), "superpromoter_rate_high": min(1.0, rate + half)}
        found |= {"sharing_rate": sharing, "influence_rate": influence, "antipromoter_rate": 0.021}
        found |= {"net_superpromoter": rate - 0.021, "told_known": counts[0] - n // 40}
        found |= {"told": round((counts[0] - n // 40) * sharing), "influence_known": round(counts[0] * sharing * 0.9)}
        for name, value in (("sharing_rate", sharing), ("influence_rate", influence)):
            found |= {f"{name}_low": value - 0.04, f"{name}_high": value + 0.04}
        found |= {"reach": 3.12, "reach_low": 2.87, "reach_high": 3.37, "conversion": 0.23}
        found |= {"conversion_low": 0.2, "conversion_high": 0.26}
        found |= {"recommendation_value": 24 * n, "recommendation_currency": "EUR"}
    return found


def suppressed(node: tuple[Any, ...], *, wave: str) -> dict[str, Any]:
    """One suppressed row: its name, and nothing else."""
    found: dict[str, Any] = dict.fromkeys(METRICS)
    found |= {"survey": "passengers", "wave": wave, "department_id": node[0], "department": node[4]}
    return found | {"parent_id": node[1], "level": node[2], "status": "suppressed"}


def with_change(now: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """A row with its change against the one before, where both are shown."""
    if before is None or before["nps"] is None or now["nps"] is None:
        return now
    change = now["nps"] - before["nps"]
    half = math.hypot(now["nps_high"] - now["nps"], before["nps_high"] - before["nps"])
    p_value = math.erfc(abs(change) / half * Z / math.sqrt(2))
    return now | {
        "previous_wave": before["wave"],
        "previous_release_id": "5f0e1d2c3b4a5968",
        "nps_change": change,
        "nps_change_low": change - half,
        "nps_change_high": change + half,
        "change_p_value": p_value,
        "is_change_significant": p_value < 0.02,
    }


def frame(rows: Sequence[dict[str, Any]], columns: Sequence[str] = METRICS) -> pd.DataFrame:
    """Rows as the warehouse hands them over, with nullable types."""
    return made(rows, columns)


def departments(nodes: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """The frame of departments with names in both languages."""
    rows = [
        {"department_id": n[0], "parent_id": n[1], "level": n[2], "path": (n[4],), "name_en": n[3], "name_nl": n[4]}
        for n in nodes
    ]
    return pd.DataFrame(rows)


def counts_of(nodes: Sequence[tuple[Any, ...]], leaves: Mapping[str, Counts]) -> dict[str, Counts]:
    """Every node's counts from those of the leaves."""
    totals = {node[0]: list(leaves.get(node[0], (0, 0, 0))) for node in nodes}
    for node in sorted(nodes, key=lambda node: -node[2]):
        if node[1] is not None:
            totals[node[1]] = [a + b for a, b in zip(totals[node[1]], totals[node[0]], strict=True)]
    return {key: (value[0], value[1], value[2]) for key, value in totals.items()}


def wave_rows(
    nodes: Sequence[tuple[Any, ...]],
    leaves: Mapping[str, Counts],
    *,
    wave: str,
    is_asked: bool = True,
    is_weighted: bool = True,
    hidden: set[str] | None = None,
) -> list[dict[str, Any]]:
    """One wave's rows in tree order."""
    counts = counts_of(nodes, leaves)
    return [
        suppressed(node, wave=wave)
        if node[0] in (SUPPRESSED if hidden is None else hidden)
        else row(node, counts[node[0]], wave=wave, is_asked=is_asked, is_weighted=is_weighted)
        for node in nodes
    ]


def highlights(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Who rose and who fell beyond chance, the organisation left out."""
    found = [
        {**row, "kind": "rose" if row["nps_change"] > 0 else "fell"}
        for row in rows
        if row["is_change_significant"] and row["parent_id"] is not None
    ]
    return frame(found, HIGHLIGHTS)


CHECKS: Sequence[tuple[Any, ...]] = (
    ("columns_are_mapped", "contract", "Every question has its column.", "Elke vraag heeft een kolom.", "passed", 0, 3),
    ("score_in_range", "rows", "Every score is on its scale.", "Elke score ligt op zijn schaal.", "passed", 43, 5178),
    ("department_is_text", "rows", "Departments are text.", "Afdelingen zijn tekst.", "passed", 0, 5178),
    ("wave_is_known", "rows", "The wave is known.", "De meting is bekend.", "passed", None, 5178),
    ("answers_agree", "batch", "Few contradictions.", "Weinig tegenspraak.", "passed", 19, 5104),
    ("response_volume", "batch", "As many as before.", "Zoveel als eerder.", "failed", 5104, 11020),
    ("departments_remain", "batch", "All are there again.", "Alle zijn er weer.", "passed", None, None),
)


def checks() -> pd.DataFrame:
    """What was checked, as it stands in the mart."""
    rows = [(name, kind, nl, "warning", *outcome) for name, kind, _, nl, *outcome in CHECKS]
    return frame([dict(zip(QUALITY, row, strict=True)) for row in rows], QUALITY)


def older(leaves: Mapping[str, Counts], by: float) -> dict[str, Counts]:
    """An earlier wave like this one, a little different."""
    return {key: (round(p * (1 + by)), q, max(0, round(d * (1 - by)))) for key, (p, q, d) in leaves.items()}


def ferry(
    *, is_asked: bool = True, is_weighted: bool = True, waves: int = 6, languages: tuple[str, ...] = ("en", "nl")
) -> Edition:
    """October 2026 at Waddenlijn; with `waves` of 1 the first wave."""
    before = {key: value[0] for key, value in LEAVES.items()}
    now = {key: value[1] for key, value in LEAVES.items()}
    make: Callable[..., list[dict[str, Any]]] = wave_rows
    earlier = [
        make(FERRY, older(before, 0.03 * math.sin(number)), wave=f"2026-{number:02d}", is_asked=is_asked)
        for number in range(11 - waves, 9)
    ]
    if waves > 1:
        earlier.append(make(FERRY, before, wave="2026-09", is_asked=is_asked))
    last = {item["department_id"]: item for item in earlier[-1]} if earlier else {}
    rows = [
        with_change(item, last.get(item["department_id"]))
        for item in make(FERRY, now, wave="2026-10", is_asked=is_asked, is_weighted=is_weighted)
    ]
    metrics, history = frame(rows), frame([item for wave in earlier for item in wave])
    return Edition(
        organisation="Waddenlijn",
        languages=languages,
        survey="passengers",
        titles={"en": "Passenger survey", "nl": "Reizigersonderzoek"},
        wave="2026-10",
        revision=1,
        reason=None,
        changes=(),
        definition="2026-1",
        told_min=1,
        min_respondents=10,
        metrics=metrics,
        departments=departments(FERRY),
        highlights=highlights(rows),
        quality=checks(),
        history=history,
        superpromoters_asked=is_asked,
        is_weighted=is_weighted,
        respondents={"en": "passengers", "nl": "reizigers"},
        check_words={name: {"en": en, "nl": nl} for name, _, en, nl, *_ in CHECKS},
        tables=tables(metrics, history, published=[node[0] for node in FERRY if node[0] not in SUPPRESSED]),
        drivers_asked=True,
        comments_asked=True,
        driver_labels=LABELS,
        driver_scale=(1, 5),
        margin=24.0,
    )


def airport() -> Edition:
    """SFO-like: one wave of one year, no questions about telling, default words, no weights."""
    nodes: list[tuple[Any, ...]] = [(ROOT, None, 0, "San Francisco Airport", "San Francisco Airport")]
    leaves: dict[str, Counts] = {}
    for number, area in enumerate("ABCDEFG"):
        key = f"{area.lower()}-0000000{number}"
        nodes.append((key, ROOT, 1, f"Boarding area {area}", f"Vertrekhal {area}"))
        leaves[key] = (90 + 40 * number, 60 + 20 * number, 20 + 9 * number)
    rows = wave_rows(nodes, leaves, wave="2017-05", is_asked=False, is_weighted=False, hidden=set())
    return replace(
        ferry(waves=1),
        organisation="San Francisco Airport",
        titles={"en": "Guest survey", "nl": "Gastenonderzoek"},
        wave="2017-05",
        metrics=frame(rows),
        departments=departments(nodes),
        highlights=frame([], HIGHLIGHTS),
        history=frame([]),
        superpromoters_asked=False,
        is_weighted=False,
        respondents=None,
        tables={},
        drivers_asked=False,
        comments_asked=False,
    )


def tree_of(nodes: Sequence[tuple[Any, ...]], leaves: Mapping[str, Counts]) -> Edition:
    """An edition of one wave over any tree."""
    rows = wave_rows(nodes, leaves, wave="2026-10", hidden=set())
    return replace(
        ferry(waves=1),
        metrics=frame(rows),
        departments=departments(nodes),
        highlights=frame([], HIGHLIGHTS),
        history=frame([]),
        tables={},
    )
