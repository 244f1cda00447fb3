"""What the README shows is run: its commands on a survey of a stranger's, its snippets on what came of them."""

import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from flows.__main__ import zwerm

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[str]:
    lines = (line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export, in which the five minutes of the README were spent."""
    folder = tmp_path_factory.mktemp("five-minutes")
    draw = random.Random(5)
    rows = [
        f"{number},{draw.choice((3, 7, 8, 9, 10))},2026-09-{1 + number % 30:02},{draw.choice(('North', 'South'))}"
        for number in range(300)
    ]
    (folder / "guests.csv").write_text("id,nps,date,department\n" + "\n".join(rows) + "\n", encoding="utf-8")
    first = next(block for block in blocks("sh") if "zwerm init" in block)
    for line in first.splitlines():
        ran = subprocess.run(
            shlex.split(line, comments=True),
            cwd=folder,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
    return folder


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_five_minutes_are_enough_for_a_survey_of_ones_own(survey: Path) -> None:
    index = survey / "published" / "site" / "index.html"
    assert index.is_file()
    assert "2026-09" in index.read_text(encoding="utf-8") or "September 2026" in index.read_text(encoding="utf-8")


@pytest.mark.parametrize("snippet", [block for block in blocks("python") if "published/" in block])
def test_every_snippet_for_bi_tools_reads_the_published_files(survey: Path, snippet: str) -> None:
    ran = subprocess.run([sys.executable, "-c", snippet], cwd=survey, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("zwerm ")])
def test_every_command_in_the_readme_is_one_that_zwerm_knows(line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    command = zwerm.commands[name]
    with command.make_context(name, list(arguments), parent=click.Context(zwerm)):
        pass


@pytest.mark.parametrize("target", [line.split()[1] for line in commands() if line.startswith("make ")])
def test_every_make_target_in_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_test_that_a_promise_names_exists() -> None:
    named = set(re.findall(r"`(?:tests/[\w/]*/)?(test_\w+\.py)`", README))
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert all((ROOT / folder).is_dir() for folder in re.findall(r"`(tests/[\w/]+/)`", README))


def test_every_file_that_the_readme_links_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
