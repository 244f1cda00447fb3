"""`zwerm ledger verify`: whether anybody edited what happened, by the ledger's chain and the heads in releases."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.command.status.wording import printable
from flows.configuration import load
from flows.errors import ConfigurationError
from flows.home import Home
from warehouse.chain import verify as look_through
from warehouse.ledger import Ledger

HEAD = re.compile(r"[0-9a-f]{64}")
FOR = (
    "Keep the head, or any release's register: with it anyone can prove a later edit, "
    "also one after which all was computed anew: zwerm ledger verify --head HASH"
)
TO_DO = "What is not as it was written was edited past Zwerm, or a disk failed: compare with a copy from before."


def verify(config: Path, *, head: str | None) -> dict[str, Any]:
    """Look through the whole ledger, while others may write; what is found, and the exit code."""
    settings = load(config)
    home = Home(settings.home)
    if not home.ledger.exists():
        raise ConfigurationError(f"there is no release yet: {home.path} has no ledger; zwerm run makes the first")
    heads = {**dict(printed(home)), **_given(head)}
    with Ledger.look(home.ledger) as ledger:
        verdict = look_through(ledger.connection, heads=heads)
    findings = [{"where": printable(one.where), "says": printable(one.says)} for one in verdict.findings]
    return {
        "is_whole": not findings,
        "events": verdict.events,
        "head": verdict.head,
        "heads_compared": len(heads),
        "findings": findings,
        "exit_code": 1 if findings else 0,
        "lines": _lines(verdict.events, verdict.head, len(heads), findings),
    }


def printed(home: Home) -> Iterator[tuple[str, str]]:
    """The heads that stand in sealed releases and in what is published, and where each stands."""
    manifests = (home.releases).glob("*/manifest.json")
    registers = (home.published / "current" / "site").glob("*/*/r*/register.json")
    for path in sorted((*manifests, *registers)):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # replaced or removed meanwhile, or not ours
            continue
        head = said.get("ledger_head") if isinstance(said, Mapping) else None
        if isinstance(head, str) and HEAD.fullmatch(head):
            yield head, str(path.relative_to(home.path))


def _given(head: str | None) -> dict[str, str]:
    if head is None:
        return {}
    if not HEAD.fullmatch(head.strip().lower()):
        raise ConfigurationError("--head is 64 hex digits, as a release's register prints it")
    return {head.strip().lower(): "given with --head"}


def _lines(events: int, head: str, heads: int, findings: list[dict[str, str]]) -> list[str]:
    if not findings:
        compared = f"It agrees with the {heads} heads in releases and registers." if heads else ""
        return [f"{events} events, head {head}, whole.", *([compared] if compared else []), FOR]
    found = [f"  {one['where']}: {one['says']}" for one in findings]
    return [f"{events} events, head {head}, NOT whole: {len(findings)} findings", *found, TO_DO]
