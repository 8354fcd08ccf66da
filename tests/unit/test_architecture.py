"""The shape of the house: imports run one way, rooms stay small, functions stay short, one step takes few files."""

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
MAX_MODULES, MAX_FUNCTION_LINES, MAX_STEP_FILES = 14, 40, 12
CLASSES_OF_A_CONFIG = {"tasks"}
"""Packages whose modules may name each other in a circle: a config names its runtime class and the reverse."""


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


@pytest.mark.parametrize("package", ["motion", "tracking", "robots", "mocap", "refine", "deploy", "priors"])
def test_pure_packages_start_no_simulator(package):
    offending = []
    for path in (PACKAGE / package).rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(re.match(r"(isaaclab|newton|warp|ovphysx|rsl_rl)\b", name) for name in names):
                offending.append(str(path.relative_to(PACKAGE)))
    allowed = {"robots/g1_cfg.py", "robots/ground_cfg.py", "robots/terrain_cfg.py"}
    assert set(offending) <= allowed


@pytest.mark.parametrize("top", [PACKAGE, ROOT / "scripts"], ids=["package", "scripts"])
def test_no_folder_holds_more_than_14_modules(top):
    folders = [top, *(path for path in top.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    counts = {f: len([path for path in f.glob("*.py") if path.name != "__init__.py"]) for f in folders}
    assert {str(f): count for f, count in counts.items() if count > MAX_MODULES} == {}


def test_functions_stay_short():
    long = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines >= MAX_FUNCTION_LINES:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert long == []


def test_one_control_step_takes_twelve_files():
    """Docs list the files; each exists, and they are those that the terms of a step reach by import."""
    text = (ROOT / "docs/how_it_works.md").read_text().split("## Files of one control step", 1)[1].split("\n## ", 1)[0]
    listed = re.findall(r"^\d+\. `([a-z0-9_/]+\.py)`", text, flags=re.MULTILINE)
    assert 0 < len(listed) <= MAX_STEP_FILES and len(set(listed)) == len(listed)
    assert [file for file in listed if not (PACKAGE / file).is_file()] == []
    missing = [f"{path.relative_to(PACKAGE)}" for path in step_files() if str(path.relative_to(PACKAGE)) not in listed]
    assert missing == []


def step_files() -> set[Path]:
    """Modules that hold the classes and functions a default task calls in one step, and the reference it reads."""
    from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingEnvCfg

    cfg = G1TrackingEnvCfg()
    terms = [term for group in (cfg.rewards, cfg.terminations) for term in vars(group).values()]
    terms += vars(cfg.observations.policy).values()
    functions = [getattr(term, "func", None) for term in terms]
    names = {function.__module__ for function in functions if function is not None}
    names |= {f"whole_body_tracking.tasks.tracking.mdp.{name}" for name in ("commands", "actions")}
    files = {PACKAGE / f"{name.removeprefix('whole_body_tracking.').replace('.', '/')}.py" for name in names}
    return {file for file in files if file.is_file()}
