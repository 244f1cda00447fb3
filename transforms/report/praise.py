"""What a group values and says: drivers with their intervals, the words that set it apart, and quotes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from transforms.report.beside import Driver, Quote, Theme
from transforms.report.edition import Edition
from transforms.report.figures import Scale
from transforms.report.scene import Scene
from transforms.report.views import Strip, strip
from transforms.report.words import Words

MOST_WORDS = 6  # of one language
MOST_QUOTES = 3


@dataclass(frozen=True)
class DriverRow:
    """One subject: how two groups rate it, and how much of the score goes with it."""

    name: str
    ratings: tuple[str, str]
    share: str
    between: str
    range: str
    strip: Strip | None


@dataclass(frozen=True)
class WordTable:
    """The words of one language; `language` where it is not the page's."""

    language: str | None
    caption: str
    rows: tuple[tuple[str, str, str], ...]  # word, number, and what is counted


@dataclass(frozen=True)
class Praise:
    """What a group values and says, or why that cannot be told."""

    sentence: str | None = None
    note: str | None = None  # a further finding
    heading: str = ""
    drivers: tuple[DriverRow, ...] = ()
    caption: str = ""
    groups: tuple[str, str] = ("", "")  # who rate
    scale: Scale = field(default_factory=lambda: Scale(0, 100))
    words: tuple[WordTable, ...] = ()
    quotes: tuple[tuple[str | None, str], ...] = ()  # language where it is not the page's, text
    made: str | None = None  # when, where that is not now

    @property
    def has_matter(self) -> bool:
        """Whether there is more than a sentence."""
        return bool(self.drivers or self.words or self.quotes)


def strengths(scene: Scene, words: Words, department_id: str) -> Praise:
    """What superpromoters praise; promoters, where superpromoters are unknown or too few."""
    edition, rows = scene.edition, scene.beside.drivers.get(department_id, ())
    shown = [row for row in rows if row.kind in ("strength", "both") and row.importance is not None]
    by_super = edition.superpromoters_asked and all(row.rating_superpromoters is not None for row in shown)
    who = words.say("Superpromoters") if by_super else words.say("Promoters")
    found = words_of(words, scene.beside.themes.get(department_id, ()), kind="promoters")
    said = quoted(words, scene.beside.quotes.get(department_id, ()))
    return Praise(
        sentence=_praised(edition, words, rows, shown, by_super=by_super, has_words=bool(found or said)),
        note=_added(edition, words, rows, shown, by_super=by_super),
        heading=words.say("What superpromoters praise") if by_super else words.say("What promoters praise"),
        drivers=tuple(
            _row(
                edition, words, row, scene.driver_scale, row.rating_superpromoters if by_super else row.rating_promoters
            )
            for row in shown
        ),
        caption=driver_caption(edition, words),
        groups=(who, words.say("Passives")),
        scale=scene.driver_scale,
        words=found,
        quotes=said,
        made=_made(edition, words),
    )


def missed(scene: Scene, words: Words, department_id: str) -> Praise:
    """What detractors say, in the same form as what superpromoters praise."""
    found = words_of(words, scene.beside.themes.get(department_id, ()), kind="detractors")
    return Praise(heading=words.say("What detractors write about"), words=found, made=_made(scene.edition, words))


def levers(scene: Scene, words: Words, department_id: str) -> Praise:
    """What passives rate lower than promoters do, where it goes with the score; and what they write about."""
    edition, rows = scene.edition, scene.beside.drivers.get(department_id, ())
    shown = [row for row in rows if row.kind in ("lever", "both") and row.importance is not None]
    found = words_of(words, scene.beside.themes.get(department_id, ()), kind="passives")
    return Praise(
        sentence=_would_help(edition, words, rows, shown, has_words=bool(found)),
        heading=words.say("What passives rate lower") if shown else words.say("What passives write about"),
        drivers=tuple(
            _row(edition, words, row, scene.driver_scale, row.rating_passives, row.rating_promoters) for row in shown
        ),
        caption=driver_caption(edition, words),
        groups=(words.say("Passives"), words.say("Promoters")),
        scale=scene.driver_scale,
        words=found,
        made=_made(edition, words),
    )


def _made(edition: Edition, words: Words) -> str | None:
    """Of a revision, that it carries all this from the first release."""
    if edition.revision == 1:
        return None
    return words.say(
        "Ratings, words and quotes are those of the first release of this wave; later answers are not in them."
    )


def driver_name(edition: Edition, words: Words, driver: str) -> str:
    """What a driver is called in a language: its label, else its name in the configuration."""
    return edition.driver_labels.get(driver, {}).get(words.language) or driver.replace("_", " ")


def driver_caption(edition: Edition, words: Words) -> str:
    """What the columns of a table of drivers hold."""
    if edition.driver_scale is None:
        return words.say("Average ratings; share: its part of what goes together with the score")
    low, high = edition.driver_scale
    return words.say(
        "Average ratings from %(low)s to %(high)s; share: its part of what goes together with the score",
        low=words.number(low),
        high=words.number(high),
    )


def words_of(words: Words, themes: Sequence[Theme], *, kind: str) -> tuple[WordTable, ...]:
    """The words of a group, the page's language first."""
    languages = sorted(
        {theme.language for theme in themes if theme.kind == kind}, key=lambda x: (x != words.language, x)
    )
    return tuple(_word_table(words, themes, kind, language) for language in languages)


def _word_table(words: Words, themes: Sequence[Theme], kind: str, language: str) -> WordTable:
    rows = [theme for theme in themes if theme.kind == kind and theme.language == language][:MOST_WORDS]
    is_own = language == words.language
    return WordTable(
        language=None if is_own else language,
        caption=_word_caption(words, kind, None if is_own else words.language_name(language)),
        rows=tuple(
            (row.theme, words.number(row.respondents), words.count("answer", "answers", row.respondents))
            for row in rows
        ),
    )


def _word_caption(words: Words, kind: str, language: str | None) -> str:
    whose = {
        "promoters": words.say("Words of promoters"),
        "passives": words.say("Words of passives"),
        "detractors": words.say("Words of detractors"),
    }[kind]
    if language is None:
        return words.say("%(whose)s; answers", whose=whose)
    return words.say("%(whose)s in %(language)s; answers", whose=whose, language=language)


def quoted(words: Words, quotes: Sequence[Quote]) -> tuple[tuple[str | None, str], ...]:
    """Up to three quotes, the page's language first; bare: no department, score, name or date stands beside them."""
    ordered = sorted(quotes, key=lambda quote: quote.language != words.language)[:MOST_QUOTES]
    return tuple((None if quote.language == words.language else quote.language, quote.quote) for quote in ordered)


def _row(
    edition: Edition, words: Words, row: Driver, scale: Scale, first: float | None, second: float | None = None
) -> DriverRow:
    second = row.rating_passives if second is None else second
    low, high, share = row.importance_low, row.importance_high, row.importance
    assert share is not None
    has_range = low is not None and high is not None
    return DriverRow(
        name=driver_name(edition, words, row.driver),
        ratings=(_rating(words, first), _rating(words, second)),
        share=words.percent(share),
        between=words.between_percent(low, high) if low is not None and high is not None else "",
        range=words.to_percent(low, high) if low is not None and high is not None else "",
        strip=strip(scale, share * 100, (low or 0) * 100, (high or 0) * 100) if has_range else None,
    )


def _rating(words: Words, rating: float | None) -> str:
    return "·" if rating is None else words.decimal(rating, 1)


def _named(edition: Edition, words: Words, rows: Sequence[Driver]) -> str:
    return words.listed([Markup("<bdi>%s</bdi>") % driver_name(edition, words, row.driver) for row in rows])


def _praised(
    edition: Edition, words: Words, rows: Sequence[Driver], shown: Sequence[Driver], *, by_super: bool, has_words: bool
) -> str | None:
    if shown:
        drivers = _named(edition, words, shown)
        if by_super:
            return words.say(
                "Superpromoters rate this high, and it goes together with the score: %(drivers)s.", drivers=drivers
            )
        return words.say("Promoters rate this high, and it goes together with the score: %(drivers)s.", drivers=drivers)
    if rows and by_super:
        return words.say("No subject stands out among what superpromoters rate high.")
    if rows:
        return words.say("No subject stands out among what promoters rate high.")
    if has_words:
        return words.say("These words set what promoters write apart from what others write.")
    if edition.drivers_asked:
        return (
            words.say("Too few gave every rating here to tell what superpromoters praise.")
            if by_super
            else words.say("Too few gave every rating here to tell what promoters praise.")
        )
    return None


def _added(
    edition: Edition, words: Words, rows: Sequence[Driver], shown: Sequence[Driver], *, by_super: bool
) -> str | None:
    """Where the organisation adds value: the strength that those who carry it on rate furthest above passives.

    It is called the most only where no other subject is rated as far above: one that would help may well be.
    """
    gaps = {row.driver: gap for row in rows if (gap := _gap(row, by_super=by_super)) is not None}
    told = [row for row in shown if gaps.get(row.driver, 0) > 0]
    if not told:
        return None
    row = max(told, key=lambda one: gaps[one.driver])
    return _both_rate(
        words,
        driver=Markup("<bdi>%s</bdi>") % driver_name(edition, words, row.driver),
        carried=words.decimal(_carried(row, by_super=by_super) or 0, 1),
        passives=words.decimal(row.rating_passives or 0, 1),
        by_super=by_super,
        is_most=all(gaps[row.driver] > gap for driver, gap in gaps.items() if driver != row.driver),
    )


def _both_rate(words: Words, *, driver: str, carried: str, passives: str, by_super: bool, is_most: bool) -> str:
    named = {"driver": driver, "carried": carried, "passives": passives}
    if by_super and is_most:
        return words.say(
            "Here we add most: superpromoters give %(carried)s on average for %(driver)s, passives %(passives)s.",
            **named,
        )
    if by_super:
        return words.say("Superpromoters give %(carried)s on average for %(driver)s, passives %(passives)s.", **named)
    if is_most:
        return words.say(
            "Here we add most: promoters give %(carried)s on average for %(driver)s, passives %(passives)s.", **named
        )
    return words.say("Promoters give %(carried)s on average for %(driver)s, passives %(passives)s.", **named)


def _carried(row: Driver, *, by_super: bool) -> float | None:
    return row.rating_superpromoters if by_super else row.rating_promoters


def _gap(row: Driver, *, by_super: bool) -> float | None:
    """How far above passives they rate it; rounded, because means are told in steps and equal ones must be equal."""
    carried = _carried(row, by_super=by_super)
    return None if carried is None or row.rating_passives is None else round(carried - row.rating_passives, 10)


def _would_help(
    edition: Edition, words: Words, rows: Sequence[Driver], shown: Sequence[Driver], *, has_words: bool
) -> str:
    if shown:
        return words.say(
            "Passives rate this clearly lower than promoters do, and it goes together with the score: %(drivers)s.",
            drivers=_named(edition, words, shown),
        )
    if rows:
        return words.say("No subject that counts for the score is rated clearly lower by passives than by promoters.")
    if has_words:
        return words.say("These words set what passives write apart from what others write.")
    if edition.drivers_asked or edition.comments_asked:
        return words.say("Too few answered these questions here to tell what would help.")
    return words.say("What would help was not asked: the survey has no ratings of its parts and no comments.")
