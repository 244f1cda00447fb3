"""Where a survey's method changed, so that trends begin anew, and what to say of it."""

import itertools
from collections.abc import Mapping, Sequence

from transforms.waves import in_order

LANGUAGES = ("en", "nl")

Reason = Mapping[str, str]  # per language

# What may change in how a survey measures, by its name in the manifest of a release. How much may be shown
# (min_respondents) and how wide an interval is drawn (interval) are none of it: the scores stay comparable.
CHANGED: Mapping[str, Reason] = {
    "score": {"en": "The score is asked or read in another way.", "nl": "De score wordt anders gevraagd of gelezen."},
    "duplicates": {
        "en": "Answers that are there twice count in another way.",
        "nl": "Dubbele antwoorden tellen anders mee.",
    },
    "definition": {
        "en": "A superpromoter is defined in another way.",
        "nl": "Een superpromoter is anders gedefinieerd.",
    },
    "told_min": {
        "en": "A promoter must have told another number of people to be a superpromoter.",
        "nl": "Een promotor moet het aan een ander aantal mensen hebben verteld om superpromoter te zijn.",
    },
}


def breaks(methods: Sequence[tuple[str, Mapping[str, object]]], configured: Mapping[str, Reason]) -> dict[str, Reason]:
    """Per wave with which the survey's method changed, why: as releases recorded it, and as a person wrote it down.

    `methods` are the waves in order, each with what its release recorded; what one did not record is no change. A
    written break at a wave that was not released begins with the first after it. Nothing breaks before the second.
    """
    waves = [wave for wave, _ in methods]
    reasons: dict[str, list[Reason]] = {}
    for (_, before), (wave, now) in itertools.pairwise(methods):
        found = [CHANGED[name] for name in CHANGED if name in before and name in now and before[name] != now[name]]
        reasons.setdefault(wave, []).extend(found)
    for written, reason in configured.items():
        ordered = in_order([*waves, written])
        after = next((wave for wave in ordered[ordered.index(written) :] if wave in waves), None)
        if after in waves[1:]:
            reasons.setdefault(str(after), []).append(reason)
    return {wave: _together(reasons[wave]) for wave in waves if reasons.get(wave)}


def _together(reasons: Sequence[Reason]) -> Reason:
    texts = {language: [reason[language] for reason in reasons if reason.get(language)] for language in LANGUAGES}
    return {language: " ".join(dict.fromkeys(told)) for language, told in texts.items() if told}
