"""Which files count: what the sources offer, and what is gone from them without having come back in newer files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.settings import Survey
from transforms.current import dropped
from transforms.returns import is_replaced
from transforms.sql import text
from warehouse.landing import LandedFile
from warehouse.store import Store


@dataclass(frozen=True)
class Gone:
    """A file that was counted once and that its source offers no more."""

    file: LandedFile
    is_counted: bool

    @property
    def says(self) -> str:
        """What became of it, for the operator."""
        where = f"{self.file.name} is gone from {self.file.source}"
        if self.is_counted:
            return f"{where}; its answers keep counting (a file of that name there would take its place)"
        return f"{where} and its answers came back in newer files of that source: those count, it does not"


def gone_files(
    store: Store, survey: Survey, landed: Sequence[LandedFile], arrived: Mapping[str, int]
) -> tuple[Gone, ...]:
    """Judge the files that are no longer offered, against newer ones; `arrived` has the batch of each by its id.

    Reads the table or view `arrived`. Where the survey settles duplicates by itself, nothing is counted twice, and
    all keep counting. Bytes that are offered under another name are no other file.
    """
    offered = {file.file_id for file in landed if file.is_offered}
    missing = [file for file in landed if not file.is_offered and file.file_id not in offered]
    replaced: set[str] = set()
    if survey.duplicates == "keep":
        for file in reversed(missing):  # the newest first: what it is measured against must itself count
            newer = [one.file_id for one in landed if _is_newer(one, file) and one.file_id not in replaced]
            batch = arrived.get(file.file_id)
            if batch and _came_back(store, survey, batch, [arrived[name] for name in newer if name in arrived]):
                replaced.add(file.file_id)
    return tuple(Gone(file, file.file_id not in replaced) for file in missing)


def remember(store: Store, survey: str, landed: Sequence[LandedFile], gone: Sequence[Gone]) -> None:
    """Keep which files count, for whoever asks between runs."""
    replaced = {one.file.file_id for one in gone if not one.is_counted}
    with store.transaction():
        store.run("delete from core.standing where survey = $survey", {"survey": survey})
        for file in landed:
            store.run(
                "insert into core.standing values ($survey, $source, $name, $file_id, $is_offered, $is_counted)",
                {
                    "survey": survey,
                    "source": file.source,
                    "name": file.name,
                    "file_id": file.file_id,
                    "is_offered": file.is_offered,
                    "is_counted": file.file_id not in replaced,
                },
            )


def batches_known(store: Store, survey: str, files: Sequence[LandedFile]) -> Mapping[str, int]:
    """The newest batch of each file, under whichever mapping: enough to tell its answers."""
    ids = [file.file_id for file in files]
    return dict(
        store.rows(
            "select file_id, max(batch) from core.batches where survey = $survey and list_contains($ids, file_id)"
            " group by file_id",
            {"survey": survey, "ids": ids},
        )
    )


def duplicates_dropped(store: Store, survey: Survey, batches: Sequence[int]) -> int:
    """How many accepted answers of the batches do not count, as the survey's `duplicates` says so."""
    numbers = ", ".join(map(str, batches)) or "null"
    relation = f"(select * from core.responses where batch in ({numbers}))"
    return int(store.rows(dropped(relation, duplicates=survey.duplicates))[0][0])


def told(gone: Sequence[Gone]) -> Iterator[str]:
    """A line for each file that is gone."""
    return (one.says for one in gone)


def _is_newer(one: LandedFile, file: LandedFile) -> bool:
    return one.source == file.source and one.file_id != file.file_id and one.fetched_at > file.fetched_at


def _came_back(store: Store, survey: Survey, batch: int, newer: Sequence[int]) -> bool:
    if not newer:
        return False
    ((answers, unlike, again, again_in_place),) = store.rows(text("comes_back"), {"gone": batch, "newer": list(newer)})
    return is_replaced(
        answers=answers,
        unlike=unlike,
        again=again,
        again_in_place=again_in_place,
        has_ids=survey.roles.response_id is not None,
    )
