"""Addresses on networks: e-mail (also spelled out), web, user names, IP."""

import ipaddress
import re
from collections.abc import Iterator

from transforms.personal import Recogniser, Span

TLDS = "nl|com|org|net|eu|be|de|uk|info|fr|io|example"
NOT_A_WORD = "nl|com|org|eu|be|io|example|co\\.uk|org\\.uk"  # "tijd.net" and "boot.de" lack a space after the full stop
HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)"

EMAIL = re.compile(r"[^\s@<>()\[\]{}\",;:]+@[^\s@<>()\[\]{}\",;:]+\.[^\W\d_]{2,}")
SPACED_EMAIL = re.compile(
    rf"[\w.+-]{{1,64}} ?@ ?[\w-]{{1,63}}(?: ?\. ?[\w-]{{1,63}}){{0,3}}?\.(?:{TLDS})\b", re.IGNORECASE
)
PART = r"[\w+-]{1,64}"
AT = r"(?: ?[\(\[{<] ?(?:at|apenstaart(?:je)?|@) ?[\)\]}>] ?| (?:apenstaart(?:je)?) |@| @ )"
DOT = r"(?: ?[\(\[{<] ?(?:dot|punt|\.) ?[\)\]}>] ?| (?:dot|punt) |\.)"
SAID_DOT = r"(?: ?[\(\[{<] ?(?:dot|punt|\.) ?[\)\]}>] ?| (?:dot|punt) )"
SPELLED_EMAIL = re.compile(
    rf"\b{PART}(?:{DOT}{PART}){{0,2}}{AT}{PART}(?:{DOT}{PART}){{0,2}}?{DOT}(?:{TLDS})\b"
    rf"|\b{PART}(?:{DOT}{PART}){{0,2}} at {PART}(?:{SAID_DOT}{PART}){{0,2}}?{SAID_DOT}(?:{TLDS})\b",
    re.IGNORECASE,
)

URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://\S+|\bwww\.\S{3,1000}", re.IGNORECASE)
BARE_URL = re.compile(
    rf"(?<![\w.@-]){HOST}{{1,4}}(?:(?:{NOT_A_WORD})(?:/\S{{0,500}}|\b(?![\w-]))|(?:{TLDS}|app|me|to|ly|link)/\S{{1,500}})",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}'\"»”"

HANDLE = re.compile(r"(?<![\w.@/])@(?!(?:home|thuis|work|werk|sea|zee|all|the|de)(?![\w.]))[^\W\d][\w.]{1,29}\b")
PLATFORM = re.compile(
    r"\b(?:insta(?:gram)?|twitter|tiktok|snap(?:chat)?|linkedin|facebook|fb|telegram|discord|skype|mastodon|bluesky)"
    r" ?(?:: ?| is | = )@?([\w.-]{3,40}\w)",
    re.IGNORECASE,
)

IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.IGNORECASE)
VERSION = re.compile(r"(?:\bv(?:ersie|ersion)?|\brelease|\bbuild|\bparagraa?f|\bsection|§)\.? ?$", re.IGNORECASE)


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, also as "jan (at) voorbeeld punt nl"."""
    if "@" in text:
        yield from (match.span() for match in EMAIL.finditer(text))
        yield from (match.span() for match in SPACED_EMAIL.finditer(text))
    if SAYS_AT.search(text):
        yield from (match.span() for match in SPELLED_EMAIL.finditer(text))


SAYS_AT = re.compile(r"\bat\b|\bapenstaart|[\(\[{<] ?@| (?:dot|punt) |[\(\[{<] ?(?:dot|punt)", re.IGNORECASE)


def urls(text: str) -> Iterator[Span]:
    """Web addresses: with a scheme, with www, or a bare host whose last part is no word that may begin a sentence."""
    for match in URL.finditer(text):
        yield match.start(), match.start() + len(match.group().rstrip(TRAILING))
    if "." in text:
        for match in BARE_URL.finditer(text):
            yield match.start(), match.start() + len(match.group().rstrip(TRAILING))


def handles(text: str) -> Iterator[Span]:
    """User names: after an at sign, or after the name of a platform and a colon."""
    if "@" in text:
        yield from (match.span() for match in HANDLE.finditer(text))
    yield from (match.span(1) for match in PLATFORM.finditer(text))


def ips(text: str) -> Iterator[Span]:
    """IP addresses of both versions; version numbers of software look alike and are told by the word before them."""
    if text.count(".") >= 3:
        for match in IPV4.finditer(text):
            parts = match.group().split(".")
            if all(int(part) <= 255 for part in parts) and not VERSION.search(text[: match.start()][-20:]):
                yield match.span()
    if text.count(":") >= 2:
        for match in IPV6.finditer(text):
            if _is_ipv6(match.group()):
                yield match.span()


def _is_ipv6(text: str) -> bool:
    if len([part for part in text.split(":") if part]) < 2:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


RECOGNISERS = (
    Recogniser("email", emails),
    Recogniser("url", urls),
    Recogniser("handle", handles),
    Recogniser("ip", ips, re.compile("[.:]")),
)
