"""Names of persons: after salutations and other words that call for one, beside initials, from lists.

Not found: a surname by itself that is in no list, a given name that is in none ("my colleague Anouschka" is found by
the word before it, "Anouschka helped us" is not), nicknames, names in small letters but common ones after a salutation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from transforms.personal import Recogniser, Span
from transforms.personal.lists import entries, words

WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
CAPITAL = "[A-ZÀ-ÖØ-Þ]"
INFIX = "(?:(?i:van|de|der|den|ten|ter|te|op|in|'t|'s|het|von|la|le|du|di|da|el|al|bin) )"
SURNAME = rf"(?:{INFIX}{{0,3}}(?:Mc|Mac|O'|d'|D')?{CAPITAL}[^\W\d_]*(?:[-']{CAPITAL}?[^\W\d_]+)*)"
INITIALS = rf"(?:{CAPITAL}\. ?){{1,5}}"
FULL_NAME = rf"(?:{INITIALS})?{SURNAME}(?: {SURNAME}){{0,2}}"
FAMILY = re.compile(rf"(?: {INITIALS})?(?: {SURNAME})")

TITLES = (
    "mevrouw|mevr|mw|mvr|meneer|mijnheer|dhr|de heer|de heren|familie|fam|mejuffrouw|juf|meester|mr|mrs|ms|miss|mister"
    "|dr|drs|ir|ing|prof|sir|madam|lady"
)
PEOPLE = (
    "collega|colleague|steward|stewardess|medewerker|medewerkster|kapitein|captain|stuurman|matroos|skipper|schipper|purser"
    "|gids|guide|chauffeur|driver|employee|waitress|waiter|ober|zoon|dochter|son|daughter|husband|wife|broer|zus|brother"
    "|sister|vriend|vriendin|friend|buurman|buurvrouw|oma|opa|tante|oom|aunt|uncle|grandma|grandpa"
)
CALLED = (
    r"mijn naam is|m'n naam is|ik heet|heet|heette|genaamd|naam ?:|my name is|my name's|i am called|was called"
    r"|is called|named|name ?:|signed|getekend|ik ben (?=[^\W\d_]+ (?:[^\W\d_]+ ){0,2}(?-i:[A-Z]))"
)
CLOSINGS = "groetjes|groet|groeten|mvg|liefs|hoogachtend|regards|cheers|sincerely|faithfully|yours|love|x{1,3}|thanks"
OPENINGS = "beste|geachte|lieve|dear|hoi|hallo|hello|hi|hey|dag"
CALLING = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?i:{TITLES})\b\.? ({FULL_NAME})",
        rf"\b(?i:{CALLED})[,:]? ?({FULL_NAME})",
        rf"\b(?i:{CLOSINGS})(?: (?:van|from))?[,.!:]? (?:van |from |- ?)?({FULL_NAME})(?=[ .!,]*(?:$|\())",
        rf"(?:^|[.!?] )(?i:{OPENINGS}) ({FULL_NAME})(?=[,!.])",
        rf"\b(?i:{PEOPLE}),? ({SURNAME})(?! ?[:&])",
    )
)
INITIALLED = re.compile(
    rf"(?<![\w.]){CAPITAL}\.(?: ?{CAPITAL}\.){{0,4}} ?{INFIX}{{0,3}}{CAPITAL}[^\W\d_]+(?:-{CAPITAL}[^\W\d_]+)*"
)
CORPORATE = re.compile(r"(?:N\. ?V|B\. ?V|U\. ?S|U\. ?K|E\. ?U|P\. ?S|N\. ?B|V\. ?O\. ?F)\.")

BEGINS = re.compile(r"[.!?:;\"(\[“]\s*$|^\s*$|[-•*] $")  # after it a sentence begins
VERBS = re.compile(
    "(?:'s)? (?:was|is|hielp|helped|heeft|has|had|kwam|came(?! to)|gaf|gave|zei|said|deed|did|nam|took|maakte|made"
    "|bracht|brought|liet|stond|stood|legde|explained|showed|van|from|aan|at|verdient|deserves|dacht|bleef|stayed|vond|found|sorted"
    r"|regelde|kon|wist|knew|went|en(?= [A-Z])|and(?= [A-Z]))\b"
)
BESIDE = re.compile(
    rf"\b(?:{PEOPLE}|{TITLES}|{CLOSINGS}|{OPENINGS}|named|called|heet|dank|bedankt|thank you)[,.!]? $", re.I
)
NEVER_ALONE = frozenset(("April", "May", "June", "August", "Summer", "Sky", "Ward", "Page", "Zon", "Wit", "Lot"))

Known = Mapping[str, Sequence[tuple[str, bool]]]  # by first word: the whole entry, and whether it is a word too


def recogniser(configured: Sequence[str] = ()) -> Recogniser:
    """Finds names, the configured ones among them: given names, surnames or both."""
    small = "|".join(map(re.escape, sorted(entries("surnames"), key=len, reverse=True)))
    titled = re.compile(rf"\b(?:{TITLES})\b\.? ({small})\b", re.IGNORECASE)
    return Recogniser("name", partial(names, known=known(configured), titled=titled))


def known(configured: Sequence[str]) -> Known:
    """The built-in given names and the configured names, by their first word as it is looked up."""
    both = words("given_names_and_words")
    made: dict[str, dict[str, bool]] = {name: {name: False} for name in words("given_names")}
    made |= {name: {name: True} for name in both}
    for name in configured:
        if len(name) > 1 and (first := WORD.search(name)):
            key = first.group().casefold() if " " in name else first.group()
            made.setdefault(key, {})[name] = name in both | NEVER_ALONE
    return {first: sorted(named.items(), key=lambda one: (-len(one[0]), one[0])) for first, named in made.items()}


def names(text: str, *, known: Known, titled: re.Pattern[str]) -> Iterator[Span]:
    """Names of persons, by what stands before them, by their initials, or by the lists."""
    for pattern in CALLING:
        for match in pattern.finditer(text):
            end = _without_words(text, match.start(1), match.end(1))
            if end > match.start(1):
                yield match.start(1), end
    yield from (match.span(1) for match in titled.finditer(text))
    yield from (match.span() for match in INITIALLED.finditer(text) if not CORPORATE.match(match.group()))
    yield from _listed(text, known)


def _listed(text: str, known: Known) -> Iterator[Span]:
    """Entries of the lists, as they are written or in capitals, with the surname that follows."""
    for word in WORD.finditer(text):
        said = word.group()
        bare = said.removesuffix("'s")
        shouted = bare.title() if bare.isupper() and len(bare) > 2 else bare
        for key in dict.fromkeys((bare, shouted, bare.casefold(), bare.removesuffix("s"))):  # "Jansens hond"
            found = next((one for one in known.get(key, ()) if _stands(one, text, word)), None)
            if found is not None:
                end = word.start() + len(found[0])
                yield word.start(), _with_family(text, max(end, word.end()))
                break


def _stands(entry: tuple[str, bool], text: str, word: re.Match[str]) -> bool:
    """Whether the entry begins at this word: the same letters, and meant as a name."""
    name, is_word = entry
    start, end = word.start(), word.start() + len(name)
    found = text[start:end]
    is_same = found in (name, name.upper()) or (" " in name and found.casefold() == name.casefold())
    goes_on = end < len(text) and text[end].isalnum()
    if not is_same or (goes_on and (is_word or word.end() != end + 1)):
        return False
    return not is_word or _is_a_name_here(text, start, end, name)


def _is_a_name_here(text: str, start: int, end: int, name: str) -> bool:
    """Whether a name that is a word too is meant as one: inside a sentence, or beside a word that calls for a name."""
    if BESIDE.search(text[max(0, start - 20) : start]):
        return True
    if name in NEVER_ALONE or text[start:end].isupper():
        return False
    return not BEGINS.search(text[max(0, start - 3) : start]) or VERBS.match(text, end) is not None


def _with_family(text: str, end: int) -> int:
    match = FAMILY.match(text, end)
    return _without_words(text, end, match.end()) if match else end


def _without_words(text: str, start: int, end: int) -> int:
    """The end of a name before the first capitalised word that is none: a sentence, a department, a weekday."""
    last = start
    for word in WORD.finditer(text, start, end):
        said = word.group()
        is_infix = said.casefold() in ("de", "van", "in", "op", "het") and word.end() < end
        if said in words("no_names") and not is_infix:
            break
        if said[0].isupper():
            last = word.end()
    return last
