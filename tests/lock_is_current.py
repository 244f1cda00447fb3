"""Are both locks what pyproject.toml asks for? Resolves against copies of them, so only what no longer fits moves."""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"requirements.lock": (), "requirements-dev.lock": ("--group", "dev")}


def flags() -> list[str]:
    """The flags with which `make lock` makes them, so that there is one place to change."""
    found = re.search(r"^LOCK_FLAGS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "the Makefile has no LOCK_FLAGS"
    return shlex.split(found[1])


def is_current(name: str, extra: tuple[str, ...], scratch: Path) -> bool:
    """Whether resolving again, with the lock's own versions preferred, leaves it as it is."""
    copy = scratch / name
    shutil.copyfile(ROOT / name, copy)
    ran = subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "compile", "pyproject.toml", *extra, *flags(), "-o", copy],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"{name} cannot be compared with pyproject.toml: uv says why above.")
    return copy.read_bytes() == (ROOT / name).read_bytes()


def main() -> int:
    """Tell which locks are stale and what to do; 1 if any is."""
    with tempfile.TemporaryDirectory() as scratch:
        stale = [name for name, extra in LOCKS.items() if not is_current(name, extra, Path(scratch))]
    for name in stale:
        print(
            f"{name} is not what pyproject.toml asks for. Run `make lock`, look at what changed, and commit both locks."
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
