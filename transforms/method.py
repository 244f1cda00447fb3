"""How figures are made, as one hash: where it changed, the same answers give other figures, or may do so.

What a revision carries from its wave's first release (drivers, words, segments, windows) is not made again.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from transforms.sql import text

SELECTS = (
    *("cells", "tallies", "superpromoters", "metrics", "sampled", "paired"),
    *("weight_cells", "counted_weighted", "weight_groups"),
    *("voices", "words", "terms"),  # which words may still be shown
)
FUNCTIONS = (
    *("interval", "paired", "change", "changes", "comparisons", "smooth", "trends", "weights"),
    *("sampled", "moves", "reorganisations", "few", "residuals", "weight_groups"),
)


def _words() -> Iterator[Traversable]:
    """The lists and recognisers that decide which words of a comment may be seen."""
    for folder in ("stop_words", "personal", "personal/lists"):
        yield from (path for path in (files("transforms") / folder).iterdir() if path.is_file())


def method_hash(
    *,
    told_min: int,
    definition: str,
    interval: str = "adjusted_wald",
    margin: float | None = None,
    currency: str | None = None,
    weighting: object = None,
    comments: object = None,
    moves: object = None,
) -> str:
    """SHA-256 over the selects and functions that make figures, without their comments, and over what is configured."""
    said = [re.sub(r"--.*", "", text(name)) for name in SELECTS]
    said += [
        re.sub(r'"""[\s\S]*?"""|#.*', "", (files("transforms") / f"{name}.py").read_text("utf-8")) for name in FUNCTIONS
    ]
    said += [path.read_text("utf-8") for path in sorted(_words(), key=lambda path: path.name)]
    bare = [" ".join(one.split()) for one in said]
    chosen = [told_min, definition, interval, margin, currency, weighting, comments, moves]
    return hashlib.sha256(json.dumps([*bare, *chosen]).encode()).hexdigest()
