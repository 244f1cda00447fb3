"""From a column to the text that is to be typed."""

import duckdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.answers import trimmed

TEXTS = st.lists(st.text(st.sampled_from(" \t\n\x1f!~a\x7f\x80é\u00a0\u2003\u3000\U0001f6a2"), max_size=6))


@given(TEXTS)
@example([" a", "a ", " a ", "a b", "", " ", "~", "~ ", "\u00a0a", "a\u00a0", "\u3000", "\t a \t"])
@settings(max_examples=100, deadline=None)
def test_a_text_loses_the_blanks_around_it_whichever_they_are_and_no_others(texts: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table raw as select unnest($texts::varchar[]) as cell union all select null", {"texts": texts}
        )
        differing = connection.execute(f"select cell from raw where {trimmed('cell')} is distinct from trim(cell)")
        assert differing.fetchall() == []
