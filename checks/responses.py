"""Rules for rows on their way into core.responses: a row that breaks one goes to quarantine with its reasons."""

from checks.conditions import Between, IsTrue, NotNull, Parameter, Satisfies
from checks.rules import Rule

SHARE = 0.02  # more than this share of the rows broken: not respondents' slips but a wrong mapping or a changed export
WEIGHT_MAX = 100_000  # of ten million answers the squares fit decimal(38, 20); infinity and NaN lie above it


def _readable(role: str, *, english: str, dutch: str) -> Rule:
    return Rule(
        name=f"{role}_is_readable",
        kind="rows",
        says={
            "en": f"Every answer given as {english} can be read.",
            "nl": f"Elk antwoord dat als {dutch} is gegeven, is te lezen.",
        },
        condition=IsTrue(f"{role}_is_readable"),
        most=SHARE,
    )


RULES: tuple[Rule, ...] = (
    _readable("score", english="a score", dutch="cijfer"),
    Rule(
        name="score_in_range",
        kind="rows",
        says={
            "en": "Every score lies on the scale that was asked.",
            "nl": "Elk cijfer ligt op de schaal die is gevraagd.",
        },
        condition=Between("score", Parameter("score_low"), Parameter("score_high")),
        most=SHARE,
    ),
    _readable("weight", english="a weight", dutch="gewicht"),
    Rule(
        name="weight_in_range",
        kind="rows",
        says={
            "en": "Every weight lies between 0 and 100,000.",
            "nl": "Elk gewicht ligt tussen 0 en 100.000.",
        },
        condition=Between("weight", 0, WEIGHT_MAX),
        most=SHARE,
    ),
    _readable("responded_at", english="a time", dutch="tijdstip"),
    Rule(
        name="responded_at_is_past",
        kind="rows",
        says={
            "en": "No answer was given after the file with it was fetched.",
            "nl": "Geen antwoord is gegeven nadat het bestand ermee werd opgehaald.",
        },
        condition=Satisfies("responded_at <= $latest_response_at"),
        most=SHARE,
    ),
    Rule(
        name="wave_is_known",
        kind="rows",
        says={
            "en": "Of every answer it is known to which wave it belongs.",
            "nl": "Van elk antwoord is bekend bij welke meting het hoort.",
        },
        condition=NotNull("wave"),
        most=SHARE,
    ),
    _readable("told_count", english="the number of people told", dutch="aantal mensen aan wie het is verteld"),
    _readable("acted_count", english="the number of people who did something", dutch="aantal mensen dat iets deed"),
    _readable("warned_count", english="the number of people warned", dutch="aantal gewaarschuwde mensen"),
    _readable(
        "warned_acted_count",
        english="the number of people who heeded a warning",
        dutch="aantal mensen dat een waarschuwing opvolgde",
    ),
    _readable("copied", english="yes or no to being copied", dutch="ja of nee op de vraag naar navolging"),
    Rule(
        name="department_is_text",
        kind="rows",
        says={
            "en": "Every department's name is readable text of at most 200 characters.",
            "nl": "Elke afdelingsnaam is leesbare tekst van hoogstens 200 tekens.",
        },
        condition=IsTrue("department_levels_are_text"),
        most=SHARE,
    ),
    Rule(
        name="drivers_are_readable",
        kind="rows",
        says={
            "en": "Every rating of a driver can be read and lies on the scale that was asked.",
            "nl": "Elke beoordeling van een onderdeel is te lezen en ligt op de schaal die is gevraagd.",
        },
        condition=IsTrue("drivers_are_readable"),
        most=SHARE,
    ),
    Rule(
        name="segments_are_text",
        kind="rows",
        says={
            "en": "Every segment is readable text of at most 200 characters.",
            "nl": "Elk segment is leesbare tekst van hoogstens 200 tekens.",
        },
        condition=IsTrue("segments_are_text"),
        most=SHARE,
    ),
    Rule(
        name="counts_are_not_negative",
        kind="rows",
        says={
            "en": "No number of people is negative.",
            "nl": "Geen aantal mensen is negatief.",
        },
        condition=Satisfies(
            "least(told_count, told_count_most, acted_count, warned_count, warned_count_most, warned_acted_count) >= 0"
        ),
        most=SHARE,
    ),
)
