"""The same answers give the same release, on any day and machine: its id, and every byte that people receive."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.demo.generate import write_configuration, write_surveys
from flows.home import Home

ROOT = Path(__file__).parents[2]
SECRET = "5e" * 32


@dataclass(frozen=True)
class Built:
    """What one process made of the answers."""

    folder: Path
    threads: int
    manifests: list[dict[str, Any]]

    @property
    def parts(self) -> list[dict[str, str]]:
        """The hash of every part, release by release."""
        parts: list[dict[str, str]] = [manifest["parts"] for manifest in self.manifests]
        return parts

    def text(self, release: int, name: str) -> str:
        """A part of one of its releases."""
        folder = Home(self.folder).releases / str(self.manifests[release]["release_id"])
        return (folder / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """In two folders, at once: days, zones, hash seeds, locales and numbers of threads differ; the secret does not."""
    told = (
        ("2026-11-20T09:00", 1, {"TZ": "UTC", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}),
        ("2027-03-28T23:40", 2, {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "2", "LC_ALL": "C"}),
    )
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "another-with-a-longer-name")]
    running = [_begun(folder, *one) for folder, one in zip(folders, told, strict=True)]
    ended = [(process.communicate(timeout=280), process.returncode) for process in running]
    for (_, errors), code in ended:
        assert code == 0, errors
    said = [json.loads(out.splitlines()[-1]) for (out, _), _ in ended]
    return [Built(folder, one["threads"], one["manifests"]) for folder, one in zip(folders, said, strict=True)]


def _begun(folder: Path, day: str, threads: int, environment: dict[str, str]) -> subprocess.Popen[str]:
    write_surveys(folder)
    write_configuration(folder)
    (Home(folder).prepare().working / "secret").write_text(SECRET, encoding="ascii")
    command = [sys.executable, "-m", "tests.flows.sealing", str(folder), day, str(threads)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_builds_on_two_days_with_one_thread_and_with_two_are_the_same_releases(builds: list[Built]) -> None:
    one, other = builds
    assert (one.threads, other.threads) == (1, 2)
    facts = [[(m["release_id"], m["wave"], m["revision"], m["tables"]) for m in b.manifests] for b in builds]
    assert facts[0] == facts[1]
    assert [(wave, revision) for _, wave, revision, _ in facts[0]] == [("2026-07", 1), ("2026-08", 1), ("2026-08", 2)]


def test_every_part_is_the_same_byte_for_byte_pages_charts_downloads_and_tables(builds: list[Built]) -> None:
    for one, other in zip(builds[0].parts, builds[1].parts, strict=True):
        assert {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)} == set()
        assert {Path(name).suffix for name in one} >= {".html", ".css", ".csv", ".json", ".parquet"}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_was_compared_has_charts_and_changes_in_both_languages(builds: list[Built], language: str) -> None:
    for release in (1, 2):
        pages = [name for name in builds[0].parts[release] if name.startswith(f"pages/{language}/")]
        drawn = [name for name in pages if "<svg" in builds[0].text(release, name)]
        assert len(drawn) > 3
        document = json.loads(builds[0].text(release, "release.json"))
        assert any(figures["nps_change"] is not None for figures in document["departments"])
