"""Writes the demo's files: four waves as two survey platforms export them, late answers, and the configuration."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined

from flows.demo.answers import COLUMNS, Answer, draw_late, draw_wave
from flows.demo.faults import faults, spoil
from flows.demo.organisation import DEPARTMENTS, ORGANISATION, WAVES, Department
from flows.demo.ratings import ASPECTS, NOT_USED

# One answer too many commas: a remark that somebody pasted into the export by hand.
RAGGED_LINE = (
    "2610-99999,WL-1,2026-10-20 12:00,Ships,Texel,verblijf,1.0,9,1-3,1,nee,,,5,4,3,4,nvt,Mooi, rustig, op tijd,nl\n"
)
LATE_WAVE = WAVES[1]
LATE_ANSWERS = ((("Ships", "Terschelling"), 24), (("Ports", "Cycles and luggage"), 4))  # enough; too few


@dataclass(frozen=True)
class Export:
    """How one wave's file is written."""

    name: str
    format: Literal["csv", "jsonl"] = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    is_gzipped: bool = False
    appendix: str = ""


EXPORTS: Mapping[str, Export] = {
    WAVES[0]: Export("onderzoek-2026-07.csv", delimiter=";", encoding="cp1252"),  # the platform before this one
    WAVES[1]: Export("passengers-2026-08.csv.gz", is_gzipped=True),
    WAVES[2]: Export("passengers-2026-09.jsonl", format="jsonl"),
    WAVES[3]: Export("passengers-2026-10.csv", appendix=RAGGED_LINE),
}


def write_surveys(folder: Path) -> list[Path]:
    """The four waves under `exports/`, in different dialects, byte for byte the same at every run."""
    return [_write(folder, export, _exported(wave)) for wave, export in EXPORTS.items()]


def write_late_answers(folder: Path) -> Path:
    """Answers that come in after the second wave's release: enough for Terschelling, too few for Cycles."""
    return _write(folder, Export(f"passengers-{LATE_WAVE}-late.csv"), draw_late(LATE_WAVE, LATE_ANSWERS))


def broken_rows(wave: str) -> Mapping[str, int]:
    """How many rows of the wave's file fail each row check, as they were put in."""
    export = EXPORTS[wave]
    counts = Counter(rule for fault in faults(is_text=export.format == "csv") for rule in fault.rules * fault.count)
    counts.update({"record_is_readable": export.appendix.count("\n")} if export.appendix else {})
    return dict(counts)


def write_configuration(
    folder: Path,
    *,
    webhooks: Sequence[str] = (),
    mail_port: int | None = None,
    webhook_secret: str | None = None,
    site_url: str | None = None,
) -> Path:
    """`zwerm.toml` for these files: webhooks are dealt out to departments, the others get e-mail or a folder."""
    source = resources.files("flows.demo").joinpath("zwerm.toml.jinja").read_text(encoding="utf-8")
    environment = Environment(  # noqa: S701 (TOML; texts go through json.dumps, whose strings are TOML's)
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["text"] = lambda value: json.dumps(value, ensure_ascii=False)
    text = environment.from_string(source).render(
        organisation=ORGANISATION,
        departments=DEPARTMENTS,
        aspects=ASPECTS,
        not_used=NOT_USED,
        recipients=_recipients(webhooks, has_mail=mail_port is not None),
        mail_port=mail_port,
        webhook_secret=webhook_secret,
        site_url=site_url,
    )
    path = folder / "zwerm.toml"
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Receiver:
    """Who stands for a department in the demo, and how he is reached."""

    department: Department
    language: str
    slug: str
    webhook: str | None = None
    has_email: bool = False
    has_folder: bool = False
    is_manager: bool = False


def _recipients(webhooks: Sequence[str], *, has_mail: bool) -> list[Receiver]:
    """One recipient for the whole, one per department, and beside the one of Ports its manager."""
    if len(webhooks) > len(DEPARTMENTS):
        raise ValueError(f"{len(webhooks)} webhooks for {len(DEPARTMENTS)} departments: give at most one for each")
    leaves_first = sorted(DEPARTMENTS, key=lambda department: -len(department.path))
    by_path = dict(zip((department.path for department in leaves_first), webhooks, strict=False))
    receivers = [Receiver(ORGANISATION, "nl", "waddenlijn", has_folder=True)]
    for number, department in enumerate(DEPARTMENTS):
        webhook = by_path.get(department.path)
        has_email = has_mail and (webhook is None or number % 3 == 0)
        receivers.append(
            Receiver(
                department,
                "en" if number % 4 == 3 else "nl",
                _slug(department),
                webhook=webhook,
                has_email=has_email,
                has_folder=(webhook is None and not has_email) or number % 5 == 0,
            )
        )
    ports = next(department for department in DEPARTMENTS if department.path == ("Ports",))
    receivers.append(
        Receiver(ports, "nl", "havens-leiding", has_email=has_mail, has_folder=not has_mail, is_manager=True)
    )
    return receivers


def _slug(department: Department) -> str:
    return department.path[-1].lower().replace(" ", "-")


def _exported(wave: str) -> list[Answer]:
    export = EXPORTS[wave]
    return spoil(draw_wave(wave), wave=wave, is_text=export.format == "csv", is_unicode=export.encoding == "utf-8")


def _write(folder: Path, export: Export, answers: Sequence[Answer]) -> Path:
    path = folder / "exports" / export.name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _json_lines(answers) if export.format == "jsonl" else _csv(answers, export.delimiter) + export.appendix
    content = text.encode(export.encoding)
    path.write_bytes(gzip.compress(content, mtime=0) if export.is_gzipped else content)
    return path


def _csv(answers: Sequence[Answer], delimiter: str) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(answers)
    return file.getvalue()


def _json_lines(answers: Sequence[Answer]) -> str:
    return "".join(
        json.dumps({column: value if value != "" else None for column, value in answer.items()}, ensure_ascii=False)
        + "\n"
        for answer in answers
    )
