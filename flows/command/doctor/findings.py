"""What the doctor finds: that something is well, that it should be known, or that it must be mended and how."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from flows.progress import counted

Kind = Literal["ok", "remark", "problem"]
INDENT = " " * 11


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; a problem always says what to do."""

    kind: Kind
    about: str
    says: str
    do: str | None = None


def ok(about: str, says: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", about, says)


def remark(about: str, says: str, do: str | None = None) -> Finding:
    """Nothing stops a release, but somebody should know."""
    return Finding("remark", about, says, do)


def problem(about: str, says: str, do: str) -> Finding:
    """A run would stop, a release be held, or something be readable that must not be."""
    return Finding("problem", about, says, do)


def lines(findings: Iterable[Finding]) -> list[str]:
    """The findings for reading, grouped by what they are about, and a last line that counts them."""
    found = list(findings)
    told = []
    for about in dict.fromkeys(finding.about for finding in found):
        told.append(about)
        for finding in found:
            if finding.about == about:
                told += _lines(finding)
        told.append("")
    return [*told, _closing(found)]


def _lines(finding: Finding) -> list[str]:
    first, *more = finding.says.splitlines()
    told = [f"  {finding.kind:<7}  {first}", *(f"{INDENT}{line}" for line in more)]
    return told + ([f"{INDENT}→ {finding.do}"] if finding.do else [])


def _closing(found: list[Finding]) -> str:
    problems = sum(finding.kind == "problem" for finding in found)
    remarks = sum(finding.kind == "remark" for finding in found)
    told = counted(remarks, "remark")
    if problems:
        return f"{counted(problems, 'problem')} to mend, {told}."
    return f"All is well, with {told}." if remarks else "All is well."
