"""Dutch or English: as the data say, else by a comment's small words, else as the organisation speaks."""

import re

from transforms.personal.lists import words

SAID = {
    "nl": re.compile(r"^(?:nl|nld|dut|dutch|nederlands|nederlandstalig|vlaams|flemish)(?:[-_ (].*)?$", re.IGNORECASE),
    "en": re.compile(r"^(?:en|eng|english|engels|engelstalig|anglais)(?:[-_ (].*)?$", re.IGNORECASE),
}
WORD = re.compile(r"[^\W\d_]+")


def language(text: str, *, said: str | None, otherwise: str) -> str:
    """'nl' or 'en': `said` where it names one of them, else the language of most small words, else `otherwise`.

    Each word of a comment counts for the language whose list holds it; a tie, and no such word, tell nothing.
    """
    stated = said and next((name for name, pattern in SAID.items() if pattern.match(said.strip())), None)
    if stated:
        return stated
    small = [word.casefold() for word in WORD.findall(text)]
    counts = {name: sum(word in words(f"stop_words_{name}") for word in small) for name in SAID}
    if counts["nl"] == counts["en"]:
        return otherwise
    return max(counts, key=counts.__getitem__)
