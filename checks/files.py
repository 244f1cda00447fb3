"""Rules for core.batches and the files behind them: the contract of what came in, and that no record is lost.

The flow keeps a table of one row per file with the columns that are named here; what is not known yet is NULL.
"""

from checks.conditions import Between, Satisfies, Share
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="file_has_records",
        kind="contract",
        says={
            "en": "Every file that came in holds answers.",
            "nl": "Elk bestand dat binnenkwam bevat antwoorden.",
        },
        condition=Between("in_count", 1, None),
    ),
    Rule(
        name="columns_are_mapped",
        kind="contract",
        says={
            "en": "Every question that the survey uses has its column in every file.",
            "nl": "Elke vraag die het onderzoek gebruikt, heeft in elk bestand een kolom.",
        },
        condition=Satisfies(
            "list_has_all(list_transform(columns, lambda name: lower(name)),"
            " list_transform(mapped_columns, lambda name: lower(name)))"
        ),
    ),
    Rule(
        name="columns_are_as_before",
        kind="contract",
        says={
            "en": "The columns are those of the file before.",
            "nl": "De kolommen zijn die van het vorige bestand.",
        },
        condition=Satisfies("columns = columns_before"),
        severity="warning",
    ),
    Rule(
        name="record_is_readable",
        kind="contract",
        says={
            "en": "Every record can be told apart from the next.",
            "nl": "Elk record is van het volgende te onderscheiden.",
        },
        condition=Share("rejected_count", "in_count"),
        most=0.02,
    ),
    Rule(
        name="records_add_up",
        kind="contract",
        says={
            "en": "What came in is what was accepted, what lies in quarantine, and what was there twice.",
            "nl": "Wat binnenkwam is wat is aanvaard, wat in quarantaine ligt en wat er dubbel in stond.",
        },
        condition=Satisfies("in_count = accepted_count + quarantined_count + dropped_count"),
    ),
)
