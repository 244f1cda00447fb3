"""`make chaos`: releases under fire, their promises checked at independent receivers.

`python -m tests.chaos --releases 300 --seed 1` draws what befalls each release from the seed and its number alone;
`--only NUMBER` repeats one of them. It ends with 1 where a promise was not kept, and tells of which release.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.evidence import Evidence, Violation
from tests.chaos.fate import drawn
from tests.chaos.lane import HOOKS, SECURE_HOOKS
from tests.chaos.series import Tally, lanes, run


def main() -> int:
    """Run a series and print what came of it."""
    parser = argparse.ArgumentParser(prog="tests.chaos")
    parser.add_argument("--releases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--lanes", type=int, default=3)
    parser.add_argument("--only", type=int, nargs="*", help="the numbers of releases to repeat")
    parser.add_argument("--keep", action="store_true", help="keep homes and logs")
    said = parser.parse_args()
    numbers = said.only or range(said.releases)
    fates = [drawn(said.seed, number, hooks=HOOKS + SECURE_HOOKS) for number in numbers]
    folder = Path(tempfile.mkdtemp(prefix="zwerm-chaos-"))
    print(f"seed {said.seed}, {len(fates)} releases, in {folder}", flush=True)
    with lanes(folder / "all", count=min(said.lanes, len(fates)), seed=said.seed) as all_lanes:
        tally = run(all_lanes, fates, told=_told)
    print(f"\n{tally.table()}")
    for violation in tally.violations:
        print(f"VIOLATION {violation.what}: release {violation.number}: {violation.says}")
        print(f"  to repeat it: make chaos SEED={said.seed} ONLY={violation.number}")
    if tally.violations or said.keep:
        print(f"homes and logs: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if tally.violations else 0


def _told(tally: Tally, evidence: Evidence, found: list[Violation]) -> None:
    ends = ", ".join(start.end for start in evidence.starts)
    print(f"{tally.releases:>4}  release {evidence.fate.number:>4}: {ends}", flush=True)
    for violation in found:
        print(f"      VIOLATION {violation.what}: {violation.says}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
