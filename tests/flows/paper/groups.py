"""The tables of what groups value and say, and of how far their enthusiasm carries."""

from collections.abc import Iterator, Mapping

from tests.flows.paper.columns import (
    ANSWERS,
    INTERVAL,
    SHARE,
    Column,
    Drawn,
    Known,
    after,
    answers,
    between_percent,
    interval_percent,
    percent,
    points,
    text,
)
from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.shares import with_shares
from tests.flows.paper.write import Both

WORDS = 6  # of one language
TONGUES: Mapping[str, Both] = {"en": (" in English", " in het Engels"), "nl": (" in Dutch", " in het Nederlands")}
STEPS: tuple[tuple[Both, str | None, str], ...] = (
    (("Promoters, of all respondents", "Promotors, van alle respondenten"), "promoters", "promoter_rate"),
    (
        ("Told others, of promoters who answered this", "Vertelden het verder, van promotors die dit beantwoordden"),
        "told",
        "sharing_rate",
    ),
    (
        (
            "Had effect, of those who told others and answered this",
            "Hadden effect, van wie het vertelde en dit beantwoordde",
        ),
        None,
        "influence_rate",
    ),
    (("Superpromoters: the three multiplied", "Superpromoters: de drie vermenigvuldigd"), None, "superpromoter_rate"),
)


def praise(place: Place) -> Iterator[Known]:
    """The subjects that are rated, and the words that set groups apart."""
    praised = "rating_superpromoters" if place.by_super else "rating_promoters"
    who: Both = ("Superpromoters", "Superpromoters") if place.by_super else ("Promoters", "Promotors")
    passives: Both = ("Passives", "Passief tevredenen")
    yield from _drivers(place, "right", place.strengths(), ((who, praised), (passives, "rating_passives")))
    promoters: Both = ("Promoters", "Promotors")
    groups = ((passives, "rating_passives"), (promoters, "rating_promoters"))
    yield from _drivers(place, "help", place.levers(), groups)
    for section, kind, caption in (
        ("right", "promoters", ("Words of promoters", "Woorden van promotors")),
        ("fell", "detractors", ("Words of detractors", "Woorden van criticasters")),
        ("help", "passives", ("Words of passives", "Woorden van passief tevredenen")),
    ):
        yield from _words(place, section, kind, caption)


def _drivers(
    place: Place, section: str, shown: list[Row], groups: tuple[tuple[Both, str], tuple[Both, str]]
) -> Iterator[Known]:
    if not shown:
        return
    rated = [Column(who, points(name, 1), after(text(who), points(name, 1))) for who, name in groups]
    share = Column(
        SHARE,
        after(percent("importance"), interval_percent("importance_low", "importance_high")),
        after(percent("importance"), between_percent("importance_low", "importance_high")),
    )
    drawn = Drawn(
        ("Drawn with its interval", "Getekend met zijn interval"),
        (("importance_low", "importance_high", "importance"),),
        factor=100,
    )
    scales = {
        tuple(driver["scale"]) for driver in place.released.settings["roles"]["drivers"].values() if "scale" in driver
    }
    ((low, high),) = scales
    caption = place.writing.say(
        (
            "Average ratings from {low} to {high}; share: its part of what goes together with the score",
            "Gemiddelde oordelen van {low} tot {high}; aandeel: het deel van wat met de score samengaat",
        ),
        low=low,
        high=high,
    )
    rows = [(place.driver(row), row) for row in shown]
    yield Known(section, caption, ("Subject", "Onderwerp"), (*rated, share, drawn), rows)


def _words(place: Place, section: str, kind: str, caption: Both) -> Iterator[Known]:
    found = [row for row in place.rows("themes") if row["kind"] == kind]
    for language in {row["language"] for row in found}:
        rows = sorted((row for row in found if row["language"] == language), key=lambda row: row["position"])[:WORDS]
        is_own = language == place.writing.language
        tongue = "" if is_own else place.writing.of(TONGUES[language])
        yield Known(
            section,
            f"{place.writing.of(caption)}{tongue}; {place.writing.of(('answers', 'antwoorden'))}",
            ("Word", "Woord"),
            (Column(ANSWERS, answers("respondents")),),
            [(row["theme"], row) for row in rows],
        )


def carries(place: Place) -> Known:
    """From promoter to superpromoter, step by step."""
    row, writing = with_shares(place.metric), place.writing
    told = [(name, _step(row, count, rate)) for name, count, rate in STEPS if row[rate] is not None]
    caption: Both = ("From promoter to superpromoter, {wave}", "Van promotor naar superpromoter, {wave}")
    columns = (
        Column(("Number", "Aantal"), points("count")),
        Column(SHARE, percent("rate", 1)),
        Column(INTERVAL, interval_percent("low", "high", 1)),
    )
    called = writing.say(caption, wave=writing.wave(place.released.wave))
    rows = [(writing.of(name), step) for name, step in told]
    return Known("carries", called, ("Step", "Stap"), columns, rows, is_fold=True)


def _step(row: Row, count: str | None, rate: str) -> Row:
    number = None if count is None else row[count]
    return {"count": number, "rate": row[rate], "low": row[f"{rate}_low"], "high": row[f"{rate}_high"]}
