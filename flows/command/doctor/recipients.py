"""Whether each department has a recipient who is not its manager, and whether each recipient names a department."""

from collections.abc import Iterator, Sequence

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.home import Home
from flows.progress import counted
from flows.releasing.audience import uncovered
from flows.releasing.mistyped import mistyped, released
from flows.settings import Settings

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
    yield from (remark(ABOUT, str(one), one.do) for one in mistyped(settings, tree)[:NAMED_AT_MOST])


def _tree(settings: Settings, home: Home) -> tuple[list[tuple[str, ...]], str]:
    """The departments of each survey's newest release, else those that the configuration names."""
    if paths := released(home):
        return paths, "the newest release of each survey"
    return [entry.path for entry in settings.departments], "[[departments]]"


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
