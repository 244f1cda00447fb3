"""Draws answers from what is true of each department; the same seed gives the same answers."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.demo.organisation import DEPARTMENTS, ORGANISATION, TICKETS, WAVES, Department, Opinion
from flows.demo.ratings import ASPECTS, rate
from flows.demo.remarks import REMARKS
from flows.demo.themes import remark

Answer = dict[str, Any]  # column → what stands there; '' where nothing was answered
Column = list[Any]

COLUMNS = (
    "antwoord",  # response id
    "klant",  # respondent id
    "ingevuld_op",
    "onderdeel",  # department, first level
    "afdeling",  # department, second level
    "kaartsoort",
    "gewicht",
    "aanbeveling",  # score; 99 = "weet niet"
    "verteld",
    "meegekomen",  # of those told, how many came along
    "nagedaan",  # someone copied the choice unasked
    "gewaarschuwd",
    "afgehaakt",  # of those warned, how many stayed away
    *(aspect.column for aspect in ASPECTS),  # ratings
    "toelichting",
    "taal",
)
BANDS = (("1-3", 1, 0.55), ("4-7", 4, 0.3), ("8 of meer", 8, 0.15))  # text, people at least, share of those who told
RETURNING = 0.5  # of a department's answers: by who answered for it in the wave before
AGREEING = 0.8  # of those: think as they did
OWN_REMARKS = 0.2  # of the remarks
SCORES = {
    "promoter": ((9, 0.45), (10, 0.55)),
    "passive": ((7, 0.4), (8, 0.6)),
    "detractor": ((6, 0.42), (5, 0.24), (4, 0.12), (3, 0.09), (2, 0.05), (1, 0.03), (0, 0.05)),
}


@dataclass(frozen=True)
class Passengers:
    """Who answers in a wave, in the order of answering: respondent, department, and his luck, which makes his kind."""

    customers: list[int]
    cells: list[Department]
    luck: NDArray[np.float64]


def draw_wave(wave: str) -> list[Answer]:
    """All answers of one wave in the order in which they came, before anything breaks."""
    _, _, rng = _sampled(wave)
    who = _passengers(wave)
    return _draw(who.cells, wave=wave, customers=who.customers, first_id=1, rng=rng, luck=who.luck)


def _sampled(wave: str) -> tuple[list[int], list[Department], np.random.Generator]:
    number = WAVES.index(wave)
    cells = [cell for cell in (ORGANISATION, *DEPARTMENTS) for _ in range(cell.answers[number])]
    rng = np.random.default_rng([2026, number])
    customers = (100_000 + rng.permutation(40_000)[: len(cells)]).tolist()
    return customers, [cells[i] for i in rng.permutation(len(cells))], rng


@cache
def _passengers(wave: str) -> Passengers:
    """Half of who answered for a department may do so again in the next wave, and mostly think as they did.

    Their luck is as evenly spread as everyone's: each wave by itself is drawn from what is true of it.
    """
    customers, cells, rng = _sampled(wave)
    rng.random(len(cells))  # the tickets'
    luck, number = rng.random(len(cells)), WAVES.index(wave)
    if number == 0:
        return Passengers(customers, cells, luck)
    before, again = _passengers(WAVES[number - 1]), np.random.default_rng([2026, 300 + number])
    known: dict[tuple[str, ...], list[int]] = {}
    for i in again.permutation(len(before.cells)).tolist():
        known.setdefault(before.cells[i].path, []).append(i)
    place = {customer: i for i, customer in enumerate(customers)}
    for i, (returns, agrees) in enumerate(again.random((len(cells), 2)).tolist()):
        if returns < RETURNING and known.get(cells[i].path):
            one = known[cells[i].path].pop()
            _exchange(customers, place, i, before.customers[one])
            luck[i] = before.luck[one] if agrees < AGREEING else luck[i]
    return Passengers(customers, cells, luck)


def _exchange(customers: list[int], place: dict[int, int], i: int, customer: int) -> None:
    """Have this customer give answer i; where he gives another already, that is the other's: nobody is there twice."""
    former, other = customers[i], place.pop(customer, i)
    customers[other], customers[i] = former, customer
    place.pop(former, None)
    place.update({customers[other]: other, customer: i})


def draw_late(wave: str, counts: Sequence[tuple[tuple[str, ...], int]]) -> list[Answer]:
    """Answers to a closed wave that came in afterwards, from people who had not answered it yet."""
    by_path = {cell.path: cell for cell in DEPARTMENTS}
    cells = [by_path[path] for path, count in counts for _ in range(count)]
    rng = np.random.default_rng([2026, 100 + WAVES.index(wave)])
    return _draw(cells, wave=wave, customers=range(150_000, 150_000 + len(cells)), first_id=90_001, rng=rng)


def _draw(
    cells: Sequence[Department],
    *,
    wave: str,
    customers: Sequence[int],
    first_id: int,
    rng: np.random.Generator,
    luck: NDArray[np.float64] | None = None,
) -> list[Answer]:
    opinions = [cell.truth(wave) for cell in cells]
    size = len(cells)
    tickets = [TICKETS[i] for i in _choose([ticket.sample for ticket in TICKETS], rng.random(size))]
    shifts = np.array([ticket.shift for ticket in tickets])
    own = rng.random(size)
    kinds = _kinds(opinions, shifts, own if luck is None else luck)
    stretch = (0.85 + 0.3 * rng.random(size)).tolist()
    languages = ["en" if u < 0.2 else "nl" for u in rng.random(size)]
    columns: dict[str, Column] = {
        "antwoord": [f"{wave[2:4]}{wave[5:]}-{first_id + i:05d}" for i in range(size)],
        "klant": [f"WL-{customer}" for customer in customers],
        "ingevuld_op": _moments(wave, rng.random(size)),
        "onderdeel": [cell.path[0] if cell.path else "" for cell in cells],
        "afdeling": [cell.path[1] if len(cell.path) > 1 else "" for cell in cells],
        "kaartsoort": [ticket.name for ticket in tickets],
        "gewicht": [round(ticket.weight * s, 4) for ticket, s in zip(tickets, stretch, strict=True)],
        "aanbeveling": (scores := _scores(kinds, rng.random(size), rng.random(size))),
        **_telling(kinds, opinions, rng.random((5, size))),
        **_warning(kinds, opinions, rng.random((3, size))),
        **rate(scores, np.random.default_rng([2026, 500 + WAVES.index(wave), first_id])),
        "toelichting": _remarks(
            cells,
            kinds,
            languages,
            draws=rng.random((2, size)),
            more=np.random.default_rng([2026, 700 + WAVES.index(wave), first_id]).random((4, size)),
        ),
        "taal": list(languages),
    }
    assert tuple(columns) == COLUMNS, "the drawn columns are the columns of the files, in their order"
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def true_scores(promoter: float, detractor: float) -> dict[int, float]:
    """The probability of each score where these are the true rates."""
    rates = {"promoter": promoter, "passive": 1 - promoter - detractor, "detractor": detractor}
    return {score: rates[kind] * share for kind, scores in SCORES.items() for score, share in scores}


def _choose(shares: Sequence[float], draws: NDArray[np.float64]) -> list[int]:
    return [min(int(i), len(shares) - 1) for i in np.searchsorted(np.cumsum(shares), draws, side="right")]


def _kinds(opinions: Sequence[Opinion], shifts: NDArray[np.float64], draws: NDArray[np.float64]) -> list[str]:
    promoters = np.array([opinion.promoter for opinion in opinions]) + shifts
    detractors = np.array([opinion.detractor for opinion in opinions]) - shifts / 2
    kinds = np.select([draws < promoters, draws >= 1 - detractors], ["promoter", "detractor"], "passive")
    return [str(kind) for kind in kinds]


def _moments(wave: str, draws: NDArray[np.float64]) -> Column:
    """Local times by day, in the order of time: answers come in on every day of the month, between 6 and 22 hours."""
    year, month = int(wave[:4]), int(wave[5:])
    days = calendar.monthrange(year, month)[1]
    minutes = np.sort(np.floor(draws * days * 16 * 60)).astype(int).tolist()
    first = datetime(year, month, 1, 6)  # noqa: DTZ001 (as the survey platform exports it: local, without a zone)
    times = [first + timedelta(days=m // 960, minutes=m % 960) for m in minutes]
    return [time.isoformat(sep=" ", timespec="minutes") for time in times]


def _scores(kinds: Sequence[str], draws: NDArray[np.float64], missing: NDArray[np.float64]) -> Column:
    """A score of its kind; one in fifty says "weet niet" (99) or leaves it open."""
    by_kind = {kind: _choose([share for _, share in scores], draws) for kind, scores in SCORES.items()}
    scores: Column = [SCORES[kind][by_kind[kind][i]][0] for i, kind in enumerate(kinds)]
    return [99 if m < 0.012 else "" if m < 0.02 else score for score, m in zip(scores, missing.tolist(), strict=True)]


def _telling(kinds: Sequence[str], opinions: Sequence[Opinion], draws: NDArray[np.float64]) -> dict[str, Column]:
    """Told, acted and copied; the page about effect is skipped whole, so what is missing there hangs on no answer."""
    told: Column = []
    acted: Column = []
    copied: Column = []
    bands = _choose([share for _, _, share in BANDS], draws[1])
    for i, (kind, opinion) in enumerate(zip(kinds, opinions, strict=True)):
        skips, extent = draws[2, i], draws[4, i]
        band, people, _ = BANDS[bands[i]]
        asked = kind != "detractor" and skips >= 0.025
        tells = asked and draws[0, i] < (opinion.shares if kind == "promoter" else 0.18)
        works = draws[3, i] < opinion.influences
        told.append(band if tells else "niemand" if asked else "weet niet" if skips < 0.01 else "")
        answers = tells and skips >= 0.06
        acted.append("" if not answers else 1 + int(extent * people) if works and extent < 0.8 else 0)
        copied.append("" if not answers else "ja" if works and not 0.3 <= extent < 0.8 else "nee")
    return {"verteld": told, "meegekomen": acted, "nagedaan": copied}


def _warning(kinds: Sequence[str], opinions: Sequence[Opinion], draws: NDArray[np.float64]) -> dict[str, Column]:
    """The mirror, asked of detractors only."""
    warned: Column = []
    deterred: Column = []
    for i, (kind, opinion) in enumerate(zip(kinds, opinions, strict=True)):
        asked = kind == "detractor" and draws[2, i] >= 0.04
        some = asked and draws[0, i] < opinion.warns
        warned.append("" if not asked else "1-3" if some else "niemand")
        deterred.append("" if not some or draws[2, i] < 0.08 else int(draws[1, i] < opinion.deters))
    return {"gewaarschuwd": warned, "afgehaakt": deterred}


def _remarks(
    cells: Sequence[Department],
    kinds: Sequence[str],
    languages: Sequence[str],
    *,
    draws: NDArray[np.float64],
    more: NDArray[np.float64],
) -> Column:
    """Three in ten write something: one in five of those a remark that stands by itself, the others about a theme."""
    remarks: Column = []
    for cell, kind, language, (writes, which), about in zip(
        cells, kinds, languages, draws.T.tolist(), more.T.tolist(), strict=True
    ):
        texts = REMARKS[language][kind]
        is_own = which < OWN_REMARKS
        said = texts[int(which / OWN_REMARKS * len(texts))] if is_own else remark(kind, language, cell.path, about)
        remarks.append(said if writes < 0.3 else "")
    return remarks
