"""What goes wrong in real exports, put in on purpose: rows that checks must catch, and text that must do no harm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.demo.answers import Answer
from flows.demo.organisation import WAVES

LARGE = ("Texel", "Terschelling", "Boarding")  # only their answers are touched: the small groups stay as they are
INTRUDER = ("Customer service", "../../etc/passwd")  # a department that three people have in July, and nobody knows
INTRUDER_WAVE = WAVES[0]
INTRUDER_ANSWERS = 3
DOUBLED = 5  # answers per wave that the export holds twice
TWICE = 30  # passengers per wave who answer for the way there and for the way back
CONTRADICTORY = 6  # passengers per wave who say that people came along although they told nobody


@dataclass(frozen=True)
class Fault:
    """One kind of broken row: what stands where, how often, and the checks that it fails."""

    column: str
    value: Any
    rules: tuple[str, ...]
    count: int = 3  # in each wave


FAULTS = (
    Fault("aanbeveling", 11, ("score_in_range",), 4),
    Fault("aanbeveling", -1, ("score_in_range",), 2),
    Fault("aanbeveling", "elf", ("score_is_readable",)),
    Fault("ingevuld_op", "", ("wave_is_known",), 4),
    Fault("ingevuld_op", "gisteren", ("responded_at_is_readable", "wave_is_known"), 2),
    Fault("ingevuld_op", "2026-02-30 10:15", ("responded_at_is_readable", "wave_is_known")),
    Fault("ingevuld_op", "2062-07-14 10:15", ("responded_at_is_past",)),
    Fault("gewicht", -0.8, ("weight_in_range",), 4),
    Fault("gewicht", "n.v.t.", ("weight_is_readable",), 2),
    Fault("verteld", "heel vaak", ("told_count_is_readable",), 2),
    Fault("meegekomen", -2, ("counts_are_not_negative",), 2),
    Fault("meegekomen", "een paar", ("acted_count_is_readable",), 2),
)

# Accepted like any other answer: text is data, whatever it says.
HOSTILE: Sequence[tuple[str, str]] = (
    ("toelichting", "<script>document.title = 'overgenomen'</script>"),
    ("toelichting", '"><img src=x onerror=alert(1)>'),
    ("toelichting", "=cmd|' /C calc'!A0"),
    ("toelichting", "+31 6 12345678"),
    ("toelichting", "'; drop table responses; --"),
    ("toelichting", "{{ 7 * 7 }} {% include '/etc/passwd' %} ${HOME}"),
    ("klant", "'; drop table responses; --"),
    ("klant", "../../etc/shadow"),
    ("kaartsoort", "=cmd|' /C calc'!A0"),
)
UNICODE: Sequence[tuple[str, str]] = (
    ("toelichting", "رحلة جميلة، شكرا للطاقم"),
    ("toelichting", "gnp.exe\u202egpj.foto \u200b\ufeff onzichtbaar"),
    ("toelichting", "👩‍👩‍👧‍👦⛴️ " + "n\u0308" * 40),
)
TEXT_FILE_FAULTS = (Fault("afdeling", "Tex\x00el", ("department_is_text",), 1),)
TEXT_FILE_REMARKS: Sequence[tuple[str, str]] = (
    ("toelichting", "Er stond een \x00 in mijn antwoord."),
    ("toelichting", ("Advies: neem de fiets. " * 5_000).strip()),  # 115 kB in one cell
)


def spoil(answers: Sequence[Answer], *, wave: str, is_text: bool, is_unicode: bool) -> list[Answer]:
    """One wave as its export holds it: broken rows, hostile text, people who answer twice, doubled rows."""
    rng = np.random.default_rng([2026, 200 + WAVES.index(wave)])
    rows = [dict(answer) for answer in answers]
    large = [i for i, row in enumerate(rows) if row["afdeling"] in LARGE]
    victims = iter([rows[large[i]] for i in rng.permutation(len(large))])
    for fault in faults(is_text=is_text):
        for _ in range(fault.count):
            next(victims)[fault.column] = fault.value
    for column, text in (*HOSTILE, *(UNICODE if is_unicode else ()), *(TEXT_FILE_REMARKS if is_text else ())):
        next(victims)[column] = text
    for _ in range(CONTRADICTORY):
        next(victims).update(verteld="niemand", meegekomen=2)
    for _ in range(INTRUDER_ANSWERS if wave == INTRUDER_WAVE else 0):
        next(victims).update(zip(("onderdeel", "afdeling"), INTRUDER, strict=True))
    for _ in range(TWICE):
        next(victims)["klant"] = next(victims)["klant"]
    return rows + [dict(next(victims)) for _ in range(DOUBLED)]


def faults(*, is_text: bool) -> Sequence[Fault]:
    """The broken rows of one export; a NUL byte can only stand in a text file."""
    return (*FAULTS, *TEXT_FILE_FAULTS) if is_text else FAULTS
