"""The sentences that depend on figures: singular, plural, nobody and hardly anybody are told apart."""

import pytest

from tests.transforms.report.editions import metric
from transforms.report import sentences
from transforms.report.figures import Carried, People, people
from transforms.report.words import Words

EN, NL = Words("en"), Words("nl")


@pytest.mark.parametrize(
    ("found", "en", "nl"),
    [
        (
            People(10, 5, 2),
            "Of every 10 passengers 5 would gladly recommend us; 2 of them did, and someone came along.",
            "Van elke 10 reizigers bevelen 5 ons graag aan; 2 van hen deden het, en er kwam iemand mee.",
        ),
        (
            People(10, 1, 1),
            "Of every 10 passengers 1 would gladly recommend us; 1 of them did, and someone came along.",
            "Van elke 10 reizigers beveelt 1 ons graag aan; 1 van hen deed het, en er kwam iemand mee.",
        ),
        (
            People(10, 5, 0),
            "Of every 10 passengers 5 would gladly recommend us; not one of them did so with effect.",
            "Van elke 10 reizigers bevelen 5 ons graag aan; niemand van hen deed het met effect.",
        ),
        (
            People(100, 48, 0),
            "Of every 100 passengers 48 would gladly recommend us; hardly one of them did so with effect.",
            "Van elke 100 reizigers bevelen 48 ons graag aan; nauwelijks iemand van hen deed het met effect.",
        ),
        (
            People(10, 0, 0),
            "Of every 10 passengers not one would gladly recommend us.",
            "Van elke 10 reizigers beveelt niemand ons graag aan.",
        ),
        (
            People(100, 0, None),
            "Of every 100 passengers hardly one would gladly recommend us.",
            "Van elke 100 reizigers beveelt nauwelijks iemand ons graag aan.",
        ),
        (
            People(10, 6, None),
            "Of every 10 passengers 6 would gladly recommend us.",
            "Van elke 10 reizigers bevelen 6 ons graag aan.",
        ),
    ],
)
def test_the_sentence_that_tells_the_wave(found: People, en: str, nl: str) -> None:
    assert sentences.wave_in_people(EN, found, respondents="passengers") == en
    assert sentences.wave_in_people(NL, found, respondents="reizigers") == nl


def test_how_far_enthusiasm_carries_is_one_sentence() -> None:
    found = Carried(48, 42, 10, 30, 1)
    en, nl = (sentences.how_far(words, found, is_asked=True) for words in (EN, NL))
    assert en == "Of 100 respondents 48 would gladly recommend us, 30 told others, and for 1 someone came along."
    assert nl == "Van 100 respondenten bevelen 48 ons graag aan, vertelden 30 het verder, en bij 1 kwam iemand mee."


def test_what_was_not_asked_is_said_and_not_guessed() -> None:
    found = Carried(48, 42, 10, None, None)
    assert sentences.how_far(EN, found, is_asked=False).endswith(
        "Whether they did, and what came of it, was not asked."
    )
    assert "too few answered" in sentences.how_far(EN, found, is_asked=True)


@pytest.mark.parametrize(
    ("change", "low", "high", "is_significant", "first", "second"),
    [
        (3.4, 1.2, 5.6, True, "The NPS is 3 points higher than in September.",
 "That is beyond chance: the rise lies between 1 and 6."),
        (-1.0, -3.0, 1.0, False, "The NPS is 1 point lower than in September.",
 "That could be chance: the difference lies between −3 and 1."),
        (-9.0, -14.0, -4.0, True, "The NPS is 9 points lower than in September.",
 "That is beyond chance: the fall lies between 4 and 14."),
        (0.2, -4.0, 4.4, False, "The NPS is about the same as in September.",
 "That could be chance: the difference lies between −4 and 4."),
        (0.4, 0.1, 0.7, True, "The NPS is about the same as in September.",
 "The small difference is beyond chance: it lies between 0 and 1."),
    ],
)  # fmt: skip
def test_a_change_is_told_with_its_interval_and_follows_the_adjusted_p_value(
    change: float, low: float, high: float, is_significant: bool, first: str, second: str
) -> None:
    found = metric(48, 42, 10, nps_change=change, nps_change_low=low, nps_change_high=high)
    object.__setattr__(found, "previous_wave", "2026-09")
    object.__setattr__(found, "is_change_significant", is_significant)
    assert sentences.change(EN, found) == f"{first} {second}"
    told = sentences.change(NL, found)
    assert told is not None and ("meer dan toeval" in told) == is_significant


def test_nothing_that_rose_or_fell_is_said_as_well() -> None:
    assert sentences.fell(EN, 0, wave="September", is_whole=True) == "No department fell beyond chance since September."
    assert (
        sentences.rose(NL, 1, wave="september", is_whole=True) == "Eén afdeling steeg meer dan toeval sinds september."
    )
    assert (
        sentences.fell(NL, 3, wave="september", is_whole=True)
        == "Drie afdelingen liepen meer dan toeval terug sinds september."
    )


def test_what_can_be_shown_never_says_why() -> None:
    assert sentences.can_be_shown(EN, 12, 14) == "Twelve of the 14 departments can be shown."
    assert sentences.can_be_shown(NL, 1, 14) == "Eén van de 14 afdelingen kan worden getoond."
    assert sentences.can_be_shown(EN, 2, 2) == "Both departments can be shown."
    assert sentences.can_be_shown(EN, 0, 2) == "None of the departments can be shown."
    assert "name no departments" in sentences.can_be_shown(EN, 0, 0)


def test_the_shares_are_printed_as_they_add_up() -> None:
    assert sentences.difference_in_shares(EN, metric(48, 42, 10)) == "48% promoters less 10% detractors."
    assert sentences.difference_in_shares(NL, metric(484, 408, 108)) == "48,4% promotors min 10,8% criticasters."


def test_whole_people_come_from_unrounded_rates() -> None:
    assert people(metric(1449, 1000, 551)).promoters == 5  # 48.3 %
    assert people(metric(449, 500, 51)).promoters == 4  # 44.9 %, not 45 and then 5
