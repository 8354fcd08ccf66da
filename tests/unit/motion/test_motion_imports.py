"""Modules of motion/ import each other one way, lazy imports and imports for type checkers included."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import whole_body_tracking.motion

pytestmark = pytest.mark.unit

FOLDER = Path(whole_body_tracking.motion.__file__).parent


def module_name(path: Path) -> tuple[str, ...]:
    return path.relative_to(FOLDER).with_suffix("").parts


def imported(path: Path, modules: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Modules of motion/ that a file imports from, by relative or absolute name."""
    found, here = set(), module_name(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        names = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            base = here[: len(here) - node.level] + names
        elif names[:2] == ("whole_body_tracking", "motion"):
            base = names[2:]
        else:
            continue
        found |= {base, *((*base, alias.name) for alias in node.names)} & modules
    return found - {here}


def test_no_import_circle():
    paths = [path for path in FOLDER.rglob("*.py") if path.name != "__init__.py"]
    modules = {module_name(path) for path in paths}
    graph = {module_name(path): imported(path, modules) for path in paths}
    assert graph[("clip",)] >= {("clip_check",), ("conversion", "foreign")}  # the reader of imports sees something
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join("/".join(name) for name in error.args[1]))
