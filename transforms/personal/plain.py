"""A comment in its plain form: what looks alike is alike, nothing is invisible, nothing steers the reader's screen."""

import re
import unicodedata
from functools import lru_cache

MOST = 2_000  # characters of a comment that are kept
LOOKED_AT = MOST + 200  # an identifier that begins before the cut is seen whole
RAW_MOST = 4 * MOST  # what is read of the raw text: bounded before anything else
MARKS = re.compile(r"([̀-ͯ҃-҉᪰-᫿᷀-᷿⃐-⃿︠-︯]{3})[̀-ͯ҃-҉᪰-᫿᷀-᷿⃐-⃿︠-︯]+")
SPACES = re.compile(r"[\x00-\x20\x7f]+")
JOINER = "\u200d"  # joins emoji into one
STRAY_JOINER = re.compile(
    r"(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")  # letters and marks that show nothing
GONE = frozenset(("Cf", "Cn", "Co", "Cs"))
SPACE = frozenset(("Cc", "Zs", "Zl", "Zp"))

# For recognisers only, and one character for one: what people type for a hyphen, an apostrophe, an at sign.
ALIKE = str.maketrans({**dict.fromkeys("‐‑‒–—―−⁃", "-"), **dict.fromkeys("’‘ʼ´`", "'"), "•": ".", "·": "."})


def plain(raw: str) -> str:
    """`raw` in NFKC on one line, without control, format and unassigned characters, of at most LOOKED_AT characters.

    Full-width and other digits become 0–9; letters carry at most three marks; tabs and line breaks become spaces.
    """
    text = raw[:RAW_MOST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)[:RAW_MOST]
        text = MARKS.sub(r"\1", STRAY_JOINER.sub("", "".join(map(_letter, text))))
    return SPACES.sub(" ", text).strip()[:LOOKED_AT]


def alike(text: str) -> str:
    """A plain text as recognisers read it: of the same length, with one hyphen and one apostrophe."""
    return text if text.isascii() else text.translate(ALIKE)


@lru_cache(maxsize=4096)
def _letter(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in SPACE or letter == "\u2800":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    if letter in BLANK or (category in GONE and letter != JOINER):
        return ""
    return letter
