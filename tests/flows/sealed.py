"""Small sealed releases, made by the real seal, for the tests of what happens to them afterwards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flows.home import Home
from flows.preparing.seal import Draft, seal
from flows.preparing.tables import TABLES
from flows.settings import Settings
from transforms.interval import Method
from warehouse.ledger import Ledger

Tree = Sequence[tuple[str, str | None, int, tuple[str, ...]]]  # id, parent, level, path

TREE: Tree = (("all", None, 0, ()), ("ships", "all", 1, ("Ships",)), ("texel", "ships", 2, ("Ships", "Texel")))


def settings_for(home: Home, **said: object) -> Settings:
    """Settings of a home, with what a test says besides."""
    survey = {"wave": {"value": "2026-10"}, "sources": [{"path": "none.csv"}], "roles": {"score": "score"}}
    settings = Settings.model_validate({"surveys": {"passengers": survey, "staff": survey}, **said})
    settings = settings.model_copy(update={"home": home.path})
    settings._file = home.path / "zwerm.toml"
    return settings


def sealed(
    home: Home,
    *,
    survey: str = "passengers",
    wave: str = "2026-10",
    revision: int = 1,
    nps: float = 39.8398,
    previous_release_id: str | None = None,
    earlier_release_ids: tuple[str, ...] = (),
    interval: Method = "adjusted_wald",
    definition: str = "2026-1",
    told_min: int = 1,
    min_respondents: int = 10,
    filler: bytes = b"",
    tree: Tree = TREE,
) -> str:
    """A release that is sealed and not yet known to the ledger; its id."""
    draft = Draft(
        organisation="Waddenlijn",
        survey=survey,
        title={"en": survey.title()},
        wave=wave,
        revision=revision,
        reason="late answers" if revision > 1 else None,
        is_material=False,
        changes=(),
        previous_release_id=previous_release_id,
        earlier_release_ids=earlier_release_ids,
        interval=interval,
        definition=definition,
        told_min=told_min,
        min_respondents=min_respondents,
        languages=("en",),
        tables=_tables(nps, tree),
    )
    pages = {
        "style.css": b"body {}" + filler,
        "en/index.html": f"<p>{survey} {wave} r{revision}: {nps}</p>".encode(),
        "downloads/promoter_metrics.csv": f"department,nps\nall,{nps}\n".encode(),
    }
    with Ledger.open(home.ledger) as ledger:
        return seal(home, draft, pages, ledger_head=ledger.head()).release_id


def files_below(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _tables(nps: float, tree: Tree) -> dict[str, pd.DataFrame]:
    figures = pd.DataFrame(
        [
            {
                "department_id": name,
                "department": path[-1] if path else "Waddenlijn",
                "parent_id": parent,
                "level": level,
                "status": "suppressed" if name == "texel" else "published",
                **({} if name == "texel" else {"responses": 40, "promoters": 20, "passives": 14, "detractors": 6}),
                **({} if name == "texel" else {"nps": nps, "nps_low": nps - 9, "nps_high": nps + 9}),
            }
            for name, parent, level, path in tree
        ]
    )
    departments = pd.DataFrame(
        [
            {
                "department_id": name,
                "department": path[-1] if path else "Waddenlijn",
                "parent_id": parent,
                "level": level,
                "position": position,
                "path": list(path),
            }
            for position, (name, parent, level, path) in enumerate(tree)
        ]
    )
    quality = pd.DataFrame(
        [
            {
                "rule": "score_is_readable",
                "kind": "rows",
                "says": "a score is a number",
                "severity": "critical",
                "outcome": "passed",
                "failed_count": 0,
                "base_count": 40,
            }
        ]
    )
    frames = {"promoter_metrics": figures, "departments": departments, "quality": quality}
    return {name: _with_all(frames.get(name, pd.DataFrame()), TABLES[name].names) for name in TABLES}


def _with_all(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The frame with every column that is sealed, those without values as missing."""
    full = frame.reindex(columns=[name for name in names if name not in ("survey", "wave")]).astype(object)
    return full.where(full.notna(), None)
