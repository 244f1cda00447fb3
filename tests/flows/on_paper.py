"""Published pages beside the published warehouse: every number in their tables and headlines must stand in mart.

It has its own way of writing numbers: a page that formats wrongly is found as much as one that computes.
"""

import re
from collections.abc import Hashable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any

from scipy.stats import binomtest

from tests.flows.whole import Survey

TABLES = ("promoter_metrics", "comparisons", "changes", "trends", "drivers", "themes")
NUMBER = re.compile(r"(?<![\w.,])[+−]?\d[\d.,]*\d%?|(?<![\w.,])[+−]?\d%?")
SAYS = {
    "en": ("answers", "between {} and {}", "promoters"),
    "nl": ("antwoorden", "tussen {} en {}", "promotors"),
}
LIMITS = {95.0, 99.8}  # of the funnel, as its columns are called
Row = dict[Hashable, Any]


def written(value: float, digits: int, language: str) -> str:
    """A number with so many decimals as this language has it: 1,234.5 or 1.234,5, halves away from zero."""
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    text = f"{abs(exact):,.{digits}f}"
    text = text.translate(str.maketrans(",.", ".,")) if language == "nl" else text
    return ("−" if exact < 0 else "") + text


def differing(survey: Survey, path: str, *, least: int, revision: int | None = None) -> list[str]:
    """What the pages at `survey/wave/rN` say otherwise than mart has of that release, or of another revision."""
    name, wave, number = path.split("/")
    folder = survey.published / "site" / path
    newest = revision or int(number[1:])  # whose page tells what the one before it said, too
    chosen = f"survey = '{name}' and wave = '{wave}' and revision in ({newest}, {newest - 1})"
    rows = {table: survey.read(f"from mart.{table} where {chosen}").to_dict("records") for table in TABLES}
    found: list[str] = []
    languages = [language for language in SAYS if (folder / language).is_dir()]
    assert languages
    waves = f"select department_id, responses from mart.promoter_metrics where survey = '{name}' and wave < '{wave}'"
    rows["waves"] = survey.read(waves).to_dict("records")  # of which the course over time tells how many answered
    departments = [row for row in rows["promoter_metrics"] if row["revision"] == newest]
    for language in languages:
        shown = [_numbers(rows, language, department, least=least) for department in departments]
        by_name: dict[str, set[str]] = {}
        for department, numbers in zip(departments, shown, strict=True):
            by_name.setdefault(department["department"], set()).update(numbers)
        for department, numbers in zip(departments, shown, strict=True):
            is_whole = department["department_id"] == "all"
            name = "index" if is_whole else department["department_id"]
            source = (folder / language / f"{name}.html").read_text(encoding="utf-8")
            found += [f"{language}/{name}: {text}" for text in _unknown(source, by_name, numbers)]
            found += [f"{language}/{name}: no {text}" for text in _missing(source, department, language)]
    return found


def _missing(source: str, department: Row, language: str) -> list[str]:
    """The headline figures of a department that its page does not have; of a hidden one, none are looked for."""
    if department["status"] != "published" or department["nps"] != department["nps"]:
        return []
    _, between, promoters = SAYS[language]
    nps, low, high = (written(department[name], 0, language) for name in ("nps", "nps_low", "nps_high"))
    share = department["promoters"] / department["responses"]
    wanted = [f"Net Promoter Score {nps} {between.format(low, high)}"]
    text = _text(source)
    shares = [f"{written(100 * share, digits, language)}% {promoters}" for digits in (0, 1)]
    return [one for one in wanted if one not in text] + (shares if not any(one in text for one in shares) else [])


def _unknown(source: str, by_name: dict[str, set[str]], own: set[str]) -> Iterator[str]:
    """Numbers in the cells of tables that no figure of the row's department, or else of the page's, is written as."""
    main = source.split('id="sure"')[0]  # checks, weights and the like are told after it
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", main, re.DOTALL):
        header = re.search(r"<th[^>]*>(.*?)</th>", row, re.DOTALL)
        cells = " ".join(re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL))
        name = _text(header[1]) if header else ""
        for number in NUMBER.findall(_text(re.sub(r"<svg.*?</svg>", " ", cells, flags=re.DOTALL))):
            if number.lstrip("+").rstrip("%") not in by_name.get(name, own):
                yield f"{name}: {number}"


def _numbers(rows: dict[str, list[Row]], language: str, department: Row, *, least: int) -> set[str]:
    """Everything that mart has of a department, as it may be written: as it is, or as a percentage.

    Of a hidden one nothing but the minimum, which is why it is hidden.
    """
    if department["status"] != "published":
        return {written(least, 0, language)}
    own = [row for table in rows.values() for row in table if row["department_id"] == department["department_id"]]
    values = {
        float(value)
        for row in own
        for value in row.values()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    }
    n = department["responses"]
    if n == n and n:
        values |= {department[name] / n for name in ("promoters", "passives", "detractors")}
        values |= {*binomtest(int(department["promoters"]), int(n)).proportion_ci(method="wilson")}
    factors = {value * factor for value in values for factor in (1, 100)}
    factors |= LIMITS
    return {written(value, digits, language) for value in factors for digits in (0, 1, 2)}


def _text(source: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", source)).split())
