"""Quotes: what may be quoted, whose words they are, and that their choice and order tell nothing."""

import random
from typing import Any

import pandas as pd
import pytest

from tests.transforms.voices import FILLER, Voice, quoted, voices
from tests.transforms.waves import key
from transforms.quotes import quotes

GOOD = "The friendly crew made our day."
ALSO = "A friendly crew, and such a lovely view!"
OTHERS = FILLER + voices(
    (40, Voice("The queue was long", 3)),
    (20, Voice("Friendly crew")),
    (20, Voice("What a lovely view", told=0)),
    (12, Voice("Made our day", told=0)),
    (3, Voice("And such", told=0)),
)
Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names


def said(*comments: str, **options: Any) -> list[str]:
    """The quotes of the organisation where superpromoters wrote these besides."""
    found = quoted([*OTHERS, *(Voice(comment) for comment in comments)], **options)
    return list(found.loc[found["path"] == "", "quote"])


def test_a_quote_says_a_theme_in_its_authors_words() -> None:
    assert said(GOOD, "And such a long queue it was") == [GOOD]


@pytest.mark.parametrize(
    "comment",
    [
        "Friendly crew",  # short
        "The friendly crew made our day and " * 8,  # long
        "The friendly crew made our day, [name].",
        "The friendly crew made our day 2.",
        "The friendly crew made our day!!",
        "THE FRIENDLY CREW made our day",
        "The friendly crew made our day <b>",
        "The friendly crew made our day.The view",
        "The friendly crew made our day www",
        "The friendly crew made our day @crew",
        "The friendly crew made our day \U0001f600",
        "The friendly crew made our day \u202e",
        "The friendly fucking crew made our day.",
        "The friendly crew made our zeppelin day.",  # a word that is nobody else's
        "The long queue made our day.",  # no theme
    ],
)
def test_what_is_not_fit_to_be_quoted_is_not(comment: str) -> None:
    others = voices((2, Voice("www fucking zeppelin", told=0)) if "zeppelin" not in comment else (0, Voice("")))
    found = quoted([*OTHERS, *others, Voice(comment), Voice(GOOD)])
    assert set(found["quote"]) == {GOOD}


def test_what_few_write_and_write_like_a_name_keeps_a_comment_from_being_quoted() -> None:
    named = "The friendly crew and Sietske made our day."
    assert said(named, named.replace("crew", "crew, crew")) == []
    assert said(GOOD.replace("crew", "crew els"), "els such", names=["els"]) == []


def test_only_superpromoters_are_quoted_or_promoters_where_it_was_not_asked_who_is_one() -> None:
    assert said(GOOD) == [GOOD]
    silent = Voice(GOOD, told=0)
    assert quoted([*OTHERS, silent]).empty
    ways: tuple[dict[str, Any], ...] = ({"told_is_asked": False}, {"acted_is_asked": False, "copied_is_asked": False})
    for asked in ways:
        assert GOOD in set(quoted([*OTHERS, silent], **asked)["quote"])
        assert quoted([*OTHERS, silent._replace(score=8)], **asked)["quote"].isin([GOOD]).sum() == 0


def test_a_department_with_too_few_superpromoters_who_wrote_has_no_quotes() -> None:
    few = [*OTHERS, Voice(GOOD)]
    assert set(quoted(few, min_respondents=10)["quote"]) == {GOOD}
    silenced = [voice._replace(told=0) if voice.comment == "Friendly crew" else voice for voice in few]
    assert quoted([*silenced, *voices((8, Voice("Friendly crew")))]).empty
    assert not quoted([*silenced, *voices((9, Voice("Friendly crew")))]).empty


def test_a_suppressed_department_has_no_quotes_of_its_own() -> None:
    texel = key("Texel")
    there = [voice._replace(department=texel) for voice in [*OTHERS, Voice(GOOD)]]
    assert set(quoted([*there, *OTHERS])["path"]) == {"", texel}
    assert set(quoted([*there, *OTHERS], hidden=[texel])["path"]) == {""}


def test_a_respondent_is_quoted_by_his_newest_comment_and_once() -> None:
    twice = [Voice(GOOD, respondent="one"), Voice(ALSO, respondent="one")]
    assert set(quoted([*OTHERS, *twice])["quote"]) == {ALSO}


def test_of_quotes_that_share_a_sentence_one_is_shown() -> None:
    crew, view = "Friendly crew, from the captain to the cook.", "What a view, and seals on the sandbank."
    written = [f"{crew} {view}", f"{crew} Right on time, and we saw the whole harbour.", "A hook for every bike."]
    candidates = pd.DataFrame({"quote": written, "draw": ["b", "c", "a"]}).assign(department_id="all", language="en")
    assert list(quotes(candidates)["quote"]) == [written[2], written[0]]


def test_quotes_say_most_themes_and_no_two_say_nearly_the_same() -> None:
    alike = ["The friendly crew made our day, such a day.", "Our day: made, and such friendly crew."]
    found = said(GOOD, *alike, ALSO)
    assert ALSO in found
    assert len(found) == 2


def test_at_most_three_are_shown_and_their_order_hangs_on_the_homes_secret_alone() -> None:
    many = [
        "Such a lovely view was made our queue.",
        "Friendly crew, what a long long day.",
        "Day and view and crew: friendly, and lovely view.",
        "The long queue: what friendly crew made.",
        "Our lovely view and the queue.",
    ]
    orders = {tuple(said(*many, key=str(secret))) for secret in range(6)}
    assert all(len(order) == 3 for order in orders)
    assert len(orders) > 2
    assert said(*many, key="one") == said(*many, key="one", threads=1)


def test_the_same_comments_give_the_same_quotes_on_any_number_of_threads() -> None:
    rows = [*OTHERS, *(Voice(comment) for comment in (GOOD, ALSO)), *OTHERS]
    rows = random.Random(3).sample(rows, len(rows))
    pd.testing.assert_frame_equal(quoted(rows, threads=1), quoted(rows, threads=4))


def test_where_nobody_writes_there_are_no_quotes() -> None:
    assert quoted([]).empty
