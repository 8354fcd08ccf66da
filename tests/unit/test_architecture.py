"""The shape of the house: imports run one way, rooms stay small, functions stay short."""

import ast
import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import whole_body_tracking

pytestmark = pytest.mark.unit

PACKAGE = Path(whole_body_tracking.__file__).parent
ROOT = Path(__file__).parents[2]
MAX_MODULES, MAX_FUNCTION_LINES = 14, 40


def modules() -> dict[str, Path]:
    """Dotted name below the package -> file."""
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path: Path) -> set[str]:
    """Dotted names below the package that a file imports, wherever in the file, those for type checkers left out."""
    parts = ("whole_body_tracking", *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in skipped:
            continue
        base = parts[: len(parts) - node.level + 1] if node.level else ()
        target = (*base, *(node.module.split(".") if node.module else ()))
        if target[:1] == ("whole_body_tracking",):
            found |= {".".join((*target[1:], alias.name)) for alias in node.names}
    return found


def package_graph(depth: int) -> dict[str, set[str]]:
    """Which packages of ``depth`` levels import which others."""
    graph = defaultdict(set)
    for name, path in modules().items():
        own = name.split(".")[:depth]
        for target in imports_of(path):
            other = target.split(".")[:depth]
            if other != own and other[0]:
                graph[".".join(own)].add(".".join(other))
    return graph


def test_packages_import_one_way():
    try:
        TopologicalSorter(package_graph(1)).prepare()
    except CycleError as error:
        pytest.fail(f"Packages import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize(
    "package", ["motion", "tracking", "robots", "mocap", "refine", "gait", "deploy", "priors", "locomotion"]
)
def test_pure_packages_start_no_simulator(package):
    offending = []
    for path in (PACKAGE / package).rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(re.match(r"(isaaclab|newton|warp|ovphysx|rsl_rl)\b", name) for name in names):
                offending.append(str(path.relative_to(PACKAGE)))
    allowed = {"robots/articulation_cfg.py", "robots/ground_cfg.py", "robots/terrain_cfg.py"}
    allowed |= {"motion/compact_kernel.py"}  # loaded when a compact library is made, and only where Warp is
    assert set(offending) <= allowed


@pytest.mark.parametrize("top", [PACKAGE, ROOT / "scripts"], ids=["package", "scripts"])
def test_no_folder_holds_more_than_14_modules(top):
    folders = [top, *(path for path in top.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    counts = {f: len([path for path in f.glob("*.py") if path.name != "__init__.py"]) for f in folders}
    assert {str(f): count for f, count in counts.items() if count > MAX_MODULES} == {}


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function that its docstring takes."""
    first = node.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1
    return first.end_lineno - first.lineno + 1 if has_docstring else 0


def test_functions_stay_short():
    long = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1 - docstring_lines(node)
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert long == []
