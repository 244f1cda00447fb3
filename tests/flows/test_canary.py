"""Figures that cannot be mistaken: from the start of a run until its moment nobody else can read one, anywhere.

One real `zwerm run --at` is watched from outside until its T; meanwhile flows whose steps fail with a figure in hand
run against the same Prefect server.
"""

import os
import re
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.home import Home
from tests.flows.raising import CANARY, WAVE
from tests.flows.test_killed_runs import CONFIGURATION
from tests.flows.whole import Survey

ROOT = Path(__file__).parents[2]
SECONDS = 90  # from the call to its T; preparing takes a quarter of it on two cores, and most of it on a busy machine
ANSWERS, PROMOTERS, DETRACTORS = 997, 951, 21
NPS = 100 * (PROMOTERS - DETRACTORS) / ANSWERS  # 93.2798…
FIGURES = re.compile(
    rb"(?<![\d.,:])93[.,](?:27|28|3(?!\d))"  # in points, also rounded, also as the Dutch write it
    rb"|(?<!\d)[.,]93279|932798395"  # as a fraction, or without its point
    + b"".join(b"|" + re.escape(struct.pack(f"{order}d", figure)) for order in "<>" for figure in (NPS, NPS / 100))
)
RAISED = re.compile(re.escape(CANARY).encode() + b"|141,42|1[.]41421356|141421356")


pytestmark = pytest.mark.timeout(600)


@dataclass
class Watched:
    """What could be seen from outside, until T and after it."""

    folder: Path
    survey: Survey
    home: Home
    planned_at: datetime
    looks: int = 0
    looks_sealed: int = 0  # of those, how many while the sealed release lay there
    found: set[str] = field(default_factory=set)  # where a figure stood before T
    loose: set[str] = field(default_factory=set)  # what others could read before T, outside published
    shown: set[str] = field(default_factory=set)  # what everyone could reach before T
    code: int | None = None
    raising_code: int | None = None

    @property
    def console(self) -> Path:
        """All that the run printed."""
        return self.folder / "console.txt"

    @property
    def raised(self) -> Path:
        """All that the failing flows printed."""
        return self.folder / "raised.txt"

    def look(self) -> None:
        """Search all that must hold no figure, and all that others can reach."""
        told = [self.console, self.raised, *below(self.home.prefect), *below(self.home.scratch)]
        told += new_elsewhere(self.folder, self.planned_at)
        reachable = list(reachable_by_others(self.home.path))
        if datetime.now(UTC) >= self.planned_at:
            return
        found = {str(path) for path in (*told, *reachable) if FIGURES.search(content(path))}
        is_sealed = any(path.name == "release.json" for path in below(self.home.releases))
        loose = {str(path) for path in below(self.home.path) if is_loose(path, self.home)}
        if datetime.now(UTC) >= self.planned_at:  # what was read after T counts for nothing
            return
        self.looks += 1
        self.looks_sealed += is_sealed
        self.found |= found
        self.loose |= loose
        self.shown |= {str(path.relative_to(self.home.path)) for path in reachable}


def below(folder: Path) -> list[Path]:
    """Every file below a folder, while files come and go."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def mode_of(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def is_loose(path: Path, home: Home) -> bool:
    """Whether a file that is the pipeline's own could be read by others, were it not for the folders above it."""
    is_own = any(path.is_relative_to(folder) for folder in (home.landing, home.working, home.releases))
    return is_own and stat.S_ISREG(mode_of(path)) and bool(mode_of(path) & 0o077)


def reachable_by_others(folder: Path) -> Iterator[Path]:
    """Files that an account which owns nothing can open, even one that knows every name: it needs no listing."""
    for path in folder.iterdir() if folder.exists() else ():
        mode = mode_of(path)
        if stat.S_ISDIR(mode) and mode & 0o011:
            yield from reachable_by_others(path)
        elif stat.S_ISREG(mode) and mode & 0o044:
            yield path


def new_elsewhere(folder: Path, planned_at: datetime) -> Iterator[Path]:
    """The run's own temporary folder, and what others can read of the host's that is new."""
    yield from below(folder / "tmp")
    began = (planned_at - timedelta(seconds=SECONDS)).timestamp()
    for place in map(Path, ("/tmp", "/var/tmp", "/dev/shm")):
        for path in place.iterdir():
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_mtime > began and status.st_size < 5_000_000:
                yield path


def answers() -> str:
    scores = [10] * PROMOTERS + [8] * (ANSWERS - PROMOTERS - DETRACTORS) + [3] * DETRACTORS
    units = ("Texel", "Vlieland", "Ports")
    rows = [f"{units[n % 3]},{score},{WAVE}-14" for n, score in enumerate(scores)]
    return "\n".join(["unit,score,at", *rows, f"Texel,elf,{WAVE}-14", ""])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("canary")
    for name in ("open", "failing", "tmp"):
        (folder / name).mkdir(mode=0o755)
    audience = '[[audience]]\nfolder = "shares/all"\n'
    survey = Survey.written(folder / "open", answers(), configuration=CONFIGURATION, more=audience)
    failing = Survey.written(folder / "failing", answers(), configuration=CONFIGURATION)
    planned_at = (datetime.now(UTC) + timedelta(seconds=SECONDS)).replace(microsecond=0)
    watched = Watched(folder, survey, Home(survey.folder), planned_at)
    at = f"{planned_at:%Y-%m-%dT%H:%M:%S}"
    run = child(watched.console, folder, "flows", "run", "--config", str(survey.config), "--wave", WAVE, "--at", at)
    raising = None
    while datetime.now(UTC) < planned_at and run.poll() is None:
        if raising is None and list(survey.folder.glob("releases/*/release.json")):  # prepared: the server is up
            raising = child(watched.raised, folder, "tests.flows.raising", str(failing.config), str(survey.folder))
        watched.look()
        time.sleep(0.4)
    watched.code = run.wait(60)
    assert raising is not None, watched.console.read_text()
    watched.raising_code = raising.wait(200)
    return watched


def child(output: Path, folder: Path, *command: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**environment, "TMPDIR": str(folder / "tmp"), "PREFECT_LOGGING_LEVEL": "DEBUG"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def test_until_its_moment_no_figure_can_be_found_anywhere(watched: Watched) -> None:
    assert watched.looks > 25
    assert watched.looks_sealed > 10
    assert watched.found == set()


def test_until_its_moment_nothing_is_reachable_but_what_says_nothing(watched: Watched) -> None:
    assert watched.loose == set()
    assert {path for path in watched.shown if not path.startswith("published/")} <= {"zwerm.toml", "answers.csv"}


def test_the_folders_of_what_is_not_yet_released_are_closed(watched: Watched) -> None:
    home = watched.home
    closed = (home.landing, home.working, home.releases, home.logs, home.scratch, home.check_reports, home.prefect)
    for folder in (*closed, home.published / ".next"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert stat.S_IMODE((home.published / ".r").stat().st_mode) == 0o711
    for log in home.logs.iterdir():
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_it_opened_at_its_moment_and_then_everyone_can_find_the_figures(watched: Watched) -> None:
    said = watched.console.read_text()
    assert watched.code == 0, said
    assert f"guests {WAVE} is out." in said
    released = (watched.survey.folder / "shares" / "all" / "guests" / WAVE / "r1" / "release.json").read_bytes()
    assert FIGURES.search(released)
    pages = below(Path(os.path.realpath(watched.home.published / "site")))
    assert any(FIGURES.search(content(page)) for page in pages)
    assert FIGURES.search(struct.pack("<d", NPS))
    with duckdb.connect(os.path.realpath(watched.home.published / "warehouse.duckdb"), read_only=True) as mart:
        ((at, nps),) = mart.execute(
            "select released_at, nps from mart.releases join mart.promoter_metrics using (release_id)"
            " where department_id = 'all'"
        ).fetchall()
    assert nps == pytest.approx(NPS, abs=1e-9)
    assert 0 <= (at.replace(tzinfo=UTC) - watched.planned_at).total_seconds() < 2


def test_afterwards_too_prefect_its_log_and_the_console_hold_no_figure(watched: Watched) -> None:
    searched = [*below(watched.home.prefect), watched.console]
    assert {path.name for path in searched} >= {"prefect.db", "server.log", "console.txt"}
    assert {str(path) for path in searched if FIGURES.search(content(path))} == set()


def test_a_figure_in_an_exception_of_any_step_or_of_a_flow_s_body_reaches_neither_prefect_nor_the_console(
    watched: Watched,
) -> None:
    said = watched.raised.read_text()
    assert watched.raising_code == 0, said
    assert said.count("\n-- ") + said.startswith("-- ") == 22
    for step in ("fetch", "examine", "protect", "compute", "check", "close", "stage_together", "_survey_release"):
        assert f"The step '{step}' failed unexpectedly" in said
    searched = [*below(watched.home.prefect), watched.raised]
    assert {str(path) for path in searched if RAISED.search(content(path))} == set()
    database = b"".join(content(path) for path in below(watched.home.prefect) if path.name.startswith("prefect.db"))
    assert b"failed unexpectedly" in database  # it was told of every failure
    private = b"".join(content(path) for path in below(Home(watched.folder / "failing").logs))
    assert len(RAISED.findall(private)) > 22  # and the operator alone knows which figure
