"""The moves of departments that a survey knows of, up to one of its waves."""

from collections.abc import Sequence

from flows.run import Run
from transforms.departments import department_id
from transforms.moves import Move
from transforms.waves import chronological, has_begun
from warehouse.store import Store


def moves_until(store: Store, run: Run, *, survey: str, wave: str) -> Sequence[Move]:
    """The configured moves up to a wave of what was ever a department of the survey; others change nothing of it."""
    written = [
        Move(entry.valid_from, was, entry.path)
        for entry in run.settings.departments
        if entry.valid_from is not None and has_begun(wave, entry.valid_from)
        for was in entry.was
    ]
    if not written:
        return ()
    rows = store.rows("select distinct department_id from core.tallies where survey = $survey", {"survey": survey})
    known, held = {name for (name,) in rows}, []
    order = chronological(move.wave for move in written)
    for move in sorted(written, key=lambda move: order.index(move.wave)):
        if department_id(move.was) in known:
            known.add(department_id(move.now))
            held.append(move)
    return tuple(held)
