"""What a moment came to, in words: for the terminal, for Prefect's artifacts, for `zwerm status`; never a metric."""

from flows.preparing.examination import Examination
from flows.preparing.seal import read_sealed, read_table
from flows.preparing.steps import Prepared
from flows.release import Report
from flows.releasing.publication import place_of
from flows.run import Run
from warehouse.records import Release


def summary(run: Run, report: Report) -> str:
    """Markdown: per release its counts of departments, warnings and deliveries, the skew, and where to read it."""
    lines = [f"Received by everyone {_opened(run, report)}."]
    for release in report.releases:
        lines += ["", f"**{title(run, release)}**", "", *[f"- {line}" for line in facts(run, release)]]
    lines += ["", *[f"- {line}" for line in deliveries(report)]]
    return "\n".join(lines) + "\n"


def stands(run: Run, prepared: Prepared) -> str:
    """Why nothing was released of a wave, without a count: Prefect keeps it."""
    name = f"{next(iter(run.titles(prepared.examination.survey).values()))} {prepared.examination.wave}"
    match prepared.examination.verdict:
        case "waiting":
            return f"{name} is released; nothing of what changed may enter yet."
        case "changed":
            return f'{name} is released and has changed since. Release a revision with: --revise --reason "…"'
        case _:
            return f"{name} is released and unchanged: nothing to do."


def counted(examination: Examination) -> list[str]:
    """How much would enter, and how much waits: for the operator's own terminal."""
    lines = []
    if entering := examination.entering():
        lines.append(f"{entering} answers that came or changed would enter.")
    if waiting := examination.waiting():
        lines.append(f"{waiting} answers wait until their region has enough of them.")
    return lines


def title(run: Run, release: Release) -> str:
    """Survey, wave and revision."""
    name = next(iter(run.titles(release.survey).values()))
    revision = f", revision {release.revision}" if release.revision > 1 else ""
    return f"{name} {release.wave}{revision}"


def facts(run: Run, release: Release) -> list[str]:
    """What may be said of a release anywhere: how many departments, how many warnings, where it stands."""
    sealed = read_sealed(run.home.releases / release.release_id)
    quality = read_table(sealed.folder, "quality")
    failed = int((quality["outcome"] == "failed").sum())
    return [
        f"release {release.release_id}",
        f"{sealed.departments - sealed.suppressed} departments shown, {sealed.suppressed} hidden to protect people",
        f"{failed} of {len(quality)} checks with a warning" if failed else f"all {len(quality)} checks passed",
        f"pages: {address(run, release)}",
    ]


def address(run: Run, release: Release) -> str:
    """Where a release's page is read."""
    language = run.settings.organisation.languages[0]
    site = run.settings.organisation.site_url or str(run.home.published / "site")
    return f"{site.rstrip('/')}/{place_of(release)}/{language}/index.html"


def deliveries(report: Report) -> list[str]:
    """Who has it, and how far apart the first and the last could read it."""
    delivered = sum(delivery.status == "delivered" for delivery in report.deliveries)
    lines = [f"{delivered} of {len(report.deliveries)} deliveries made"]
    if report.skew_ms is not None:
        lines.append(f"skew {report.skew_ms:.1f} ms")
    lines += [f"breach: {breach}" for breach in report.breaches]
    lines += [f"left out: {out.recipient} by {out.channel} (two holds in a row)" for out in report.left_out]
    lines += [f"missing: {late.recipient} by {late.channel}: {late.detail or late.status}" for late in report.missing]
    return lines


def _opened(run: Run, report: Report) -> str:
    at = next((release.released_at for release in report.releases if release.released_at), None)
    return f"at {at.astimezone(run.settings.organisation.zone):%Y-%m-%d %H:%M:%S %Z}" if at else "at one moment"
