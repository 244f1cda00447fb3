"""How many answers an NPS takes to be as sure as is asked for."""

import math

Z = 1.959963984540054


def responses_needed(promoters: int, passives: int, detractors: int, *, margin: float) -> int:
    """The answers, in the shares of these, whose NPS is known to `margin` points either way, at 95 %; rounded up.

    n = V·z²/m² − 3, with V = p + d − (p − d)² of one answer and m on the scale −1…1: the adjusted Wald interval adds
    three answers (Rocks 2016). `margin` is in points, above 0. Where all answers are alike, V is 0, and so is n.
    """
    n = promoters + passives + detractors
    p, d = promoters / n, detractors / n
    return max(0, math.ceil((p + d - (p - d) ** 2) * (Z * 100 / margin) ** 2 - 3))
