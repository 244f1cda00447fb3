"""The sentences of what rose and fell, of what goes right and would help, and of how far enthusiasm carries."""

from collections.abc import Iterator, Mapping

from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.shares import with_shares
from tests.flows.paper.write import Both, Writing, capital, rounded


def moved(place: Place, kind: str) -> Iterator[str]:
    """How many departments rose or fell beyond chance."""
    w, moved, since = place.writing, len(place.moved(kind)), _since(place)
    if since is None or (len(place.below) == 1 and not place.is_whole and place.metric["nps_change"] is None):
        return
    word = w.spelled(moved)
    verbs: Mapping[str, tuple[str, str, str]] = {
        "rose": ("rose", "steeg", "stegen"),
        "fell": ("fell", "liep", "liepen"),
    }
    en, one, many = verbs[kind]
    dutch = one if moved < 2 else many
    back = " terug" if kind == "fell" else ""
    units: Both = ("department", "afdeling") if moved == 1 else ("departments", "afdelingen")
    if moved == 0:
        whole: Both = (
            f"No department {en} beyond chance since {since}.",
            f"Geen afdeling {dutch} meer dan toeval{back} sinds {since}.",
        )
        part: Both = (
            f"Nothing {en} beyond chance here since {since}.",
            f"Hier {dutch} niets meer dan toeval{back} sinds {since}.",
        )
        yield w.of(whole if place.is_whole else part)
    elif place.is_whole:
        yield capital(
            w.of(
                (
                    f"{word} {units[0]} {en} beyond chance since {since}.",
                    f"{word} {units[1]} {dutch} meer dan toeval{back} sinds {since}.",
                )
            )
        )
    else:
        yield w.of(
            (
                f"Here {word} {units[0]} {en} beyond chance since {since}.",
                f"Hier {dutch} {word} {units[1]} meer dan toeval{back} sinds {since}.",
            )
        )


def _since(place: Place) -> str | None:
    before, wave = place.previous_wave, place.released.wave
    return None if before is None else place.writing.wave(before, beside=wave)


def praised(place: Place) -> Iterator[str]:
    """Which subjects are praised, and the one that those who praise rate furthest above passives; and quotes."""
    w, rows = place.writing, place.strengths()
    who: Both = ("superpromoters", "superpromoters") if place.by_super else ("promoters", "promotors")
    rating = "rating_superpromoters" if place.by_super else "rating_promoters"
    if rows:
        rate: Both = (
            f"{who[0].capitalize()} rate this high, and it goes together with the score: {{drivers}}.",
            f"{who[1].capitalize()} waarderen dit hoog, en het gaat samen met de score: {{drivers}}.",
        )
        yield w.say(rate, drivers=w.listed([place.driver(row) for row in rows]))
    gaps = {
        row["driver"]: round(row[rating] - row["rating_passives"], 10)
        for row in place.rows("drivers")
        if row[rating] is not None and row["rating_passives"] is not None
    }
    if told := [row for row in rows if gaps.get(row["driver"], 0) > 0]:
        row = max(told, key=lambda one: gaps[one["driver"]])
        is_most = all(gaps[row["driver"]] > gap for driver, gap in gaps.items() if driver != row["driver"])
        most: Both = ("Here we add most: ", "Hier voegen we het meest toe: ") if is_most else ("", "")
        give: Both = (
            f"{who[0]} give {{high}} on average for {{driver}}, passives {{low}}.",
            f"{who[1]} geven gemiddeld {{high}} voor {{driver}}, passief tevredenen {{low}}.",
        )
        high, low = w.number(row[rating], 1), w.number(row["rating_passives"], 1)
        both = w.say(give, high=high, low=low, driver=place.driver(row))
        yield w.of(most) + both if is_most else capital(both)
    quotes = sorted(place.rows("quotes"), key=lambda row: row["position"])
    yield from [row["quote"] for row in sorted(quotes, key=lambda row: row["language"] != w.language)[:3]]


def would_help(place: Place) -> Iterator[str]:
    """Which subjects passives rate lower, where that goes with the score."""
    if rows := place.levers():
        lower: Both = (
            "Passives rate this clearly lower than promoters do, and it goes together with the score: {drivers}.",
            "Passief tevredenen waarderen dit duidelijk lager dan promotors, en het gaat samen met de score: "
            "{drivers}.",
        )
        yield place.writing.say(lower, drivers=place.writing.listed([place.driver(row) for row in rows]))


def carried(row: Row) -> tuple[int, int, int, int | None, int | None]:
    """Of 100 respondents: promoters, passives, detractors, who told others, and for how many someone came along."""
    shares = with_shares(row)
    promoters = int(rounded(100 * shares["promoter_rate"]))
    detractors = min(int(rounded(100 * shares["detractor_rate"])), 100 - promoters)
    rates = (row["sharing_rate"], row["superpromoter_rate"])
    told = None if rates[0] is None else int(rounded(100 * shares["promoter_rate"] * rates[0]))
    effect = None if rates[1] is None or told is None else int(rounded(100 * rates[1]))
    return promoters, 100 - promoters - detractors, detractors, told, effect


def recommend(w: Writing, number: int) -> str:
    """So many would recommend us."""
    verb = "beveelt" if number == 1 else "bevelen"
    return w.of((f"{number} would gladly recommend us", f"{verb} {number} ons graag aan"))


def how_far(place: Place) -> str:
    """How far enthusiasm carries, of 100 respondents."""
    w = place.writing
    promoters, _, _, told, effect = carried(place.metric)
    first = f"{w.of(('Of 100 respondents', 'Van 100 respondenten'))} {recommend(w, promoters)}"
    if told is None or effect is None:
        return f"{first}."
    verb = "vertelde" if told == 1 else "vertelden"
    steps: Both = (
        f", {told} told others, and for {effect} someone came along.",
        f", {verb} {told} het verder, en bij {effect} kwam iemand mee.",
    )
    return first + w.of(steps)


def told(place: Place) -> Iterator[str]:
    """How many people heard of it and acted, and of how many promoters the shares are."""
    w, row = place.writing, place.metric
    if row["reach"] is not None:
        reach: Both = (
            "On average a promoter told at least {reach} others",
            "Gemiddeld vertelde een promotor het aan minstens {reach} anderen",
        )
        ends = [w.number(row[f"reach_{end}"], 1) for end in ("low", "high")]
        range_ = "" if row["reach_low"] is None else f" ({w.between(*ends)})"
        yield f"{w.say(reach, reach=w.number(row['reach'], 1))}{range_}."
    if row["conversion"] is not None:
        acted: Both = ("Of the people they told {share} acted on it", "Van wie het hoorde deed {share} er iets mee")
        ends = [w.percent(row[f"conversion_{end}"]) for end in ("low", "high")]
        range_ = "" if row["conversion_low"] is None else f" ({w.between(*ends)})"
        yield f"{w.say(acted, share=w.percent(row['conversion']))}{range_}."
    if row["told_known"] is not None and row["told_known"] < row["promoters"]:
        whether: Both = (
            "Whether they told others, {known} of the {total} promoters answered.",
            "Op de vraag of zij het verder vertelden, antwoordden {known} van de {total} promotors.",
        )
        yield w.say(whether, known=w.number(row["told_known"]), total=w.number(row["promoters"]))
    if row["influence_known"] is not None and row["told"] and row["influence_known"] < row["told"]:
        what: Both = (
            "What came of it, {known} of the {total} who told others answered.",
            "Op de vraag wat ervan kwam, antwoordden {known} van de {total} die het verder vertelden.",
        )
        yield w.say(what, known=w.number(row["influence_known"]), total=w.number(row["told"]))
