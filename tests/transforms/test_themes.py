"""Themes: the formula against a hand and against numpy, which words may be shown, and what nobody can subtract."""

import random
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.demo.remarks import REMARKS
from tests.transforms.voices import FILLER, Voice, opened, scored, themed, voices
from tests.transforms.waves import key
from transforms.themes import stop_words, themes

PASSIVE, DETRACTOR = 7, 3


def shown(said: list[Voice], *, path: str = "", kind: str = "promoters", **options: Any) -> list[str]:
    found = themed([*said, *(voice._replace(department=path) for voice in FILLER)], **options)
    return list(found.loc[(found["path"] == path) & (found["kind"] == kind), "theme"])


def test_the_figures_are_those_of_a_hand() -> None:
    """Of 40 promoters 30 say coffee, of 40 others 10: y 30 and 10, n 40 each, a = 500 × 40/80 = 250."""
    said = voices(
        (30, Voice("coffee")), (10, Voice("view")), (10, Voice("coffee", DETRACTOR)), (30, Voice("view", DETRACTOR))
    )
    with opened(said) as (connection, _):
        row = scored(connection, least=-99).set_index(["kind", "theme"]).loc[("promoters", "coffee")]
    difference = log(280 / (40 + 500 - 280)) - log(260 / (40 + 500 - 260))
    assert row["log_odds"] == pytest.approx(difference, abs=1e-9)
    assert row["z_score"] == pytest.approx(difference / sqrt(1 / 280 + 1 / 260), abs=1e-9)
    assert (row["respondents"], row["silent"]) == (30, 10)


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_are_those_of_numpy_on_random_corpora(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = np.array([f"w{chr(97 + place)}x" for place in range(12)])
    uses = rng.random((300, 12)) < rng.uniform(0.05, 0.5, 12)
    scores = rng.choice([9, 7, 3], 300)
    paths = rng.choice(["", "Ships", key("Ships", "Texel")], 300)
    # a full stop between words: no pairs; and each word said twice, which counts once
    said = [
        Voice(". ".join([*words[row], *words[row]]) or "-", int(score), path)
        for row, score, path in zip(uses, scores, paths, strict=True)
    ]
    with opened(said) as (connection, tree):
        found = scored(connection, least=-99, min_respondents=3)
    paths_of = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    assert len(found) > 30
    for row in found.to_dict("records"):
        inside = np.array([str(path).startswith(paths_of[row["department_id"]]) for path in paths])
        own = inside & (scores == SCORES[row["kind"]])
        others, word = inside & ~own, list(words).index(row["theme"])
        a = (500 * uses.sum(axis=0) / uses.sum())[word]
        y, n = uses[own].sum(axis=0)[word], uses[own].sum()
        y_others, n_others = uses[others].sum(axis=0)[word], uses[others].sum()
        odds = np.log((y + a) / (n + 500 - y - a)) - np.log((y_others + a) / (n_others + 500 - y_others - a))
        assert row["log_odds"] == pytest.approx(odds, abs=1e-9)
        z = odds / np.sqrt(1 / (y + a) + 1 / (y_others + a))
        assert row["z_score"] == pytest.approx(z, abs=1e-9)
        assert row["respondents"] == y
        assert row["silent"] == own.sum() - y


SCORES = {"promoters": 9, "passives": 7, "detractors": 3}
BASE = voices((60, Voice("the view")), (60, Voice("a queue", DETRACTOR)), (60, Voice("some noise", PASSIVE)))


def test_each_group_has_the_words_that_set_it_apart() -> None:
    said = [*BASE, *voices((60, Voice("friendly crew")), (60, Voice("too expensive", PASSIVE)))]
    said += voices((60, Voice("no information", DETRACTOR)))
    assert shown(said) == ["friendly crew", "view"]
    assert shown(said, kind="passives") == ["expensive", "noise"]
    assert shown(said, kind="detractors") == ["information", "queue"]


def test_a_word_that_fewer_than_the_minimum_of_the_group_used_is_not_shown() -> None:
    few = voices((9, Voice("coffee")))
    assert "coffee" not in shown([*BASE, *few], min_respondents=10)
    assert "coffee" in shown([*BASE, *few, *few])


def test_one_respondent_counts_once_however_often_he_writes() -> None:
    again = voices((50, Voice("coffee coffee coffee", respondent="one")))
    assert "coffee" not in shown([*BASE, *again])
    others = voices(*((1, Voice("coffee", respondent=str(number))) for number in range(30)))
    found = themed([*BASE, *again, *others])
    assert found.set_index(["kind", "theme"]).loc[("promoters", "coffee"), "respondents"] == 31


def test_a_word_that_all_but_a_few_of_a_group_used_is_not_shown() -> None:
    others = voices((60, Voice("a queue", DETRACTOR)))
    all_but = voices((60, Voice("coffee")))
    assert shown([*all_but, *others]) == []
    assert shown([*all_but, *others, *voices((9, Voice("view")))]) == []
    assert "coffee" in shown([*all_but, *others, *voices((10, Voice("view")))])


def test_what_is_left_of_a_words_users_by_subtraction_is_nobody_or_enough() -> None:
    """Of the organisation's users of coffee all but three are Texel's: Texel does not show it."""
    texel = key("Texel")
    there = [voice._replace(department=texel) for voice in BASE]
    coffee = voices((40, Voice("coffee", department=texel)))
    three, ten = voices((3, Voice("coffee"))), voices((10, Voice("coffee")))
    rest = voices((60, Voice("a view")), (60, Voice("a queue", DETRACTOR)))
    assert "coffee" in shown([*there, *coffee, *rest], path=texel)
    assert "coffee" not in shown([*there, *coffee, *rest, *three], path=texel)
    assert "coffee" in shown([*there, *coffee, *rest, *three])
    assert "coffee" in shown([*there, *coffee, *rest, *ten], path=texel)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=60, max_size=200))
@settings(max_examples=12, deadline=None)
def test_no_remainder_of_any_shown_word_is_a_few(drawn: list[tuple[int, bool, bool]]) -> None:
    paths = ["", "A", key("A", "B"), key("A", "B", "C"), key("A", "D"), "E", key("E", "F")]
    said = [Voice("coffee" if uses else "view", 9 if promotes else 3, paths[where]) for where, uses, promotes in drawn]
    least = 4
    with opened(said) as (connection, tree):
        everything = scored(connection, least=-99, min_respondents=least)
        found = themes(everything, tree, min_respondents=least)
    path_of = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    speakers = everything.set_index(["department_id", "kind", "theme"])["silent"]
    for (kind, theme), group in found.groupby(["kind", "theme"]):
        rows = {
            path_of[row["department_id"]]: (row["respondents"], speakers[(row["department_id"], kind, theme)])
            for row in group.to_dict("records")
        }
        for path, whole in rows.items():
            below = [other for other in rows if other != path and _is_below(other, path)]
            topmost = [one for one in below if not any(_is_below(one, other) for other in below if other != one)]
            for side in (0, 1):
                left = whole[side] - sum(rows[one][side] for one in topmost)
                assert left == 0 or left >= least, (kind, theme, path)


def _is_below(path: str, above: str) -> bool:
    return path != above and (above == "" or path.startswith(above + "\x1f"))


def test_a_suppressed_department_has_no_themes() -> None:
    both = [*BASE, *voices((60, Voice("coffee")))]
    said = [voice._replace(department="Texel") for voice in both] + both
    assert shown(said, path="Texel") == ["coffee", "view"]
    assert shown(said, path="Texel", hidden=["Texel"]) == []


def test_languages_are_apart() -> None:
    dutch = [voice._replace(comment="mooi", language="nl") for voice in BASE if voice.score == 9]
    others = [voice._replace(comment="rij", language="nl") for voice in BASE if voice.score != 9]
    more = voices((20, Voice("haven", language="nl")))
    found = themed([*BASE, *voices((30, Voice("crew"))), *dutch, *others, *more])
    assert set(found.loc[found["language"] == "nl", "theme"]) <= {"mooi", "haven", "rij"}
    assert not set(found.loc[found["language"] == "en", "theme"]) & {"mooi", "haven", "rij"}


@pytest.mark.parametrize(
    ("comment", "terms"),
    [
        ("On time. Crew was kind", {"time", "on time", "crew", "kind"}),
        ("coffee, view", {"coffee", "view"}),
        ("thanks [name] crew", {"thanks", "crew"}),
        ("thanks [phone number]crew", {"thanks", "crew"}),
        ("the crew and the view", {"crew", "view"}),
        ("it is what it is", set()),
        ("CAFÉ cafe\u0301 café", {"café", "café café"}),
        ("mail bob@post.example or call 0612345678 now2 x-9 a.b", {"mail", "call"}),
        ("don\u2019t don't self-service", {"self-service"}),
        ("no stress no-one", {"stress", "no stress", "no-one", "stress no-one"}),
        ("<script>alert(1)</script>", {"script", "alert"}),
        ("'; drop table core.comments; --", {"drop", "table", "drop table"}),
        ("שלום \u202egnp.exe", {"שלום"}),
        ("😀😀 🚢", set()),
        ("what a fucking shame", {"shame"}),
        ("we thanked Sietske there", {"thanked"}),
        ("we thanked els there", {"thanked"}),
    ],
)
def test_terms_are_words_of_content_and_pairs_that_stand_together(comment: str, terms: set[str]) -> None:
    with opened([Voice(comment)], names=["els"]) as (connection, _):
        found = {term for (term,) in connection.execute("select term from terms").fetchall()}
    assert found == terms


def test_what_is_mostly_written_as_a_name_is_none_of_the_themes() -> None:
    said = [*BASE, *voices((30, Voice("and Sietske helped")), (5, Voice("sietske helped")))]
    assert shown(said) == ["view", "helped"]


def test_two_terms_that_the_same_people_say_are_shown_once() -> None:
    copied = voices((40, Voice("Smooth crossing. Lovely view. Dog welcome.")))
    said = [*copied, *voices((60, Voice("a harbour")), (60, Voice("a queue", DETRACTOR)))]
    assert len(set(shown(said)) & {"smooth crossing", "smooth", "lovely view", "dog welcome", "dog"}) == 1


def test_a_word_and_its_pair_are_both_shown_only_where_enough_say_the_word_alone() -> None:
    pair, others = voices((40, Voice("smooth crossing"))), [*BASE, *voices((80, Voice("queue", DETRACTOR)))]
    few, many = voices((5, Voice("crossing"))), voices((40, Voice("crossing")))
    assert not {"crossing", "smooth"} & set(shown([*pair, *few, *others]))
    assert {"smooth crossing", "crossing"} <= set(shown([*pair, *many, *others]))


def test_at_most_ten_are_shown_best_first() -> None:
    words = [f"word{chr(97 + place)}" for place in range(15)]
    said = [*BASE, *(Voice(word) for place, word in enumerate(words) for _ in range(40 + place)), *BASE[60:]]
    found = themed(said)
    promoters = found[found["kind"] == "promoters"]
    assert list(promoters["position"]) == list(range(1, 11))
    assert promoters["z_score"].is_monotonic_decreasing
    assert (found["z_score"] >= 1.95).all()


def test_the_same_comments_give_the_same_themes_in_any_order_and_on_any_number_of_threads() -> None:
    said = _demo(3000)
    mixed = random.Random(1).sample(said, len(said))
    first = themed(said, threads=1)
    pd.testing.assert_frame_equal(first, themed(mixed, threads=4))
    assert len(first) > 20


def _demo(count: int) -> list[Voice]:
    draw = random.Random(7)
    kinds = {"promoter": 9, "passive": 7, "detractor": 3}
    said = []
    for _ in range(count):
        language, kind = draw.choice(["nl", "en"]), draw.choice(["promoter", "promoter", "passive", "detractor"])
        path = draw.choice(["", "Ships", key("Ships", "Texel"), "Ports"])
        said.append(Voice(draw.choice(REMARKS[language][kind]), kinds[kind], path, language))
    return said


def test_words_of_promoters_in_the_demo_are_found_and_those_of_others_are_not() -> None:
    found = themed(_demo(3000))
    for language in ("nl", "en"):
        said = {kind: " ".join(texts).lower() for kind, texts in REMARKS[language].items()}
        rows = found[(found["path"] == "") & (found["language"] == language)]
        for kind in ("promoter", "passive"):
            terms = list(rows.loc[rows["kind"] == f"{kind}s", "theme"])
            assert len(terms) >= 3
            assert all(term in said[kind] for term in terms)


def test_hostile_comments_are_harmless_and_quickly_read() -> None:
    hostile = ["a" * 10_000_000, "a b " * 2_000_000, "[" * 100_000, "\u0301" * 100_000, "'-" * 100_000, "\x00\ufffe"]
    found = themed([*BASE, *(Voice(comment) for comment in hostile)])
    assert set(found["theme"]) <= {"view", "noise", "a queue", "queue"}


def test_where_nobody_writes_there_are_no_themes() -> None:
    assert themed([]).empty
    assert themed(voices((50, Voice("coffee", score=None)), (50, Voice("  ")))).empty


def test_stop_words_of_both_languages_stand_once_each() -> None:
    frame = stop_words()
    assert not frame.duplicated(["language", "word"]).any()
    assert set(frame["language"]) == {"nl", "en"}
    assert (frame["word"] == frame["word"].str.lower()).all()
