"""The funnel: every lowest department by its answers and its NPS, between the limits that chance and habit set."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scipy.special import ndtri

from transforms import comparisons
from transforms.report.figures import rounded

INNER, OUTER = (float(ndtri((1 + share) / 2)) for share in (comparisons.INNER, comparisons.OUTER))
LETTER = 8.8  # an upper estimate of a letter's width, in px
LINE = 16.0
LONGEST = 26  # letters of a name in the picture
STEPS = 24  # points along each limit
BARELY = 30.0  # px² that a name may stand in another thing's way
AROUND = (  # where a name may stand, from its dot
    *((9, 5, "start"), (-9, 5, "end"), (0, -10, "middle"), (0, 20, "middle")),
    *((7, -8, "start"), (-7, -8, "end"), (7, 18, "start"), (-7, 18, "end")),
)


@dataclass(frozen=True)
class Size:
    """The measures of one of the two drawings, in px."""

    name: str
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    ticks: int  # on the axis of answers, at most
    is_beside: bool  # the limits' names stand right of the picture, or in it


WIDE = Size("w", 736, 410, 30, 624, 26, 366, 5, is_beside=True)
NARROW = Size("n", 340, 330, 26, 332, 26, 286, 4, is_beside=False)


@dataclass(frozen=True)
class Place:
    """One department in the funnel."""

    name: str
    responses: int
    nps: float
    is_outside: bool


@dataclass(frozen=True)
class Limits:
    """What the limits are made of, in points: centre ± z·√(answer²/n + between²)."""

    centre: float
    answer: float
    between: float

    def at(self, n: float, z: float) -> tuple[float, float]:
        """The limits for a department with n answers."""
        margin = z * math.sqrt(self.answer**2 / n + self.between**2)
        return max(-100.0, self.centre - margin), min(100.0, self.centre + margin)


@dataclass(frozen=True)
class Tag:
    """A word in the picture."""

    text: str
    x: float
    y: float
    anchor: str = "start"
    is_strong: bool = False


@dataclass(frozen=True)
class Funnel:
    """Everything that the template draws, placed."""

    size: Size
    outer: str  # points of the wider funnel's surface, and of the edges that lie within the picture
    outer_edges: tuple[str, ...]
    inner: str
    inner_edges: tuple[str, ...]
    centre: float
    zero: float | None
    inside: str
    outside: str
    names: tuple[Tag, ...]
    limits: tuple[Tag, ...]
    across: tuple[tuple[float, str, str], ...]  # x, label, anchor
    up: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Texts:
    """The picture's words, in one language."""

    outer: str
    inner: str
    together: str
    numbers: dict[int, str] = field(default_factory=dict)  # of the axes


@dataclass(frozen=True)
class Frame:
    """The two scales: answers across, points up."""

    size: Size
    most: int
    low: int
    high: int

    def x(self, n: float) -> float:
        """Where so many answers stand."""
        return round(self.size.left + (self.size.right - self.size.left) * n / self.most, 1)

    def y(self, points: float) -> float:
        """Where so many points stand; what lies outside the picture stands on its edge."""
        share = (min(max(points, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.size.bottom - (self.size.bottom - self.size.top) * share, 1)


def framed(places: Sequence[Place], limits: Limits, size: Size) -> Frame:
    """Scales that hold every department and its inner limits; 0 points where they come near it."""
    inner = [end for place in places for end in limits.at(place.responses, INNER)]
    ends = [*inner, *(place.nps for place in places)]
    low = max(-100, 20 * math.floor(min(ends) / 20))
    high = min(100, 20 * math.ceil((max(ends) + 4) / 20))
    return Frame(size, _most(max(place.responses for place in places), size.ticks), min(low, 0), max(high, 20))


def _step(most: float, ticks: int) -> int:
    raw = max(1.0, most / ticks)
    power = 10 ** math.floor(math.log10(raw))
    return int(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw and (m * power) % 1 == 0))


def _most(largest: int, ticks: int) -> int:
    step = _step(largest * 1.04, ticks)
    return step * math.ceil(largest * 1.04 / step)


def axis(frame: Frame) -> tuple[list[int], list[int]]:
    """The numbers that the two axes name."""
    step = _step(frame.most, frame.size.ticks)
    span = 20 if frame.high - frame.low <= 120 else 50
    first = span * math.ceil(frame.low / span)
    return list(range(step, frame.most + 1, step)), list(range(first, frame.high + 1, span))


def funnel(
    places: Sequence[Place], limits: Limits, size: Size, texts: Texts, *, named: Iterable[int], frame: Frame
) -> Funnel:
    """The drawing in one size; `named` are the departments whose names it has, where there is room."""
    outer, inner = (_surface(frame, limits, z) for z in (OUTER, INNER))
    across, up = axis(frame)
    dots = [(frame.x(place.responses), frame.y(place.nps)) for place in places]
    limit_tags = _limit_tags(frame, limits, texts, dots)
    return Funnel(
        size=size,
        outer=outer[0],
        outer_edges=outer[1],
        inner=inner[0],
        inner_edges=inner[1],
        centre=frame.y(limits.centre),
        zero=frame.y(0) if frame.low <= 0 <= frame.high else None,
        inside=_points(dot for dot, place in zip(dots, places, strict=True) if not place.is_outside),
        outside=_points(dot for dot, place in zip(dots, places, strict=True) if place.is_outside),
        names=tuple(_names(places, dots, size, list(named), taken=[] if size.is_beside else limit_tags)),
        limits=tuple(limit_tags),
        across=tuple(
            (frame.x(n), texts.numbers[n], "end" if n == frame.most and not size.is_beside else "middle")
            for n in across
        ),
        up=tuple((frame.y(points), texts.numbers[points]) for points in up),
    )


def _points(dots: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in dots)


def _surface(frame: Frame, limits: Limits, z: float) -> tuple[str, tuple[str, ...]]:
    """The funnel's surface, and its two edges where they lie within the picture."""
    first = frame.most / 60
    ns = [first * (frame.most / first) ** (i / STEPS) for i in range(STEPS + 1)]
    ends = [(n, *limits.at(n, z)) for n in ns]
    above = [(frame.x(n), frame.y(high)) for n, _, high in ends]
    below = [(frame.x(n), frame.y(low)) for n, low, _ in ends]
    edges = (
        _points(dot for dot, end in zip(above, ends, strict=True) if end[2] < frame.high),
        _points(dot for dot, end in zip(below, ends, strict=True) if end[1] > frame.low),
    )
    return _points([*above, *reversed(below)]), tuple(edge for edge in edges if edge.count(",") > 1)


def _limit_tags(frame: Frame, limits: Limits, texts: Texts, dots: Sequence[tuple[float, float]]) -> list[Tag]:
    """What each line means: at its right end, or in a narrow picture above it, where no dot is."""

    def lines(n: float) -> tuple[float, float, float]:
        return frame.y(limits.at(n, OUTER)[1]), frame.y(limits.at(n, INNER)[1]), frame.y(limits.centre)

    found: list[Tag] = []
    for place, text in enumerate((texts.outer, texts.inner, texts.together)):
        if frame.size.is_beside:
            at = max(lines(frame.most)[place] + 4, found[-1].y + LINE if found else 0)
            found.append(Tag(text, frame.size.right + 8, round(at, 1)))
            continue
        tags = [
            Tag(text, frame.x(frame.most * share) - 2, round(lines(frame.most * share)[place] - 4, 1), "end")
            for share in (1.0, 0.85, 0.7, 0.55)
        ]
        boxes = [*(_mark(dot) for dot in dots), *(_box(tag) for tag in found)]
        free = [
            tag for tag in tags if not any(_overlap(_box(tag), box) for box in boxes) and tag.y > frame.size.top + 8
        ]
        found.extend(free[:1])
    return found


Box = tuple[float, float, float, float]


def _names(
    places: Sequence[Place], dots: Sequence[tuple[float, float]], size: Size, named: Sequence[int], *, taken: list[Tag]
) -> Iterable[Tag]:
    """Names where they stand least in the way of dots and of each other; one inside the funnel may be left out."""
    boxes = [_box(tag) for tag in taken]
    marks = [_mark(dot) for dot in dots]
    for index in sorted(named, key=lambda index: (not places[index].is_outside, -len(places[index].name), index)):
        x, y = dots[index]
        others = [*boxes, *(mark for other, mark in enumerate(marks) if other != index)]
        place = places[index]
        tags = [
            Tag(_shortened(place.name), round(x + dx, 1), round(y + dy, 1), anchor, place.is_outside)
            for dx, dy, anchor in AROUND
        ]
        costs = [sum(_overlap(_box(tag), other) for other in others) + _beyond(_box(tag), size) for tag in tags]
        least = min(range(len(tags)), key=lambda i: costs[i])
        if place.is_outside or costs[least] < BARELY:
            tag = _within(tags[least], size)
            boxes.append(_box(tag))
            yield tag


def _mark(dot: tuple[float, float]) -> Box:
    return dot[0] - 6, dot[1] - 6, dot[0] + 6, dot[1] + 6


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip() + "…"


def _width(tag: Tag) -> float:
    return LETTER * len(tag.text) * (1.08 if tag.is_strong else 1.0)


def _box(tag: Tag) -> Box:
    width = _width(tag)
    left = tag.x - (width if tag.anchor == "end" else width / 2 if tag.anchor == "middle" else 0)
    return left, tag.y - 12, left + width, tag.y + 4


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return across * up if across > 0 and up > 0 else 0.0


def _beyond(box: Box, size: Size) -> float:
    left, top, right, bottom = box
    return 1000 * sum(
        max(0.0, by) for by in (size.left - left, right - size.right, size.top - top, bottom - size.bottom)
    )


def _within(tag: Tag, size: Size) -> Tag:
    """A name that must be told and fits nowhere, moved into the picture."""
    left, _, right, _ = _box(tag)
    by = max(0.0, -left) - max(0.0, right - size.width)
    return Tag(tag.text, float(rounded(tag.x + by, 1)), tag.y, tag.anchor, tag.is_strong)
