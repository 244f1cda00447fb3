"""The signature picture: of 100 respondents so many promoters, so many told others, so many had effect, as dots."""

from dataclasses import dataclass

from transforms.report.figures import Carried

ROWS = 4  # dots are filled by column, so that the first dots are the same people all the way down
LETTER = 8.7  # an upper estimate of a letter's width in the bold labels, in px
GAP = 14


@dataclass(frozen=True)
class Size:
    """The measures of one of the two drawings, in px."""

    name: str
    width: int
    pitch: float
    first_y: float  # of the first row of dots
    step_y: float  # of the second step's first row
    step: float  # from there on to the next
    is_beside: bool  # numbers stand at the end of each step, or above it


WIDE = Size("w", 736, 19.0, 35.5, 147.5, 112.0, is_beside=True)
NARROW = Size("n", 340, 13.4, 60.7, 202.0, 129.5, is_beside=False)


@dataclass(frozen=True)
class Dots:
    """Dots of one kind, by the marker that draws them."""

    kind: str
    points: str


@dataclass(frozen=True)
class Label:
    """A category's name above its dots."""

    kind: str
    text: str
    x: float


@dataclass(frozen=True)
class Step:
    """One row of the picture: its dots, and where its number stands."""

    dots: tuple[Dots, ...]
    number: str
    what: str
    note: str
    range: str
    text_x: float
    text_y: float


@dataclass(frozen=True)
class Picture:
    """Everything that the template draws, placed."""

    size: Size
    height: float
    labels: tuple[Label, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Texts:
    """The picture's words: of the three kinds, and (number, what, note, interval) of each step."""

    kinds: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str, str, str], ...]


def picture(carried: Carried, texts: Texts, size: Size) -> Picture:
    """The drawing in one size; steps that cannot be told are left out."""
    first = (("pro", carried.promoters), ("pas", carried.passives), ("det", carried.detractors))
    steps = [_step(first, texts.steps[0], size, 0), _step((("pro", carried.promoters),), texts.steps[1], size, 1)]
    if carried.told is not None and carried.had_effect is not None:
        steps.append(_step((("told", carried.told),), texts.steps[2], size, 2))
        steps.append(_step((("effect", carried.had_effect),), texts.steps[3], size, 3))
    height = size.step_y + size.step * (len(steps) - 2) + size.pitch * ROWS - size.pitch / 2 + 2
    return Picture(size, height, _labels(carried, texts, size), tuple(steps))


def _step(kinds: tuple[tuple[str, int], ...], text: tuple[str, str, str, str], size: Size, index: int) -> Step:
    top = size.first_y if index == 0 else size.step_y + size.step * (index - 1)
    dots, start = [], 0
    for kind, count in kinds:
        if count:
            dots.append(Dots(kind, " ".join(_place(start + i, top, size.pitch) for i in range(count))))
        start += count
    columns = -(-start // ROWS)
    if size.is_beside:
        x, y = (columns * size.pitch + 20 if columns else 0), top + size.pitch * 1.5
    else:
        x, y = 0.0, (24.0 if index == 0 else top - 40.0)
    return Step(tuple(dots), *text, text_x=round(x, 1), text_y=round(y, 1))


def _place(index: int, top: float, pitch: float) -> str:
    column, row = divmod(index, ROWS)
    return f"{pitch / 2 + column * pitch:.4g},{top + row * pitch:.4g}"


def _labels(carried: Carried, texts: Texts, size: Size) -> tuple[Label, ...]:
    counts = {"pro": carried.promoters, "pas": carried.passives, "det": carried.detractors}
    found, end, start = [], 0.0, 0
    for kind, text in texts.kinds:
        if counts[kind]:
            x = max(start // ROWS * size.pitch, end)
            found.append(Label(kind, text, x))
            end = x + _width(text)
        start += counts[kind]
    placed, right = [], float(size.width) + GAP
    for label in reversed(found):  # none may stand beyond the right edge, or in the next one
        if size.is_beside or label.kind != "det":  # on a phone the detractors' label stands below the dots
            right = min(label.x, right - _width(label.text))
        placed.append(Label(label.kind, label.text, round(max(0.0, right), 1)))
    return tuple(reversed(placed))


def _width(text: str) -> float:
    return LETTER * len(text) + GAP
