import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.roles import Roles
from flows.settings import WaveColumn, WaveValue
from transforms import TransformError
from transforms.responses import columns_needed, conform, describe, mapping_hash
from transforms.roles import Wave
from warehouse.landing import land, open_relation
from warehouse.store import Store

SEP = chr(31)
KEY = bytes(range(32))
Rows = list[dict[str, Any]]
Conform = Callable[..., Rows]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch", threads=2) as opened:
        yield opened


def mapped(**roles: Any) -> Roles:
    return Roles.model_validate({"score": "score", **roles})


@pytest.fixture
def conformed(store: Store) -> Conform:
    """Rows of text in, what core.incoming would hold out, as dictionaries in order."""

    def _conformed(roles: Roles, *answers: Mapping[str, str | None], **stated: Any) -> Rows:
        columns = list(dict.fromkeys(column for answer in answers for column in answer))
        store.run("create or replace table core.came (" + ", ".join(f'"{c}" varchar' for c in columns) + ")")
        for answer in answers:
            places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
            store.connection.execute(f"insert into core.came values ({places})", [answer.get(c) for c in columns])
        options = {"survey": "s", "wave": WaveValue(value="w"), "timezone": "UTC", "key": KEY, **stated}
        select = conform(roles, columns, relation="core.came", **options)
        store.run(f"create or replace table core.incoming as {select.sql}", select.parameters)
        result = store.connection.execute("select * from core.incoming order by rowid")
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    return _conformed


def one(conformed: Conform, role: str, raw: str | None, *, mapping: Any = None, **stated: Any) -> dict[str, Any]:
    roles = mapped(**{role: mapping or role})
    (row,) = conformed(roles, {"score": "9", role: raw}, **stated)
    return row


def test_it_makes_the_columns_of_core_responses_and_the_flags_of_the_checks(conformed: Conform, store: Store) -> None:
    (row,) = conformed(mapped(), {"score": "9"})
    table = store.rows(
        "select column_name from information_schema.columns where table_schema = 'core' and table_name = 'responses'"
    )
    flags = {f"{role}_is_readable" for role in ("score", "weight", "responded_at", "copied")}
    flags |= {f"{role}_is_readable" for role in ("told_count", "acted_count", "warned_count", "warned_acted_count")}
    made = {name for (name,) in table} - {"batch", "record_number"}
    flags |= {"department_levels_are_text", "drivers_are_readable", "segments_are_text"}
    where_mapped = {"comment", "comment_language", "drivers", "segments", "stratum_key", "cluster_key"}
    assert set(row) == (made - where_mapped) | flags | {"original"}
    assert all(row[flag] for flag in flags)
    assert (row["survey"], row["wave"], row["department_key"], row["score"]) == ("s", "w", "", 9)
    assert row["is_contradictory"] is False
    store.run("insert into core.responses by name select 1 as batch, rowid + 1 as record_number, * exclude"
              f" ({', '.join(sorted(flags))}, original) from core.incoming")  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "score", "is_readable"),
    [
        ("9", 9, True),
        (" 9 ", 9, True),
        ("9.0", 9, True),
        ("", None, True),
        ("  ", None, True),
        (None, None, True),
        ("11", 11, True),  # off its scale: kept, for the row check
        ("-3", -3, True),
        ("9.6", None, False),
        ("nine", None, False),
        ("9,0", None, False),
        ("100000", None, False),
        ("nan", None, False),
        ("inf", None, False),
        ("9\0", None, False),
        ("9; drop table core.came", None, False),
    ],
)
def test_a_score_is_a_whole_number_missing_or_not_readable(
    conformed: Conform, raw: str | None, score: int | None, is_readable: bool
) -> None:
    (row,) = conformed(mapped(), {"score": raw})
    assert (row["score"], row["score_is_readable"]) == (score, is_readable)


def test_missing_codes_are_the_same_as_text_and_as_numbers(conformed: Conform) -> None:
    roles = mapped(score={"column": "score", "missing": [11, "NA"]})
    rows = conformed(roles, *({"score": raw} for raw in ("11", "11.0", " 11", "1.1e1", "NA", "na", "10")))
    assert [(row["score"], row["score_is_readable"]) for row in rows] == [
        *[(None, True)] * 5,
        (None, False),
        (10, True),
    ]


def test_mapped_values_stand_for_what_they_mean_and_others_are_not_readable(conformed: Conform) -> None:
    roles = mapped(score={"column": "score", "values": {"certainly": 10, "5": 9, "no": 0}, "missing": ["?"]})
    rows = conformed(roles, *({"score": raw} for raw in ("certainly", "5.0", "no", "?", "", "7", "it's")))
    assert [row["score"] for row in rows] == [10, 9, 0, None, None, None, None]
    assert [row["score_is_readable"] for row in rows] == [True] * 5 + [False] * 2


def test_of_a_band_both_bounds_are_kept(conformed: Conform) -> None:
    values = {"never": 0, "1-3": [1, 3], "4 or more": [4, 99]}
    told = {"column": "told_count", "values": values}
    for raw, bounds in (("never", (0, 0)), ("1-3", (1, 3)), ("4 or more", (4, 99)), ("", (None, None))):
        row = one(conformed, "told_count", raw, mapping=told)
        assert (row["told_count"], row["told_count_most"]) == bounds
    row = one(conformed, "told_count", "2")
    assert (row["told_count"], row["told_count_most"]) == (2, 2)
    assert one(conformed, "told_count", "2.5")["told_count_is_readable"] is False


@pytest.mark.parametrize(
    ("raw", "meant"),
    [("yes", True), ("JA", True), ("1", True), ("true", True), ("No", False), ("nee", False), ("0", False), ("", None)],
)
def test_copied_is_yes_or_no(conformed: Conform, raw: str, meant: bool | None) -> None:
    row = one(conformed, "copied", raw)
    assert (row["is_copied"], row["copied_is_readable"]) == (meant, True)


def test_copied_may_be_mapped(conformed: Conform) -> None:
    mapping = {"column": "copied", "values": {"someone did": True, "nobody": False}}
    answers = [one(conformed, "copied", raw, mapping=mapping) for raw in ("someone did", "nobody", "maybe")]
    assert [row["is_copied"] for row in answers] == [True, False, None]
    assert [row["copied_is_readable"] for row in answers] == [True, True, False]


def test_weights_are_decimal_and_a_negative_one_stays_for_the_check(conformed: Conform) -> None:
    assert one(conformed, "weight", "0.28471771428571")["weight"] == Decimal("0.2847177143")
    assert one(conformed, "weight", "-1")["weight"] == -1
    for raw in ("1e400", "inf", "nan", "0,85", "999999999"):
        row = one(conformed, "weight", raw)
        assert (row["weight"], row["weight_is_readable"]) == (None, False)


def test_answers_that_contradict_each_other_are_void_and_the_row_stays(conformed: Conform) -> None:
    roles = mapped(
        told_count={"column": "told", "values": {"1-3": [1, 3], "-1": -1}},
        acted_count="acted",
        copied="copied",
        warned_count="warned",
        warned_acted_count="heeded",
    )
    void, fits, negative = conformed(
        roles,
        {"score": "9", "told": "1-3", "acted": "4", "copied": "yes", "warned": "2", "heeded": "2"},
        {"score": "9", "told": "1-3", "acted": "3", "copied": "no", "warned": "1", "heeded": "2"},
        {"score": "9", "told": "-1", "acted": "0", "copied": "no", "warned": None, "heeded": "2"},
    )
    told = ("told_count", "told_count_most", "acted_count")
    warned = ("warned_count", "warned_count_most", "warned_acted_count")
    assert [void[name] for name in (*told, *warned, "is_copied")] == [None, None, None, 2, 2, 2, True]
    assert [fits[name] for name in (*told, *warned)] == [1, 3, 3, None, None, None]
    assert [negative[name] for name in (*told, *warned)] == [-1, -1, 0, None, None, 2]
    assert [row["is_contradictory"] for row in (void, fits, negative)] == [True, True, False]
    assert [row["score"] for row in (void, fits, negative)] == [9, 9, 9]
    assert void["acted_count_is_readable"]


# --- time and wave ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2026-07-01 10:00", datetime(2026, 7, 1, 8)),
        ("2026-01-01T10:00:00", datetime(2026, 1, 1, 9)),
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10)),
        ("2026-01-01T10:00:00+05:30", datetime(2026, 1, 1, 4, 30)),
        ("2026-01-01 10:00:00-05", datetime(2026, 1, 1, 15)),
        ("2026-07-01 10:00:00 America/New_York", datetime(2026, 7, 1, 14)),
        ("2026-07-01", datetime(2026, 6, 30, 22)),
        ("01-07-2026", None),
        ("2026-02-30", None),
        ("infinity", None),
        ("soon", None),
    ],
)
def test_a_time_without_a_zone_is_the_organisation_s(conformed: Conform, raw: str, instant: datetime | None) -> None:
    row = one(conformed, "responded_at", raw, timezone="Europe/Amsterdam")
    assert (row["responded_at"], row["responded_at_is_readable"]) == (instant, instant is not None)


def test_a_stated_format_goes_before(conformed: Conform) -> None:
    plain = {"column": "responded_at", "format": "%d/%m/%Y %H:%M"}
    row = one(conformed, "responded_at", "02/07/2026 10:00", mapping=plain, timezone="Europe/Amsterdam")
    assert row["responded_at"] == datetime(2026, 7, 2, 8)
    zoned = {"column": "responded_at", "format": "%d/%m/%Y %H:%M %z"}
    row = one(conformed, "responded_at", "02/07/2026 10:00 -0100", mapping=zoned, timezone="Europe/Amsterdam")
    assert row["responded_at"] == datetime(2026, 7, 2, 11)
    assert one(conformed, "responded_at", "2026-07-02", mapping=plain)["responded_at_is_readable"] is False


@pytest.mark.parametrize(
    ("wave", "label"), [("month", "2026-07"), ("quarter", "2026-Q3"), ("year", "2026"), (WaveValue(value="x"), "x")]
)
def test_a_wave_is_of_the_organisation_s_calendar(conformed: Conform, wave: Wave, label: str) -> None:
    row = one(conformed, "responded_at", "2026-06-30T22:30:00Z", timezone="Europe/Amsterdam", wave=wave)
    assert row["wave"] == label


def test_a_wave_may_be_a_label_in_the_data_or_unknown(conformed: Conform) -> None:
    answers = [{"score": "9", "Period": " spring "}, {"score": "9", "Period": " "}]
    assert [row["wave"] for row in conformed(mapped(), *answers, wave=WaveColumn(column="period"))] == ["spring", None]
    assert one(conformed, "responded_at", "?", wave="month")["wave"] is None


def test_an_expression_that_fails_on_one_row_makes_that_answer_unreadable(conformed: Conform) -> None:
    roles = mapped(responded_at={"sql": "make_date(2017, 5, day::int)"}, weight={"sql": "day::int + day::int"})
    rows = conformed(roles, *({"score": "9", "day": day} for day in ("3", "32", "x", None)), wave="month")
    assert [row["responded_at"] for row in rows] == [datetime(2017, 5, 3), None, None, None]
    assert [row["responded_at_is_readable"] for row in rows] == [True, False, False, True]
    assert [row["weight"] for row in rows] == [6, 64, None, None]


# --- who and where ---------------------------------------------------------------------------------------------------


def test_a_respondent_is_a_keyed_hash_that_nobody_can_make_without_the_key(conformed: Conform) -> None:
    roles = mapped(respondent_id="who")
    answers = [{"score": "9", "who": who} for who in ("ann", " ann ", "bob", "", None)]
    keys = [row["respondent_key"] for row in conformed(roles, *answers)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3:] == [None, None]
    others = [row["respondent_key"] for row in conformed(roles, *answers, key=KEY[::-1])]
    assert others[0] not in keys


def test_a_stratum_and_a_cluster_are_keyed_hashes_too_and_values_merge_strata(conformed: Conform) -> None:
    roles = mapped(stratum={"column": "line", "values": {"Oost": "East"}}, cluster="journey")
    rows = conformed(roles, *({"score": "9", "line": line, "journey": "7"} for line in ("East", "Oost", "West", "")))
    strata = [row["stratum_key"] for row in rows]
    assert strata[0] == strata[1] != strata[2]
    assert strata[3] is None
    assert {type(row["cluster_key"]) for row in rows} == {int}
    others = conformed(roles, {"score": "9", "line": "East", "journey": "7"}, key=KEY[::-1])
    assert others[0]["stratum_key"] not in strata


def test_the_key_is_in_no_text(conformed: Conform) -> None:
    select = conform(
        mapped(respondent_id="who"), ["score", "who"], survey="s", wave="month", timezone="UTC", key=KEY, relation="x"
    )
    assert len("".join(select.parameters.values())) >= len(KEY)
    for part in select.parameters.values():
        assert part not in repr(select)
        assert part not in select.sql


def test_a_response_s_key_is_its_id_else_the_whole_row(conformed: Conform) -> None:
    answers = [
        {"id": "1", "score": "9", "why": "a"},
        {"id": " ", "score": "9", "why": "a"},
        {"id": "1", "score": "9", "why": None},
        {"id": "1", "score": "9", "why": "a"},
    ]
    keys = [row["response_key"] for row in conformed(mapped(response_id="id"), *answers)]
    assert (keys[0], keys[2], keys[3]) == ("1", "1", "1")
    assert len(keys[1]) == 32
    for roles, stated in ((mapped(), {}), (mapped(response_id="id"), {"duplicates": "drop"})):
        keys = [row["response_key"] for row in conformed(roles, *answers, **stated)]
        assert keys[0] == keys[3]
        assert len(set(keys)) == 3


def test_a_department_is_a_path_that_ends_before_its_first_blank_level(conformed: Conform) -> None:
    roles = mapped(department=["a", {"column": "b", "missing": ["NA"]}, {"column": "c", "values": {"T": "Texel"}}])
    paths = {
        ("Ships", "North", "T"): f"Ships{SEP}North{SEP}Texel",
        (" Ships ", "North", None): f"Ships{SEP}North",
        ("Ships", "NA", "Vlieland"): "Ships",
        ("Ships", "", "T"): "Ships",
        (None, "North", "T"): "",
        ("Cafe\u0301", "../../etc/passwd", "x'); drop table t;"): f"Café{SEP}../../etc/passwd{SEP}x'); drop table t;",
        ("שלום", "<script>", "=cmd|x"): f"שלום{SEP}<script>{SEP}=cmd|x",
    }  # fmt: skip
    rows = conformed(roles, *({"score": "9", "a": a, "b": b, "c": c} for a, b, c in paths))
    assert [row["department_key"] for row in rows] == list(paths.values())
    assert all(row["department_levels_are_text"] for row in rows)


@pytest.mark.parametrize("name", ["a\0b", f"a{SEP}b", "a\nb", "a\x7f", "x" * 201])
def test_a_department_s_name_is_text(conformed: Conform, name: str) -> None:
    roles = mapped(department=["a", "b"])
    rows = conformed(roles, {"score": "9", "a": "Ships", "b": name}, {"score": "9", "a": "x" * 200, "b": None})
    assert [row["department_levels_are_text"] for row in rows] == [False, True]


def test_every_control_character_is_found_in_a_department_s_name_and_no_other_is_taken_for_one(
    conformed: Conform,
) -> None:
    controls = [chr(code) for code in (*range(1, 0x20), 0x7F)]
    others = [*map(chr, range(0x20, 0x7F)), "\x80", "é", "\u200f", "\U0001f6a2"]
    names = [f"a{character}b" for character in (*controls, *others)]
    rows = conformed(mapped(department=["a"]), *({"score": "9", "a": name} for name in names))
    assert [row["department_levels_are_text"] for row in rows] == [False] * len(controls) + [True] * len(others)


# --- the mapping -----------------------------------------------------------------------------------------------------


def test_columns_are_found_whatever_their_case_and_a_missing_one_is_named(conformed: Conform) -> None:
    (row,) = conformed(mapped(), {"SCORE": "9"})
    assert row["score"] == 9
    with pytest.raises(TransformError, match="column 'netpro' of role 'score'"):
        conformed(mapped(score="netpro"), {"score": "9"})


def test_a_column_s_name_is_never_sql(conformed: Conform) -> None:
    name = 'x"); drop table core.came; --'
    roles = mapped(score=name)
    select = conform(roles, [name], survey="s'; --", wave="month", timezone="UTC", key=KEY, relation="core.came")
    assert '"x""); drop table core.came; --"' in select.sql
    assert "'s''; --'" in select.sql


def test_columns_needed_are_those_that_the_mapping_names() -> None:
    roles = mapped(department=["a", {"sql": "left(b, 1)"}], weight="w", told_count="w")
    assert columns_needed(roles, WaveColumn(column="period")) == ("score", "w", "a", "period")
    assert columns_needed(roles, "month") == ("score", "w", "a")


def test_a_mapping_s_hash_changes_with_all_that_shapes_rows_and_nothing_else() -> None:
    stated: dict[str, Any] = {"wave": "month", "timezone": "UTC", "duplicates": "keep"}
    same = {mapping_hash(mapped(weight="w"), **stated) for _ in range(2)}
    assert len(same) == 1
    hashes = same | {
        mapping_hash(mapped(weight="v"), **stated),
        mapping_hash(mapped(weight="w", drivers={"crew": "q7"}), **stated),
        mapping_hash(mapped(weight="w", drivers={"staff": "q7"}), **stated),
        mapping_hash(mapped(weight="w", segments={"crew": "q7"}), **stated),
        mapping_hash(mapped(weight="w", comment="why"), **stated),
        mapping_hash(mapped(weight="w", comment={"column": "why", "language": "lang"}), **stated),
        mapping_hash(mapped(weight={"column": "w", "missing": ["0"]}), **stated),
        mapping_hash(mapped(weight={"column": "w", "values": {"a": 1}}), **stated),
        mapping_hash(mapped(weight={"column": "w", "values": {"a": 2}}), **stated),
        mapping_hash(mapped(weight="w"), **(stated | {"wave": "year"})),
        mapping_hash(mapped(weight="w"), **(stated | {"wave": WaveValue(value="month")})),
        mapping_hash(mapped(weight="w"), **(stated | {"timezone": "Europe/Amsterdam"})),
        mapping_hash(mapped(weight="w"), **(stated | {"duplicates": "drop"})),
    }
    assert len(hashes) == 14


def test_ratings_are_numbers_on_their_scale_by_the_driver_s_name(conformed: Conform) -> None:
    crew = {"column": "q7", "scale": [1, 5], "missing": [0, 6], "values": None}
    roles = mapped(drivers={"crew": crew, "it's food": {"column": "q8", "values": {"good": 2, "bad": 1}}})
    rows = conformed(roles, *({"score": "9", "q7": q7, "q8": q8} for q7, q8 in zip(
        ("5", "6", "", "9", "x", "4.5"), ("good", "bad", "", "good", "good", "so-so"), strict=True)))  # fmt: skip
    assert [row["drivers"] for row in rows][:3] == [
        {"crew": 5, "it's food": 2},
        {"crew": None, "it's food": 1},
        {"crew": None, "it's food": None},
    ]
    assert [row["drivers_are_readable"] for row in rows] == [True, True, True, False, False, False]


def test_comments_stay_as_they_were_written_and_segments_are_labels(conformed: Conform) -> None:
    roles = mapped(comment={"column": "why", "language": "lang", "missing": ["n/a"]}, segments={"ticket": "t"})
    said = [("  Great <b>crew</b>!\nReally ", "nl", "day"), ("n/a", "", ""), ("", "en", "a" * 201), (None, None, "x\0")]
    rows = conformed(roles, *({"score": "9", "why": why, "lang": lang, "t": t} for why, lang, t in said))
    assert [(row["comment"], row["comment_language"]) for row in rows] == [
        ("Great <b>crew</b>!\nReally", "nl"),
        (None, None),
        (None, "en"),
        (None, None),
    ]
    assert [row["segments"]["ticket"] for row in rows[:2]] == ["day", None]
    assert [row["segments_are_text"] for row in rows] == [True, True, False, False]


def test_the_rehearsal_shows_ratings_and_segments_and_never_a_comment(conformed: Conform, store: Store) -> None:
    roles = mapped(comment="why", drivers={"crew": {"column": "q7", "scale": [1, 5]}}, segments={"ticket": "t"})
    conformed(roles, *({"score": "9", "why": "call me", "q7": q7, "t": "day"} for q7 in ("5", "7", "")))
    columns = ["score", "why", "q7", "t"]
    sql = describe(roles, columns, wave=WaveValue(value="w"), timezone="UTC", relation="core.came")
    assert store.rows(f"select role, value, becomes, status from ({sql}) where role not in ('score', 'wave')") == [
        ("driver crew", "7", "7.0", "not readable"),
        ("driver crew", "5", "5.0", "read"),
        ("driver crew", None, None, "missing"),
        ("segment ticket", "day", "day", "read"),
    ]
    assert "call me" not in str(store.rows(sql))


def test_the_rehearsal_shows_what_each_value_becomes_and_counts_nothing(conformed: Conform, store: Store) -> None:
    told = {"column": "told", "values": {"never": 0, "1-3": [1, 3]}}
    roles = mapped(told_count=told, acted_count="acted", department=["unit"], respondent_id="who", response_id="who")
    answers = [("10", "1-3"), ("9", "never"), ("9", "1-3"), ("odd", "often"), ("", "1-3"), ("9", "never")]
    conformed(roles, *({"score": s, "told": t, "acted": "1", "unit": "A", "who": "ann"} for s, t in answers))
    columns = ["score", "told", "acted", "unit", "who"]
    sql = describe(roles, columns, wave=WaveValue(value="w"), timezone="UTC", relation="core.came", most=3)
    shown = store.rows(f"from ({sql}) where role in ('score', 'told_count', 'department', 'wave')")
    assert [row[:-1] for row in shown] == [
        ("department", "A", "A", "read"),
        ("score", "odd", None, "not readable"),
        ("score", "9", "9", "read"),
        ("score", "10", "10", "read"),
        ("told_count", "often", None, "not readable"),
        ("told_count", "1-3", "1–3", "read"),
        ("told_count", "never", "0", "read"),
        ("wave", "w", "w", "read"),
    ]
    assert "ann" not in str(store.rows(sql))


def test_the_rehearsal_speaks_of_each_department_level_by_itself_and_of_weights_as_they_are_written(
    conformed: Conform, store: Store
) -> None:
    roles = mapped(department=["unit", "team"], weight="w")
    answers = [("North", "a\nb", "0.6073"), ("North", "South", "10"), ("North", None, "0.5000000000")]
    conformed(roles, *({"score": "9", "unit": u, "team": t, "w": w} for u, t, w in answers))
    columns = ["score", "unit", "team", "w"]
    sql = describe(roles, columns, wave=WaveValue(value="w"), timezone="UTC", relation="core.came")
    shown = store.rows(f"from ({sql}) where role like 'department%' or role = 'weight'")
    assert [row[:-1] for row in shown] == [
        ("department 1", "North", "North", "read"),
        ("department 2", "a\nb", "a\nb", "not readable"),
        ("department 2", "South", "South", "read"),
        ("department 2", None, None, "missing"),
        ("weight", "0.5000000000", "0.5", "read"),
        ("weight", "0.6073", "0.6073", "read"),
        ("weight", "10", "10", "read"),
    ]


def test_the_rehearsal_shows_all_values_that_a_mapping_names_and_tells_how_many_others_there_are(
    conformed: Conform, store: Store
) -> None:
    values = {f"answer {number}": number % 11 for number in range(41)}
    roles = mapped(score={"column": "score", "values": values, "missing": ["none"]}, weight="w")
    said = [*values, "none", *(f"other {number:02}" for number in range(30))]
    conformed(roles, *({"score": text, "w": str(number + 1)} for number, text in enumerate(said)))
    sql = describe(roles, ["score", "w"], wave=WaveValue(value="w"), timezone="UTC", relation="core.came")
    scores = store.rows(f"select value, status, distinct_values from ({sql}) where role = 'score'")
    assert {value for value, status, _ in scores if status == "read"} == set(values)
    assert [value for value, status, _ in scores if status == "missing"] == ["none"]
    assert sum(status == "not readable" for _, status, _ in scores) == 20
    assert {count for *_, count in scores} == {72}
    weights = store.rows(f"select value, distinct_values from ({sql}) where role = 'weight'")
    assert (len(weights), {count for _, count in weights}) == (20, {72})


def test_the_rehearsal_shows_times_where_the_organisation_is_and_says_so(conformed: Conform, store: Store) -> None:
    roles = mapped(responded_at="at")
    conformed(roles, *({"score": "9", "at": at} for at in ("2026-09-30T23:30:00Z", "2026-11-02 10:00", "soon")))
    sql = describe(roles, ["score", "at"], wave=WaveValue(value="w"), timezone="Europe/Amsterdam", relation="core.came")
    assert store.rows(f"select value, becomes, status from ({sql}) where role = 'responded_at'") == [
        ("soon", None, "not readable"),
        ("2026-09-30T23:30:00Z", "2026-10-01 01:30:00 Europe/Amsterdam", "read"),
        ("2026-11-02 10:00", "2026-11-02 10:00:00 Europe/Amsterdam", "read"),
    ]


# --- the row as it came ----------------------------------------------------------------------------------------------


def test_a_broken_row_and_no_other_keeps_all_its_cells(conformed: Conform) -> None:
    answers = [{"score": "eleven", "why": ' a"b '}, {"score": "9", "why": "c"}, {"score": "", "why": None}]
    rows = conformed(mapped(), *answers, is_broken="score is null")
    kept = [None if row["original"] is None else json.loads(row["original"]) for row in rows]
    assert kept == [answers[0], None, answers[2]]


def test_columns_named_as_the_row_itself_do_not_stand_for_it(conformed: Conform) -> None:
    answer = {"Record": "1", "record_": "2", "score": "9", "original": "3", "texts": "4"}
    (row,) = conformed(mapped(), answer, is_broken="true")
    assert json.loads(row["original"]) == answer


def test_what_is_kept_of_a_million_rows_is_that_of_the_record_s_own_number(store: Store) -> None:
    store.run(
        "create table core.came as select i::varchar as score, 'why ' || i as why from range(1, 1000001) as t (i)"
    )
    select = conform(
        mapped(),
        ["score", "why"],
        survey="s",
        wave=WaveValue(value="w"),
        timezone="UTC",
        key=KEY,
        relation="core.came",
        is_broken="not score_is_readable",
    )
    store.run(f"create temporary table incoming as {select.sql}", select.parameters)
    kept = (
        "select rowid + 1, (original ->> 'score')::bigint, original ->> 'why' from incoming where original is not null"
    )
    wrong = f"select count(*) from ({kept}) as k (n, score, why) where score <> n or why <> 'why ' || n"
    assert store.rows(wrong) == [(0,)]
    assert store.rows("select count(original), count(*) from incoming") == [(1_000_000 - 32_767, 1_000_000)]


# --- real surveys ----------------------------------------------------------------------------------------------------


def incoming(store: Store, path: Path, landing: Path, roles: Roles, wave: Wave, timezone: str) -> None:
    landing.mkdir(mode=0o700)
    with path.open("rb") as stream:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        file = land(store, landing, survey="s", source="x", name=path.name, stream=stream, run_id="r", now=now)
    relation = open_relation(store, file, expected=columns_needed(roles, wave))
    select = conform(
        roles, relation.columns, survey="s", wave=wave, timezone=timezone, key=KEY, relation=relation.sql
    )  # fmt: skip
    store.run(f"create table core.incoming as {select.sql}", select.parameters)


COUNTS = (
    "select count(*), count(score), count(*) filter (score >= 9), count(*) filter (score between 7 and 8),"
    " count(*) filter (score <= 6), count(distinct response_key) from core.incoming"
)


def test_san_francisco_airport(store: Store, survey_data: Path, tmp_path: Path) -> None:
    roles = mapped(
        response_id="RESPNUM",
        score={"column": "NETPRO", "scale": [0, 10], "missing": [11]},
        responded_at={"sql": "make_date(2017, 5, INTDATE::int)"},
        department=["BAREA", "GATE"],
        weight="WEIGHT",
    )
    path = survey_data / "sfo-2017/responses.csv"
    incoming(store, path, tmp_path / "landing", roles, "month", "America/Los_Angeles")
    assert store.rows(COUNTS) == [(2831, 2746, 1436, 968, 342, 2831)]
    areas = store.rows(
        f"select split_part(department_key, '{SEP}', 1) as area, count(score),"
        " round(100 * sum(case when score >= 9 then 1 when score <= 6 then -1 else 0 end) / count(score), 4)"
        " from core.incoming group by area order by area"
    )
    assert {area: (n, nps) for area, n, nps in areas} == {
        "A": (724, 39.9171),
        "B": (166, 43.3735),
        "C": (226, 46.9027),
        "D": (386, 43.5233),
        "E": (175, 46.8571),
        "F": (444, 38.5135),
        "G": (625, 32.96),
    }
    weighted = store.rows(
        "select sum(case when score >= 9 then weight when score <= 6 then -weight end) / sum(weight)"
        " from core.incoming where score is not null"
    )
    assert 100 * float(weighted[0][0]) == pytest.approx(40.3984, abs=5e-5)
    assert store.rows("select distinct wave from core.incoming") == [("2017-05",)]
    assert store.rows("select bool_and(score_is_readable and weight_is_readable and responded_at_is_readable and"
                      " department_levels_are_text) from core.incoming") == [(True,)]  # fmt: skip


def test_the_r_community(store: Store, survey_data: Path, tmp_path: Path) -> None:
    roles = mapped(
        score={"column": "Qrecommend", "scale": [1, 10], "missing": ["NA"]},
        responded_at="Qtime",
        department={"column": "Qr_experience", "missing": ["NA", "None"]},
    )
    path = survey_data / "r-community-2018/responses.tsv"
    incoming(store, path, tmp_path / "landing", roles, WaveValue(value="2018"), "UTC")
    assert store.rows(COUNTS) == [(3080, 3018, 2308, 579, 131, 3061)]
    assert store.rows("select bool_and(responded_at_is_readable), min(responded_at) from core.incoming") == [
        (True, datetime(2018, 12, 6, 16, 57, 58))
    ]
    levels = store.rows("select department_key, count(score) from core.incoming group by all order by all")
    assert levels == [("", 6), ("Beginner", 558), ("Expert", 698), ("Intermediate", 1756)]
