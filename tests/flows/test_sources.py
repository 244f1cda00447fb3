import threading
import time
from pathlib import Path

import pytest

from flows.errors import ConfigurationError, FlowError
from flows.settings import FilesSource
from flows.sources import KINDS, fetched


def settled(path: Path, content: bytes = b"score\n9\n") -> Path:
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - 60,) * 2)
    return path


def test_a_glob_is_relative_to_the_configuration_and_in_the_order_of_paths(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "c.txt"):
        settled(tmp_path / "exports" / name)
    (tmp_path / "exports/folder.csv").mkdir()
    found = list(fetched(FilesSource(path="exports/*.csv"), base=tmp_path))
    assert [(item.source, item.name) for item in found] == [("exports/*.csv", "a.csv"), ("exports/*.csv", "b.csv")]
    with found[0].stream as stream:
        assert stream.read() == b"score\n9\n"


def test_an_absolute_path_and_one_with_brackets_are_taken_as_they_are(tmp_path: Path) -> None:
    path = settled(tmp_path / "export [1].csv")
    found = list(fetched(FilesSource(path=str(path)), base=Path("/elsewhere")))
    assert [item.path for item in found] == [path]


def test_the_same_name_in_two_folders_keeps_its_folder(tmp_path: Path) -> None:
    for folder in ("2026", "2025"):
        settled(tmp_path / folder / "export.csv")
    names = [item.name for item in fetched(FilesSource(path="**/*.csv"), base=tmp_path)]
    assert names == ["2025/export.csv", "2026/export.csv"]
    settled(tmp_path / "2026" / "late" / "export.csv")
    names = [item.name for item in fetched(FilesSource(path="**/*.csv"), base=tmp_path)]
    assert names == ["2025/export.csv", "2026/export.csv", "2026/late/export.csv"]


def test_no_match_tells_what_lies_there_and_where_the_file_is_to_be_had(tmp_path: Path) -> None:
    settled(tmp_path / "exports/march.xlsx")
    source = FilesSource(path="exports/*.csv", download="https://data.example/survey")
    with pytest.raises(ConfigurationError, match=r"exports/\*\.csv.*lies march\.xlsx.*https://data\.example/survey"):
        list(fetched(source, base=tmp_path))
    with pytest.raises(ConfigurationError, match=r"exprots does not exist"):
        list(fetched(FilesSource(path="exprots/*.csv"), base=tmp_path))


def test_a_file_that_is_still_being_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"score\n")
    done = threading.Event()

    def write() -> None:
        while not done.wait(0.05):
            with path.open("ab") as file:
                file.write(b"9\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(FlowError, match=r"export\.csv: still being written"):
            list(fetched(FilesSource(path="export.csv"), base=tmp_path))
    finally:
        done.set()
        writer.join()
    assert len(list(fetched(FilesSource(path="export.csv"), base=tmp_path))) == 1


def test_every_kind_of_source_says_what_it_is() -> None:
    assert set(KINDS) == {"files"}
    assert all(KINDS.values())
