"""SQL text is found by name, and nothing that a survey file holds can leave its quotes."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import TransformError
from transforms.sql import literal, quote, text

ANY_TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=40)


@given(value=ANY_TEXT)
def test_any_text_comes_back_from_a_literal_as_it_went_in(value: str) -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"select {literal(value)}").fetchall() == [(value,)]


@given(name=ANY_TEXT)
def test_any_name_can_be_a_quoted_column(name: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table answers ({quote(name)} integer)")
        assert connection.execute("select column_name from (describe answers)").fetchall() == [(name,)]


@pytest.mark.parametrize("hostile", ['a"; drop table x; --', "a'; drop table x; --", 'a""b', "''"])
def test_sql_in_a_name_or_a_value_stays_text(hostile: str) -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"select {literal(hostile)} as {quote(hostile)}").fetchall() == [(hostile,)]


def test_nul_and_empty_names_are_refused_with_what_to_do() -> None:
    with pytest.raises(TransformError, match=r"NUL character.*remove it"):
        quote("a\0b")
    with pytest.raises(TransformError, match="NUL character"):
        literal("\0")
    with pytest.raises(TransformError, match="name the column"):
        quote("")


def test_a_select_that_does_not_exist_is_an_error_that_names_the_file() -> None:
    with pytest.raises(TransformError, match=r"transforms/nothing\.sql"):
        text("nothing")
