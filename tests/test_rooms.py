"""The rules of the house, read from the code itself: who may import what, how things are named, what never happens."""

import ast
import fnmatch
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("flows", "checks", "transforms", "warehouse")
BESIDE = {"tests", "examples", "docs"}
OWNERS = {  # only this room imports it
    "prefect": "flows",
    "great_expectations": "checks",
    "duckdb_engine": "checks",
    "sqlalchemy": "checks",
    "duckdb": "warehouse",
    "sqlite3": "warehouse",
}
HEAVY = {
    *("prefect", "pandas", "numpy", "pyarrow", "scipy", "statsmodels", "great_expectations"),
    *("duckdb", "altair", "sqlalchemy"),
}
IMPURE = {  # clock, disk, network, logger, connection, chance
    *("logging", "os", "shutil", "tempfile", "pathlib", "time", "random", "secrets", "uuid"),
    *("socket", "ssl", "http", "smtplib", "requests", "httpx", "urllib3", "subprocess", "threading", "asyncio"),
}
CLOCKS = {"now", "utcnow", "today"}
NAMELESS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
UNSAFE_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
KEYWORD = re.compile(
    r"\b(?:SELECT|FROM|WHERE|GROUP|ORDER|BY|HAVING|JOIN|LEFT|RIGHT|INNER|OUTER|CROSS|ON|USING|WITH|AS|AND|OR|"
    r"NOT|IN|IS|NULL|CASE|WHEN|THEN|ELSE|END|UNION|ALL|DISTINCT|LIMIT|CREATE|REPLACE|TABLE|VIEW|SCHEMA|"
    r"INSERT|INTO|VALUES|UPDATE|SET|DELETE|DROP|ALTER|ADD|COLUMN|PRIMARY|KEY|UNIQUE|REFERENCES|DEFAULT|"
    r"BETWEEN|LIKE|EXISTS|CAST|OVER|PARTITION|WINDOW|QUALIFY|UNNEST|COUNT|SUM|MIN|MAX|AVG|COALESCE|FILTER|"
    r"COMMENT|MACRO|TEMPORARY|RECURSIVE|TRUE|FALSE)\b"
)
INDEX = re.compile("|".join((r"pypi\.(?:org|python)", "python" + "hosted", r"--(?:extra-)?" + "index-url")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))
    assert found, f"no *{suffix} under {folders}"
    return found


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def walk(node: ast.AST, *, into_functions: bool = True) -> Iterator[ast.AST]:
    """All nodes that run, types' imports left out; without functions: all that runs at import."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            yield from (n for other in child.orelse for n in (other, *walk(other, into_functions=into_functions)))  # type: ignore[attr-defined]
        elif into_functions or not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from walk(child, into_functions=into_functions)


def imported(path: Path, *, at_import: bool = False) -> Iterator[tuple[str, int]]:
    """Full names of what a file imports, with the line; `from a import b` may be the module a.b."""
    for node in walk(tree(path), into_functions=not at_import):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name, _ in imported(path)}


def called(path: Path) -> Iterator[tuple[str, int]]:
    return ((ast.unparse(n.func), n.lineno) for n in walk(tree(path)) if isinstance(n, ast.Call))


def test_imports_run_one_way() -> None:
    wrong = [
        f"{shown(path)} imports {other}"
        for room in ("checks", "transforms", "warehouse")
        for path in files(room)
        for other in sorted((tops(path) & {*ROOMS, "tests"}) - {room})
    ]
    assert wrong == []
    assert [shown(path) for path in files("flows") if "tests" in tops(path)] == []


@pytest.mark.parametrize(("module", "owner"), OWNERS.items())
def test_each_engine_has_one_room(module: str, owner: str) -> None:
    others = [room for room in ROOMS if room != owner]
    assert [shown(path) for path in files(*others) if module in tops(path)] == []


@pytest.mark.parametrize("edge", ["flows/sources", "flows/channels"])
def test_the_edges_parse_nothing(edge: str) -> None:
    assert [shown(p) for p in files(edge) if tops(p) & {"duckdb", "pandas", "pyarrow", "warehouse.landing"}] == []


def test_a_transform_is_pure() -> None:
    wrong = [f"{shown(p)} imports {name}" for p in files("transforms") for name in sorted(tops(p) & IMPURE)]
    for path in files("transforms"):
        for name, line in called(path):
            if name in ("print", "input") or name.rpartition(".")[2] in {"open", *CLOCKS}:
                wrong.append(f"{shown(path)}:{line} calls {name}")
    assert wrong == []


def test_imports_are_absolute() -> None:
    relative = [
        f"{shown(path)}:{node.lineno}"
        for path in files(*ROOMS, "tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_no_module_is_named_after_nothing() -> None:
    assert [shown(p) for p in files(*ROOMS, "tests") if {*p.stem.split("_"), *p.parent.parts[-1:]} & NAMELESS] == []


def runs_at_import(path: Path) -> set[Path]:
    """The files of ours that importing this one runs."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for name, _ in imported(here, at_import=True):
            parts = name.split(".")
            if parts[0] not in ROOMS:
                continue
            packages = [ROOT.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1)]
            module = ROOT.joinpath(*parts).with_suffix(".py")
            waiting += [found for found in (*packages, module) if found.is_file()]
    return seen


def test_the_command_starts_without_anything_heavy() -> None:
    commands = [path for path in files("flows") if path.name == "__main__.py"]
    heavy = [
        f"{shown(path)}:{line} imports {name}"
        for command in commands
        for path in sorted(runs_at_import(command))
        for name, line in imported(path, at_import=True)
        if name.partition(".")[0] in HEAVY
    ]
    assert heavy == []


def test_the_heavy_parts_of_statistics_are_reached_only_when_they_are_needed() -> None:
    heavy = [
        f"{shown(path)}:{line} imports {name}"
        for path in files("transforms", "flows")
        for name, line in imported(path, at_import=True)
        if name.startswith(("scipy.stats", "scipy.optimize", "statsmodels"))
    ]
    assert heavy == []


def test_flows_reach_great_expectations_only_when_a_check_runs() -> None:
    heavy = [
        f"{shown(path)}:{line} imports {name}"
        for path in files("checks")
        if path.name != "engine.py"  # which the room imports inside functions
        for name, line in imported(path, at_import=True)
        if name.partition(".")[0] in {"great_expectations", "sqlalchemy", "pandas"} or name == "checks.engine"
    ]
    assert heavy == []


def source(name: str) -> Path | None:
    """The file of ours that an imported name stands in: it is the module itself, or something in it."""
    for module in (name, name.rpartition(".")[0]):
        parts = module.split(".")
        for path in (ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts, "__init__.py")):
            if parts[0] in ROOMS and path.is_file():
                return path
    return None


@cache
def needed(path: Path) -> set[Path]:
    """The files of ours that a file names, those included that only its functions or its types import."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {found for name in names if (found := source(name))} - {path}


def beneath(path: Path) -> set[Path]:
    """All that a file needs, and what that needs."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        new = needed(waiting.pop()) - seen
        seen |= new
        waiting += new
    return seen


@pytest.mark.parametrize("room", ROOMS)
def test_no_two_files_of_a_room_need_each_other(room: str) -> None:
    assert [shown(path) for path in files(room) if path in beneath(path)] == []


def ignored(name: str) -> bool:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    return name.startswith(".") or any(fnmatch.fnmatch(name, line.strip("/")) for line in lines)


def test_the_top_level_holds_the_rooms_and_nothing_else() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not ignored(path.name)}
    assert set(ROOMS) <= folders
    assert folders - set(ROOMS) - BESIDE == set()
    assert [path.name for path in ROOT.glob("*.py")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_the_one_in_this_tree(room: str) -> None:
    assert Path(str(importlib.import_module(room).__file__)) == ROOT / room / "__init__.py"


def tables() -> set[str]:
    made = re.compile(r"create (?:table|view) (?:\w+\.)(\w+)")
    return {name for path in files("warehouse", suffix=".sql") for name in made.findall(path.read_text("utf-8"))}


def test_a_table_has_the_same_noun_in_every_room() -> None:
    nouns = tables() | {path.stem for path in (ROOT / "transforms").iterdir() if path.suffix in (".sql", ".py")}
    checked = [p for p in files("checks") if any(ast.unparse(n).startswith("RULES") for n in tree(p).body)]
    assert len(checked) >= 5
    for path in checked:
        assert path.stem in nouns, f"{shown(path)} is named after no table"
        assert (ROOT / "tests" / "checks" / f"test_{path.stem}.py").is_file(), f"{shown(path)} has no test"
    for path in (ROOT / "checks").glob("*.sql"):
        assert path.with_suffix(".py") in checked, f"{shown(path)} belongs to no rules"


def test_nothing_can_run_what_it_reads() -> None:
    wrong = [f"{shown(p)} imports {name}" for p in files(*ROOMS) for name in sorted(tops(p) & UNSAFE_MODULES)]
    wrong += [
        f"{shown(p)}:{line} calls {name}" for p in files(*ROOMS) for name, line in called(p) if name in UNSAFE_CALLS
    ]
    assert wrong == []


def test_tests_use_real_parts() -> None:
    mocks = [
        shown(p) for p in files("tests") if any(name.startswith(("unittest.mock", "mock")) for name, _ in imported(p))
    ]
    assert mocks == []


def test_the_repository_names_no_package_index() -> None:
    assert not (ROOT / "uv.lock").exists(), "uv.lock names an index thousands of times: delete it, and run `make lock`"
    kept = [p for p in ROOT.iterdir() if p.is_file() and p.suffix in ("", ".toml", ".md", ".lock", ".txt", ".cfg")]
    kept += [p for folder in (".ci", *ROOMS, *BESIDE) for p in (ROOT / folder).rglob("*") if p.is_file()]
    texts = (
        p for p in kept if p.suffix in ("", ".py", ".toml", ".md", ".lock", ".txt", ".cfg", ".yml", ".yaml", ".sql")
    )
    assert [shown(p) for p in texts if INDEX.search(p.read_text(encoding="utf-8", errors="replace"))] == []


def public_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    classes = [n for n in tree(path).body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
    for body in (tree(path).body, *(one.body for one in classes)):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
                yield node


def is_declaration(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A protocol's member or an overload: nothing but a signature."""
    return len(node.body) == 1 and ast.unparse(node.body[0]) == "..."


def missing_in(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    if not is_declaration(node) and not ast.get_docstring(node):
        yield "a docstring"
    if node.returns is None:
        yield "the type of what it returns"
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    starred = [one for one in (node.args.vararg, node.args.kwarg) if one]
    for argument in (*arguments, *starred):
        if argument.annotation is None and argument.arg not in ("self", "cls"):
            yield f"the type of {argument.arg}"


def test_every_public_function_says_what_it_takes_gives_and_is_for() -> None:
    missing = [
        f"{shown(path)}:{node.lineno} {node.name} lacks {what}"
        for path in files(*ROOMS)
        for node in public_functions(path)
        for what in missing_in(node)
    ]
    assert missing == []


def test_every_module_says_what_it_is_for() -> None:
    assert [shown(p) for p in files(*ROOMS) if not ast.get_docstring(tree(p))] == []


def test_no_file_is_over_300_lines_and_no_function_over_40() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*ROOMS)}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    functions = [
        (f"{shown(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path in files(*ROOMS)
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert [(name, length) for name, length in functions if length > 40] == []


@pytest.mark.parametrize("room", ["checks", "transforms", "warehouse"])
def test_a_room_has_one_exception_and_others_only_beneath_it(room: str) -> None:
    raised = {
        node.name: [ast.unparse(base) for base in node.bases]
        for path in files(room)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith(("Error", "Exception")) for b in node.bases)
    }
    roots = [name for name, bases in raised.items() if not set(bases) & set(raised)]
    assert roots == [f"{room.removesuffix('s').capitalize()}Error"]
    assert any(isinstance(n, ast.ClassDef) and n.name == roots[0] for n in tree(ROOT / room / "__init__.py").body)


def code_of(sql: str) -> str:
    """SQL without its comments, texts and quoted names."""
    return re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", " ", sql, flags=re.DOTALL)


@pytest.mark.parametrize("path", files(*ROOMS, suffix=".sql"), ids=shown)
def test_sql_is_lower_case_and_begins_with_what_it_makes(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert sql.startswith("-- "), "the first line is a comment: the table's grain"
    assert KEYWORD.findall(code_of(sql)) == []
