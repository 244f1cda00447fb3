"""Whether each department has a recipient who is not its manager, and whether each recipient names a department."""

import difflib
from collections.abc import Iterator, Sequence

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.home import Home
from flows.preparing.seal import read_table
from flows.progress import counted
from flows.releasing.audience import strangers, uncovered
from flows.settings import Settings
from warehouse.ledger import Ledger

ABOUT = "audience"
NAMED_AT_MOST = 10


def audience(settings: Settings, home: Home) -> Iterator[Finding]:
    """Who is left out, and who is mistyped."""
    if not settings.audience:
        yield remark(
            ABOUT,
            "no [[audience]] is configured: a release goes to the published folder alone",
            "add one [[audience]] for each department, or one with department = [] for everybody",
        )
        return
    tree, origin = _tree(settings, home)
    if not tree:
        yield remark(
            ABOUT,
            "which departments there are is not known before the data are read",
            "zwerm check shows the tree and whom the audience leaves out",
        )
        return
    yield from _covered(settings, tree, origin)
    yield from _mistyped(settings, tree)


def _tree(settings: Settings, home: Home) -> tuple[list[tuple[str, ...]], str]:
    """The departments of each survey's newest release, else those that the configuration names."""
    paths: dict[tuple[str, ...], None] = {}
    for release_id in _newest(home):
        folder = home.releases / release_id
        if (folder / "tables" / "departments.parquet").exists():
            found = (tuple(str(name) for name in path) for path in read_table(folder, "departments")["path"])
            paths |= dict.fromkeys(found)
    if paths:
        return list(paths), "the newest release of each survey"
    return [entry.path for entry in settings.departments], "[[departments]]"


def _newest(home: Home) -> list[str]:
    if not home.ledger.exists():
        return []
    with Ledger.open(home.ledger) as ledger:
        sealed = [release for release in ledger.releases() if release.state != "withdrawn"]
    by_time = sorted(sealed, key=lambda release: release.sealed_at)
    return list({release.survey: release.release_id for release in by_time}.values())


def _covered(settings: Settings, tree: Sequence[tuple[str, ...]], origin: str) -> Iterator[Finding]:
    missing = uncovered(settings, tree)
    for one in missing[:NAMED_AT_MOST]:
        yield problem(
            ABOUT, str(one), "add an [[audience]] with this department, or one above it, that is not manager = true"
        )
    if len(missing) > NAMED_AT_MOST:
        yield problem(ABOUT, f"and {len(missing) - NAMED_AT_MOST} more are not covered", "zwerm check lists them all")
    if not missing:
        departments, who = sum(bool(path) for path in tree), counted(len(settings.audience), "recipient")
        told = (
            f"all of the {departments} departments of {origin}"
            if departments
            else "the organisation, which has no tree"
        )
        yield ok(ABOUT, f"{who} for {told}")


def _mistyped(settings: Settings, tree: Sequence[tuple[str, ...]]) -> Iterator[Finding]:
    known = {" > ".join(path): path for path in tree}
    for path in strangers(settings, tree)[:NAMED_AT_MOST]:
        near = difflib.get_close_matches(" > ".join(path), known, n=1)
        hint = f"did you mean {list(known[near[0]])}?" if near else "see its spelling in the data with: zwerm check"
        yield remark(ABOUT, f"a recipient is of {' > '.join(path)}, which is not among the departments", hint)
