"""The least-loss pattern of one tree: which rows are hidden so that no small group can be computed by subtraction.

Exact, by dynamic programming from the leaves up. Each subtree offers its parent options: what it hands up (how many
respondents, capped at the threshold, and of which classes) at which least loss. Plain integers and dictionaries, and
no recursion: a tree may be 20,000 nodes wide or thousands of levels deep.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms import TransformError

Classes = tuple[int, int, int]  # promoters, passives, detractors

NOTHING = -1  # the code of a residual without any answer
_KINDS = 5  # no class, one of three, or several: once there are two classes, which ones no longer matters
_SEVERAL = 4

Option = tuple[int, int, int]  # least loss; the codes it was merged from: what came before, and the child's


@dataclass(frozen=True, slots=True)
class Node:
    """One department: its respondents by class, its answers (never fewer), and what hiding it loses."""

    name: str
    parent: int  # index of the node above; -1 for the root, which comes first
    classes: Classes
    answers: int
    weight: int


def hidden(nodes: Sequence[Node], threshold: int) -> list[bool]:
    """Tell for each node whether it is hidden in the pattern of least loss; parents come before their children.

    Raises TransformError where not even the root can be shown.
    """
    children = _children(nodes)
    rule = _Rule(threshold)
    merges: list[list[dict[int, Option]]] = [[] for _ in nodes]
    closes: list[int | None] = [None] * len(nodes)
    offers: list[dict[int, int]] = [{} for _ in nodes]
    for index in reversed(range(len(nodes))):
        node, below = nodes[index], children[index]
        merges[index] = rule.merged(_direct(node, [nodes[child] for child in below]), [offers[c] for c in below])
        offers[index], closes[index] = rule.offered(node, merges[index][-1], is_leaf=not below)
    if closes[0] is None:
        raise TransformError(
            f"nothing can be shown: with min_respondents = {threshold} the organisation as a whole has too few "
            "respondents, or respondents of one class only; wait for more answers, or bring in more files of this wave"
        )
    return _chosen(children, merges, closes)


def is_sensitive(classes: Classes, threshold: int, *, answers: int) -> bool:
    """Tell whether a row gives people away by itself: few respondents, or not many of one class; none is safe."""
    respondents, kinds = sum(classes), sum(count > 0 for count in classes)
    return answers > 0 and (respondents < threshold or (kinds == 1 and respondents < 2 * threshold))


class _Rule:
    """The arithmetic of residuals at one threshold; a code is respondents (capped) × 5 + the kind of classes."""

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._safe = threshold * _KINDS + _SEVERAL
        self._sums: dict[tuple[int, int], int] = {}

    def merged(self, direct: tuple[Classes, int], offers: Iterable[dict[int, int]]) -> list[dict[int, Option]]:
        """What is below a node, child by child, each step with only the options that can still matter."""
        steps: list[dict[int, Option]] = [{self._code(*direct): (0, NOTHING, NOTHING)}]
        for offer in offers:
            steps.append(self._undominated(self._merge(steps[-1], offer)))
        return steps

    def offered(self, node: Node, inner: dict[int, Option], *, is_leaf: bool) -> tuple[dict[int, int], int | None]:
        """What a node hands up, at which loss, and the residual that it closes where it is shown."""
        if is_sensitive(node.classes, self._threshold, answers=node.answers):
            return {code: loss for code, (loss, _, _) in inner.items() if code != NOTHING}, None
        offer = {code: loss + node.weight for code, (loss, _, _) in inner.items() if code != NOTHING}
        allowed = [code for code in inner if is_leaf or code in (NOTHING, self._safe)]
        closed = min(allowed, key=lambda code: inner[code][0], default=None)
        if closed is not None:
            offer[NOTHING] = inner[closed][0]
        return offer, closed

    def _code(self, classes: Classes, answers: int) -> int:
        if not answers:
            return NOTHING
        kinds = [kind for kind, count in enumerate(classes, start=1) if count]
        kind = _SEVERAL if len(kinds) > 1 else sum(kinds)
        return min(self._threshold, sum(classes)) * _KINDS + kind

    def _merge(self, before: dict[int, Option], offer: dict[int, int]) -> dict[int, Option]:
        best: dict[int, Option] = {}
        sums = self._sums
        for left, (left_loss, _, _) in before.items():
            for right, right_loss in offer.items():
                code = sums.get((left, right))
                if code is None:
                    code = sums[left, right] = self._sum(left, right)
                loss = left_loss + right_loss
                if code not in best or loss < best[code][0]:
                    best[code] = (loss, left, right)
        return best

    def _sum(self, left: int, right: int) -> int:
        if NOTHING in (left, right):
            return max(left, right)
        (count, kind), (more, other) = divmod(left, _KINDS), divmod(right, _KINDS)
        kinds = {kind, other} - {0}
        return min(self._threshold, count + more) * _KINDS + (_SEVERAL if len(kinds) > 1 else sum(kinds))

    def _undominated(self, options: dict[int, Option]) -> dict[int, Option]:
        """Drop what another option beats: no more loss, at least the respondents, at least the classes.

        Handing up nothing has a worth of its own, which only a residual that is safe by itself can beat.
        """
        kept: dict[int, Option] = {}
        least: list[int | None] = [None] * _KINDS  # loss of the cheapest so far, by kind, from many respondents down
        for code in sorted(options, reverse=True):
            loss, kind = options[code][0], code % _KINDS
            if code == NOTHING:
                rivals = [kept[self._safe][0]] if self._safe in kept else []
            else:
                rivals = [
                    known for known in (least if kind == 0 else (least[kind], least[_SEVERAL])) if known is not None
                ]
            if not any(rival <= loss for rival in rivals):
                kept[code] = options[code]
                if code != NOTHING:
                    least[kind] = loss
        return kept


def _children(nodes: Sequence[Node]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes[1:], start=1):
        children[node.parent].append(index)
    return children


def _direct(node: Node, below: Sequence[Node]) -> tuple[Classes, int]:
    promoters, passives, detractors = node.classes
    answers = node.answers
    for child in below:
        promoters -= child.classes[0]
        passives -= child.classes[1]
        detractors -= child.classes[2]
        answers -= child.answers
    if min(promoters, passives, detractors) < 0 or answers < promoters + passives + detractors:
        raise TransformError(
            f"the tallies of department '{node.name}' are not the sum of what hangs below it; "
            "make them anew from the responses before the wave is protected"
        )
    return (promoters, passives, detractors), answers


def _chosen(
    children: Sequence[Sequence[int]], merges: Sequence[Sequence[dict[int, Option]]], closes: Sequence[int | None]
) -> list[bool]:
    is_hidden = [False] * len(children)
    wanted = [NOTHING] * len(children)  # what each node hands up; nothing: it is shown
    for index, below in enumerate(children):
        is_hidden[index] = wanted[index] != NOTHING
        closed = closes[index]
        assert is_hidden[index] or closed is not None
        code = wanted[index] if closed is None or is_hidden[index] else closed
        for step, child in zip(reversed(merges[index]), reversed(below), strict=False):
            _, code, wanted[child] = step[code]
    return is_hidden
