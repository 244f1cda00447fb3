"""The ferry company's files: the same at every run, broken where they should be, and true to what was drawn with."""

import csv
import gzip
import io
import itertools
import json
import math
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from flows.demo.answers import COLUMNS
from flows.demo.faults import INTRUDER
from flows.demo.generate import EXPORTS, broken_rows, write_configuration, write_late_answers, write_surveys
from flows.demo.organisation import DEPARTMENTS, FALLING, ORGANISATION, RISING, WAVES, true_values
from flows.settings import Settings

Rows = list[dict[str, str]]
LEAVES = [d.path for d in DEPARTMENTS if not any(other.path[:-1] == d.path for other in DEPARTMENTS)]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    paths = write_surveys(tmp_path_factory.mktemp("demo"))
    return {wave: _read(path, wave) for wave, path in zip(WAVES, paths, strict=True)}


def _read(path: Path, wave: str) -> Rows:
    export = EXPORTS[wave]
    content = gzip.decompress(path.read_bytes()) if export.is_gzipped else path.read_bytes()
    text = content.decode(export.encoding).removesuffix(export.appendix)
    if export.format == "jsonl":
        records = [json.loads(line) for line in text.splitlines()]
        return [{key: "" if value is None else str(value) for key, value in record.items()} for record in records]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=export.delimiter))


def _scores(rows: Rows, path: tuple[str, ...]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for row in rows:
        is_whole = row["aanbeveling"].isdigit() and int(row["aanbeveling"]) <= 10
        if is_whole and (row["onderdeel"], row["afdeling"])[: len(path)] == path:
            kinds[_kind(int(row["aanbeveling"]))] += 1
    return kinds


def _kind(score: int) -> str:
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


def _nps(kinds: Counter[str]) -> tuple[float, float]:
    """NPS in points and its standard error."""
    n = kinds.total()
    p, d = kinds["promoter"] / n, kinds["detractor"] / n
    return 100 * (p - d), 100 * math.sqrt((p + d - (p - d) ** 2) / n)


def test_the_files_are_the_same_byte_for_byte_at_every_run(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_surveys(folder)
        write_late_answers(folder)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / x / "exports").iterdir()} for x in "ab")
    assert first == second
    assert len(first) == 5


def test_all_four_waves_have_the_same_columns_and_together_about_twenty_thousand_answers(
    exports: dict[str, Rows],
) -> None:
    assert all(tuple(row) == COLUMNS for rows in exports.values() for row in rows)
    assert 19_000 < sum(len(rows) for rows in exports.values()) < 22_000


def test_there_are_fourteen_departments_of_very_different_size(exports: dict[str, Rows]) -> None:
    assert len(DEPARTMENTS) == 14
    for wave, rows in exports.items():
        paths = {tuple(level for level in (row["onderdeel"], row["afdeling"]) if level) for row in rows}
        known = {department.path for department in DEPARTMENTS}
        assert {path[:1] for path in paths} == {(), *(path for path in known if len(path) == 1)}
        assert {p for p in paths - known if "\x00" not in "".join(p)} == {(), *([INTRUDER] if wave == WAVES[0] else [])}
    sizes = [_scores(exports[WAVES[0]], path).total() for path in LEAVES]
    assert min(sizes) < 10
    assert max(sizes) > 900


def test_between_half_a_percent_and_one_percent_of_the_rows_are_broken(exports: dict[str, Rows]) -> None:
    for wave, rows in exports.items():
        assert 0.005 < sum(broken_rows(wave).values()) / len(rows) < 0.01


def test_the_answers_come_from_the_true_values(exports: dict[str, Rows]) -> None:
    truth = {(row["wave"], row["path"]): row["nps"] for row in true_values().to_dict("records")}
    for wave, rows in exports.items():
        for path in LEAVES:
            nps, error = _nps(_scores(rows, path))
            if _scores(rows, path).total() >= 20:
                assert abs(nps - truth[wave, path]) < 3.3 * error, (wave, path)


def test_two_departments_rise_and_one_falls_beyond_chance_and_only_in_the_last_wave(exports: dict[str, Rows]) -> None:
    beyond_chance = {}
    for before, after in itertools.pairwise(WAVES):
        for path in LEAVES:
            (old, old_error), (new, new_error) = (_nps(_scores(exports[wave], path)) for wave in (before, after))
            z = (new - old) / math.hypot(old_error, new_error)
            if abs(z) > 2.6 and min(_scores(exports[wave], path).total() for wave in (before, after)) >= 10:
                beyond_chance[after, path] = z > 0
    assert beyond_chance == {(WAVES[-1], path): path in RISING for path in (*RISING, *FALLING)}


def test_true_values_of_an_inner_department_are_those_of_its_answers() -> None:
    truth = true_values().to_dict("records")
    assert len(truth) == len(WAVES) * 15
    october = {row["department"]: row for row in truth if row["wave"] == WAVES[-1]}
    parts = [october[name] for name in ("Ships", "Ports", "Customer service", "Food and drink")]
    direct = october["Waddenlijn"]["answers"] - sum(part["answers"] for part in parts)
    total = sum(part["answers"] * part["nps"] for part in parts) + direct * ORGANISATION.opinion.nps
    assert direct == 19
    assert october["Waddenlijn"]["nps"] == pytest.approx(total / october["Waddenlijn"]["answers"])
    assert october["Texel ferry"]["superpromoter_rate"] == pytest.approx(0.56 * 0.68 * 0.63)


def test_late_answers_are_enough_for_one_department_and_too_few_for_another(
    tmp_path: Path, exports: dict[str, Rows]
) -> None:
    with write_late_answers(tmp_path).open(encoding="utf-8", newline="") as file:
        late = list(csv.DictReader(file))
    enough, too_few = _scores(late, ("Ships", "Terschelling")), _scores(late, ("Ports", "Cycles and luggage"))
    assert enough.total() >= 10
    assert len(enough) >= 2
    assert 0 < too_few.total() < 10
    assert not {row["klant"] for row in late} & {row["klant"] for row in exports[WAVES[1]]}
    assert all(row["ingevuld_op"].startswith(WAVES[1]) for row in late)


@pytest.mark.parametrize("mail_port", [None, 2525])
@pytest.mark.parametrize("webhooks", [(), tuple(f"http://127.0.0.1:80{i:02d}/release" for i in range(6))])
def test_the_configuration_loads_and_covers_every_department(
    tmp_path: Path, webhooks: tuple[str, ...], mail_port: int | None
) -> None:
    path = write_configuration(tmp_path, webhooks=webhooks, mail_port=mail_port, webhook_secret='a "secret"')
    settings = Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    covered = {recipient.department for recipient in settings.audience if not recipient.manager}
    assert {department.path for department in DEPARTMENTS} <= covered
    assert [recipient.department for recipient in settings.audience if recipient.manager] == [("Ports",)]
    hooks = [recipient.webhook for recipient in settings.audience if recipient.webhook]
    assert sorted(hook.url for hook in hooks) == sorted(webhooks)
    assert all(hook.secret and hook.secret.get_secret_value() == 'a "secret"' for hook in hooks)
    assert any(recipient.email for recipient in settings.audience) == (mail_port is not None)
    assert {department.path for department in DEPARTMENTS} == {entry.path for entry in settings.departments}


def test_more_webhooks_than_departments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most one for each"):
        write_configuration(tmp_path, webhooks=["http://127.0.0.1/x"] * 15)
