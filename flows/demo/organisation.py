"""Waddenlijn, a ferry company that does not exist: its departments, and what its passengers truly think of each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WAVES = ("2026-07", "2026-08", "2026-09", "2026-10")


@dataclass(frozen=True)
class Opinion:
    """The probabilities that answers are drawn with."""

    promoter: float
    detractor: float
    shares: float = 0.62  # of promoters: told at least one person
    influences: float = 0.57  # of those: someone acted, or copied the choice
    warns: float = 0.34  # of detractors
    deters: float = 0.45  # of those

    @property
    def nps(self) -> float:
        """True Net Promoter Score, in points."""
        return 100 * (self.promoter - self.detractor)


@dataclass(frozen=True)
class Department:
    """One node of the tree, with the answers that hang on it directly and what is true of them."""

    path: tuple[str, ...]
    english: str
    dutch: str
    answers: tuple[int, int, int, int]  # per wave
    opinion: Opinion
    october: Opinion | None = None  # where something happened in the last wave

    def truth(self, wave: str) -> Opinion:
        """What is true of the wave's own answers of this department."""
        return self.october if self.october and wave == WAVES[-1] else self.opinion


@dataclass(frozen=True)
class Ticket:
    """A kind of passenger: his share of all passengers, of those who answer, and by how much he differs."""

    name: str
    population: float
    sample: float
    shift: float  # of the promoter probability; half of it, mirrored, of the detractor probability

    @property
    def weight(self) -> float:
        """What one answer stands for."""
        return self.population / self.sample


# The shifts cancel over those who answer: unweighted figures recover a department's own probabilities.
TICKETS = (
    Ticket("eilander", population=0.25, sample=0.35, shift=0.04),
    Ticket("dagje uit", population=0.45, sample=0.28, shift=-0.05),
    Ticket("verblijf", population=0.30, sample=0.37, shift=0.0),
)

ORGANISATION = Department((), "Waddenlijn", "Waddenlijn", (18, 16, 21, 19), Opinion(0.44, 0.12))

# Texel got a new crew rota and Ports a hook for every bicycle: both rose in October. The caterer changed: that fell.
# Lost property is always too small to show, Group travel at first.
DEPARTMENTS = (
    Department(("Ships",), "Ships", "Schepen", (26, 24, 31, 27), Opinion(0.46, 0.11)),
    Department(("Ships", "Ameland"), "Ameland ferry", "Veer Ameland", (520, 540, 505, 512), Opinion(0.5, 0.09)),
    Department(
        ("Ships", "Terschelling"), "Terschelling ferry", "Veer Terschelling", (830, 850, 810, 806), Opinion(0.49, 0.1)
    ),
    Department(
        ("Ships", "Texel"),
        "Texel ferry",
        "Veer Texel",
        (1000, 1020, 930, 910),
        Opinion(0.42, 0.12),
        Opinion(0.56, 0.09, shares=0.68, influences=0.63),
    ),
    Department(("Ships", "Vlieland"), "Vlieland ferry", "Veer Vlieland", (255, 260, 240, 248), Opinion(0.57, 0.06)),
    Department(("Ports",), "Ports", "Havens", (0, 0, 0, 0), Opinion(0.46, 0.11)),
    Department(("Ports", "Boarding"), "Boarding", "Inschepen", (690, 700, 695, 702), Opinion(0.47, 0.1)),
    Department(("Ports", "Car lanes"), "Car lanes", "Opstelstroken auto", (405, 410, 390, 398), Opinion(0.43, 0.13)),
    Department(
        ("Ports", "Cycles and luggage"),
        "Cycles and luggage",
        "Fietsen en bagage",
        (270, 280, 262, 268),
        Opinion(0.44, 0.12),
        Opinion(0.64, 0.07, shares=0.7, influences=0.6),
    ),
    Department(
        ("Customer service",), "Customer service", "Klantenservice", (34, 31, 33, 36), Opinion(0.41, 0.15, shares=0.5)
    ),
    Department(
        ("Customer service", "Bookings"),
        "Bookings",
        "Boekingen",
        (430, 425, 420, 431),
        Opinion(0.46, 0.11, shares=0.55),
    ),
    Department(
        ("Customer service", "Group travel"), "Group travel", "Groepsreizen", (6, 8, 24, 29), Opinion(0.5, 0.15)
    ),
    Department(
        ("Customer service", "Lost property"),
        "Lost property",
        "Gevonden voorwerpen",
        (5, 7, 4, 6),
        Opinion(0.35, 0.25),
    ),
    Department(
        ("Food and drink",),
        "Food and drink",
        "Eten en drinken",
        (810, 815, 830, 846),
        Opinion(0.46, 0.11, shares=0.5, influences=0.45),
        Opinion(0.35, 0.17, shares=0.5, influences=0.45, warns=0.42),
    ),
)

RISING = (("Ships", "Texel"), ("Ports", "Cycles and luggage"))
FALLING = (("Food and drink",),)


def true_values() -> "pd.DataFrame":
    """One row per wave × department: what was drawn with; an inner node's figures are those of its cells, by size."""
    import pandas as pd

    nodes = (ORGANISATION, *DEPARTMENTS)
    return pd.DataFrame([_true_row(node, wave) for wave in WAVES for node in nodes])


def _true_row(node: Department, wave: str) -> dict[str, object]:
    cells = [cell for cell in (ORGANISATION, *DEPARTMENTS) if cell.path[: len(node.path)] == node.path]
    sized = [(cell.answers[WAVES.index(wave)], cell.truth(wave)) for cell in cells]
    answers = sum(size for size, _ in sized)
    promoter = sum(size * o.promoter for size, o in sized) / answers
    detractor = sum(size * o.detractor for size, o in sized) / answers
    sharing = sum(size * o.promoter * o.shares for size, o in sized) / answers
    superpromoter = sum(size * o.promoter * o.shares * o.influences for size, o in sized) / answers
    antipromoter = sum(size * o.detractor * o.warns * o.deters for size, o in sized) / answers
    return {
        "wave": wave,
        "path": node.path,
        "department": node.english,
        "answers": answers,
        "promoter_rate": promoter,
        "passive_rate": 1 - promoter - detractor,
        "detractor_rate": detractor,
        "nps": 100 * (promoter - detractor),
        "nps_weighted": 100 * (promoter - detractor + 1.5 * sum(t.population * t.shift for t in TICKETS)),
        "sharing_rate": sharing / promoter,
        "influence_rate": superpromoter / sharing,
        "superpromoter_rate": superpromoter,
        "antipromoter_rate": antipromoter,
        "net_superpromoter": superpromoter - antipromoter,
    }
