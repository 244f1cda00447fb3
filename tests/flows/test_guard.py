"""What leaves a step is scrubbed; what happened stands in the private log alone."""

import stat
import traceback
from pathlib import Path

import pytest

from flows.errors import FlowError, StoppedByCheckError
from flows.guard import PRIVATE, code, guarded, keep_private_log, says

CANARY = "61.803398"


@guarded
def metrics(figure: str) -> None:
    """A step that meets trouble with a figure in its hands."""
    try:
        raise KeyError(figure)
    except KeyError as error:
        raise ValueError(f"NPS is {figure}") from error


@guarded
def check() -> None:
    """A step that stops on purpose."""
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        raise StoppedByCheckError("score_in_range: 3 of 100 rows", public="score_in_range failed") from error


def test_an_unexpected_error_leaves_without_its_figure_and_the_private_log_has_it(tmp_path: Path) -> None:
    log = keep_private_log(tmp_path)
    try:
        with pytest.raises(FlowError, match="'metrics' failed unexpectedly") as error:
            metrics(CANARY)
        assert CANARY not in "".join(traceback.format_exception(error.value))
        assert str(log) in str(error.value)
        assert CANARY in log.read_text(encoding="utf-8")
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
    finally:
        for handler in PRIVATE.handlers[1:]:
            handler.close()
            PRIVATE.removeHandler(handler)


def test_our_own_error_keeps_its_words_for_the_operator_and_shows_others_those_that_prefect_may_keep() -> None:
    with pytest.raises(StoppedByCheckError) as error:
        check()
    shown = "".join(traceback.format_exception(error.value)) + repr(error.value)
    assert CANARY not in shown
    assert "3 of 100" not in shown
    assert str(error.value) == "score_in_range failed"
    assert says(error.value) == "score_in_range: 3 of 100 rows"
    assert code(error.value) == 3
