"""Rules that no linter knows: which part may import which, what a start costs, what is never committed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "labkit"

# A part and what it may import. The engine is handed what executes a command, and so imports neither shell nor userland.
MAY_IMPORT = {
    "files": set(),
    "kernel": {"files"},
    "drivers": {"files", "kernel"},
    "userland": {"files", "kernel"},
    "shell": {"files", "kernel", "userland"},
    "engine": {"files", "kernel", "drivers"},
    "dockercli": {"files", "kernel", "drivers", "engine"},
    "catalog": {"files", "kernel", "engine"},
    "machine": {"files", "kernel", "drivers", "engine", "userland", "shell", "dockercli", "catalog"},
}
CORE = set(MAY_IMPORT)
MAY_IMPORT["conformance"] = CORE
MAY_IMPORT["course"] = CORE | {"conformance"}
MAY_IMPORT["grading"] = MAY_IMPORT["course"] | {"course"}
MAY_IMPORT["cli"] = set(MAY_IMPORT) | {"jupyter"}  # jupyter to run notebooks: check-course, run-notebooks
MAY_IMPORT["jupyter"] = MAY_IMPORT["course"] | {"course", "grading", "cli"}  # cli for %labkit
ANYTHING = {"__init__", "__main__"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def modules(*parts: str) -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if not parts or part_of(path) in parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each line and name that this file imports, wherever in it the import stands (TYPE_CHECKING too): module.name."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield from (
                (node.lineno, ".".join([*above, *filter(None, [node.module]), alias.name])) for alias in node.names
            )


def test_every_part_is_in_the_table() -> None:
    assert {part_of(path) for path in modules()} - ANYTHING <= set(MAY_IMPORT)


def test_imports_point_one_way() -> None:
    wrong = []
    for path in modules():
        part = part_of(path)
        for line, name in imports(path):
            head, _, rest = name.partition(".")
            other = rest.split(".")[0]
            if part in ANYTHING or head != "labkit" or other in ("", "__version__", part):
                continue
            if other not in MAY_IMPORT[part]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {part} imports {name}")
    assert wrong == []


EXTRA = {"scenarios.py": {"yaml"}, "sequences.py": {"hypothesis"}}  # of conformance: what labkit compare needs


def test_the_core_needs_only_the_standard_library() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(*CORE, "conformance")
        for line, name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"labkit"} | EXTRA.get(path.name, set())
    ]
    assert wrong == []


def test_the_core_touches_no_real_machine() -> None:
    """No other process, thread, network, clock or chance: the same commands give the same output anywhere."""
    banned = {"subprocess", "threading", "multiprocessing", "socket", "random", "secrets", "tempfile", "asyncio"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(*CORE)
        for line, name in imports(path)
        if name.split(".")[0] in banned
    ]
    assert wrong == []


def test_one_part_asks_a_real_engine() -> None:
    """labkit compare and labkit record; nothing that a lesson imports starts another program."""
    asks = {
        path.name
        for path in modules("conformance", "course", "grading")
        for _, name in imports(path)
        if name == "subprocess"
    }
    assert asks == {"ownengine.py", "basearchive.py"}
    replay = "from labkit.conformance import replay; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", replay], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert {"subprocess", "yaml", "hypothesis"} & set(loaded.split()) == set()


def graph() -> dict[str, set[str]]:
    """Which module of labkit imports which."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in modules()
    }
    found = {name: {nearest(names, other) for _, other in imports(path)} for name, path in names.items()}
    return {name: others - {name, ""} for name, others in found.items()}


def nearest(names: Mapping[str, Path], name: str) -> str:
    """The module that an imported name lies in, or is."""
    if name in names or "." not in name:
        return name if name in names else ""
    return nearest(names, name.rpartition(".")[0])


def test_no_module_imports_itself_through_others() -> None:
    left = graph()
    reach: dict[str, set[str]] = {}
    for name in left:
        waiting, seen = list(left[name]), set[str]()
        while waiting:
            if (other := waiting.pop()) not in seen:
                seen.add(other)
                waiting += left[other]
        reach[name] = seen
    circles = {
        tuple(sorted(other for other in reach[name] if name in reach[other])) for name in left if name in reach[name]
    }
    assert circles == set()


def definitions(path: Path) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


TOO_LARGE: set[str] = set()  # what is left; data apart


def test_a_file_a_class_and_a_function_can_be_taken_in() -> None:
    found = set()
    for path in modules():
        place = path.relative_to(ROOT).as_posix()
        if len(path.read_text(encoding="utf-8").splitlines()) > 500:
            found.add(place)
        for node in definitions(path):
            if (node.end_lineno or 0) - node.lineno + 1 > (400 if isinstance(node, ast.ClassDef) else 60):
                found.add(f"{place}: {node.name}")
    assert found == TOO_LARGE


TWICE: set[tuple[str, str]] = set()  # those that are left


def test_within_a_part_a_class_name_stands_for_one_thing() -> None:
    places: dict[tuple[str, str], list[str]] = {}
    for path in modules():
        for node in definitions(path):
            if isinstance(node, ast.ClassDef):
                places.setdefault((part_of(path), node.name), []).append(str(path.relative_to(ROOT)))
    assert {name for name, where in places.items() if len(where) > 1} == TWICE


def import_time(statement: str) -> tuple[float, set[str]]:
    """Milliseconds that importing takes beyond Python's own start, and the top-level packages it loads."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    report = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stderr
    rows = [line.split(":", 1)[1].split("|") for line in report.splitlines()[1:]]
    loaded = {name.strip().split(".")[0] for *_, name in rows}
    total = sum(int(cumulative) for _, cumulative, name in rows if name.startswith(" labkit") and name.count("  ") == 0)
    return total / 1000, loaded


JUPYTER = {"IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel", "jupyter_client", "nbformat", "graphviz"}


@pytest.mark.parametrize("statement", ["import labkit", "from labkit import Machine; Machine()"])
def test_the_import_loads_no_jupyter(statement: str) -> None:
    command = [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert {name.split(".")[0] for name in loaded} & JUPYTER == set()


def committed() -> list[Path]:
    """The files that git keeps; in a tree without git, all but what .gitignore names."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git working copy")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


REGISTRIES = (
    r"pypi[.](org|python)|files[.]pythonhosted|registry[.]npmjs|registry[.]yarnpkg|conda[.]anaconda"
    r"|/opt/(pypi|wheels)|resolved\": \"http"
)


def test_no_committed_file_names_a_registry_or_a_path_of_this_machine() -> None:
    here = [
        str(place) + "/" for place in (ROOT, Path.home()) if len(place.parts) > 2 and place != Path("/home/learner")
    ]
    pattern = re.compile("|".join([REGISTRIES, *map(re.escape, here)]))
    wrong = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert wrong == []
