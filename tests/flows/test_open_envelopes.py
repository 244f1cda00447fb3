"""What lay sealed with a recipient is opened with `zwerm open`, or with the ten lines that its help shows."""

import io
import os
import re
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from flows.channels.envelope import pack, seal
from tests.flows.receivers import ROOT

KEY = bytes(range(32))
DOCUMENT = b'{"nps": 41.8276}'
RELEASE = {"pages/nl/index.html": b"<p>41,8</p>", "downloads/metrics.csv": b"nps\n41.8\n", "release.json": DOCUMENT}


def zwerm(*call: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from flows.__main__ import main; main()", *map(str, call)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "zwerm.key").write_bytes(KEY)
    return tmp_path / "zwerm.key"


@pytest.fixture
def envelope(tmp_path: Path) -> Path:
    return put(tmp_path, DOCUMENT)


def put(folder: Path, content: bytes) -> Path:
    (folder / "release.sealed").write_bytes(seal(content, KEY))
    return folder / "release.sealed"


def packed(tmp_path: Path) -> bytes:
    for name, content in RELEASE.items():
        path = tmp_path / "sealed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return pack(tmp_path / "sealed")


def test_what_a_webhook_got_becomes_the_document_again(tmp_path: Path, envelope: Path, key: Path) -> None:
    ended = zwerm("open", envelope, key, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "release.json is written: 16 bytes.\n")
    assert (tmp_path / "release.json").read_bytes() == DOCUMENT
    zwerm("open", envelope, key, "--to", "kept/2026-10.json", folder=tmp_path)
    assert (tmp_path / "kept" / "2026-10.json").read_bytes() == DOCUMENT
    zwerm("open", envelope, key, "--to", "kept", folder=tmp_path)
    assert (tmp_path / "kept" / "release.json").read_bytes() == DOCUMENT


@pytest.mark.parametrize("said", [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\r\n"])
def test_a_key_may_be_bytes_or_hex_digits(tmp_path: Path, envelope: Path, key: Path, said: bytes) -> None:
    key.write_bytes(said)
    assert zwerm("open", envelope, key, folder=tmp_path).returncode == 0
    assert (tmp_path / "release.json").read_bytes() == DOCUMENT


@pytest.mark.parametrize("is_there", [False, True])
def test_what_a_share_got_becomes_a_folder_of_pages_and_downloads(tmp_path: Path, key: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "out").mkdir()
    ended = zwerm("open", put(tmp_path, packed(tmp_path)), key, "--to", "out", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("out is written: 3 files.")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"nl/index.html", "downloads/metrics.csv", "release.json"}
    assert (tmp_path / "out" / "downloads" / "metrics.csv").read_bytes() == b"nps\n41.8\n"


def test_nothing_that_is_there_is_written_over(tmp_path: Path, envelope: Path, key: Path) -> None:
    (tmp_path / "release.json").write_text("mine")
    ended = zwerm("open", envelope, key, folder=tmp_path)
    assert ended.returncode == 2 and "release.json is there already" in ended.stderr and "--to" in ended.stderr
    assert (tmp_path / "release.json").read_text() == "mine"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    ended = zwerm("open", put(tmp_path, packed(tmp_path)), key, "--to", "out", folder=tmp_path)
    assert ended.returncode == 2 and "no empty folder" in ended.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["../outside", "/tmp/zwerm-outside", "nl/../../outside", "..\\outside"])
def test_an_archive_that_reaches_outside_writes_nothing_at_all(tmp_path: Path, key: Path, name: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as draft:
        draft.writestr("nl/index.html", "x")
        draft.writestr(name, "x")
    (tmp_path / "in").mkdir()
    ended = zwerm("open", put(tmp_path, archive.getvalue()), key, folder=tmp_path / "in")
    assert ended.returncode == 1 and "outside of the folder; nothing was written" in ended.stderr
    assert list((tmp_path / "in").iterdir()) == [] and not (tmp_path / "outside").exists()


def test_a_link_in_an_archive_is_written_as_a_file_and_never_followed(tmp_path: Path, key: Path) -> None:
    archive, link = io.BytesIO(), zipfile.ZipInfo("nl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as draft:
        draft.writestr(link, "/etc")
    assert zwerm("open", put(tmp_path, archive.getvalue()), key, folder=tmp_path).returncode == 0
    assert not (tmp_path / "release" / "nl").is_symlink()


def test_what_does_not_fit_together_is_told_in_words(tmp_path: Path, envelope: Path, key: Path) -> None:
    def says(*call: object) -> tuple[int, str]:
        ended = zwerm("open", *call, folder=tmp_path)
        assert "Traceback" not in ended.stderr
        return ended.returncode, " ".join(ended.stderr.split())

    other, short, changed = tmp_path / "other", tmp_path / "short", tmp_path / "changed"
    other.write_bytes(KEY[::-1])
    short.write_bytes(b"not a key")
    changed.write_bytes(envelope.read_bytes()[:-1] + b"\0")
    assert says(envelope, other) == (
        1,
        "zwerm: the key does not open this envelope: it is another's, or one of the two was changed",
    )
    assert "is no key: that is 32 bytes, or 64 hex digits" in says(envelope, short)[1]
    assert "one of the two was changed" in says(changed, key)[1]
    assert "is no sealed envelope of Zwerm" in says(key, envelope)[1] or "is no key" in says(key, envelope)[1]
    assert says(tmp_path / "nowhere", key)[0] == 2
    assert not (tmp_path / "release.json").exists()


def test_the_ten_lines_of_the_help_open_an_envelope_without_zwerm(tmp_path: Path, envelope: Path, key: Path) -> None:
    told = zwerm("open", "--help", folder=tmp_path).stdout
    found = re.search(r"^ *import sys\n(?:.*\n)*?.*write_bytes\(content\)\n", told, re.MULTILINE)
    assert found, told
    lines = textwrap.dedent(found[0])
    assert len(lines.splitlines()) == 10 and "zwerm" not in lines and "flows" not in lines
    (tmp_path / "open.py").write_text(lines)
    fresh = [sys.executable, "-I", str(tmp_path / "open.py"), str(envelope), str(key), str(tmp_path / "out.json")]
    subprocess.run(fresh, cwd=tmp_path, check=True)
    assert (tmp_path / "out.json").read_bytes() == DOCUMENT


def test_opening_loads_neither_warehouse_nor_orchestrator(tmp_path: Path, envelope: Path, key: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flows.command.unseal import open_envelope\n"
        "open_envelope(Path(sys.argv[1]), Path(sys.argv[2])); print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, str(envelope), str(key)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    loaded = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert not {"duckdb", "pandas", "prefect", "great_expectations", "pyarrow"} & {*loaded.split()}
