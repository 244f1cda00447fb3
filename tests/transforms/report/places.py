"""Where the report lies in this tree."""

from pathlib import Path

REPORT = Path(__file__).resolve().parents[3] / "transforms" / "report"
