"""constraints.txt: exact versions of everything that the project pulls in, and nothing else."""

import importlib.metadata
import os
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.unit

REPOSITORY = Path(__file__).parents[2]
LINE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([0-9][0-9a-z.]*)")
LINES = (REPOSITORY / "constraints.txt").read_text().splitlines()
PINS = dict(line.split("==") for line in LINES if "==" in line)
REFRESH = "Run `make constraints`, then `make setup test`."


def direct_requirements() -> list[Requirement]:
    """What the two pyproject files ask for: the package's dependencies, its extras, the development tools."""
    root = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    package = tomllib.loads((REPOSITORY / "source/whole_body_tracking/pyproject.toml").read_text())["project"]
    texts = [*package["dependencies"], *root["dependency-groups"]["dev"]]
    texts += [text for extra in package.get("optional-dependencies", {}).values() for text in extra]
    return [item for item in map(Requirement, texts) if canonicalize_name(item.name) != "whole-body-tracking"]


def installed_version(name: str) -> str | None:
    """Version in this environment; what Ray puts before it on the path, once imported, does not count."""
    found = importlib.metadata.distributions(name=name, path=[sysconfig.get_path("purelib")])
    return next((distribution.version for distribution in found), None)


def required_packages() -> set[str]:
    """Names of the installed packages that the direct requirements pull in on this platform, themselves included."""
    queue = [(canonicalize_name(item.name), frozenset(item.extras)) for item in direct_requirements()]
    seen = set()
    while queue:
        name, extras = queue.pop()
        if (name, extras) in seen or installed_version(name) is None:
            continue
        seen.add((name, extras))
        for item in map(Requirement, importlib.metadata.requires(name) or []):
            environments = [default_environment() | {"extra": extra} for extra in extras or {""}]
            if item.marker is None or any(item.marker.evaluate(environment) for environment in environments):
                queue.append((canonicalize_name(item.name), frozenset(item.extras)))
    return {name for name, _ in seen}


def test_every_line_is_a_name_and_a_version():
    """No address, path, option, marker or hash: where packages come from is the machine's business."""
    assert len(LINES) > 100
    assert [line for line in LINES if not LINE.fullmatch(line)] == []


def test_names_are_sorted_and_appear_once():
    names = [line.split("==")[0] for line in LINES]
    assert names == sorted(set(names))


def test_every_direct_dependency_is_pinned_to_a_version_that_it_allows():
    for item in direct_requirements():
        pin = PINS.get(canonicalize_name(item.name))
        assert pin is not None, f"{item.name} is not in constraints.txt. {REFRESH}"
        assert item.specifier.contains(pin, prereleases=True), f"{item}, but constraints.txt has {pin}. {REFRESH}"


def test_everything_that_they_pull_in_is_pinned():
    required = required_packages()
    assert {"torch", "isaaclab", "warp-lang", "mujoco"} <= required, "the walk over the requirements is broken"
    assert required - set(PINS) == set(), REFRESH


def test_installed_versions_are_those_of_the_file():
    installed = {name: installed_version(name) for name in PINS}
    differing = {name: (found, PINS[name]) for name, found in installed.items() if found not in (None, PINS[name])}
    assert differing == {}, f"(installed, pinned). Run `make setup`, or: {REFRESH}"


@pytest.mark.parametrize("script", ["scripts/setup.sh", "scripts/release_check.sh"])
def test_every_installation_is_held_to_the_file(script):
    text = re.sub(r"\\\n\s*", "", (REPOSITORY / script).read_text())
    installs = [line for line in text.splitlines() if re.search(r"pip install\b", line)]
    assert installs and all("constraints.txt" in line for line in installs)
    assert not re.search(r"\buv\S* sync\b", text), "a sync resolves anew"


def test_a_change_of_the_file_renews_the_environment_and_the_images():
    assert re.search(r"^\.venv/\.ready: .*constraints\.txt", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    for path in (REPOSITORY / "docker").glob("Dockerfile.*"):
        before, _, _ = path.read_text().partition("scripts/setup.sh\n")
        assert "constraints.txt" in before, path.name


@pytest.fixture
def refresh(tmp_path):
    """The script that refreshes the file, in a folder of its own; the uv of that folder writes what it is given."""
    script = tmp_path / "scripts" / "update_constraints.sh"
    script.parent.mkdir()
    script.write_bytes((REPOSITORY / "scripts" / script.name).read_bytes())
    script.chmod(0o755)
    (tmp_path / "constraints.txt").write_text("old==1\n")
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(
        '#!/bin/bash\n[ "$1" = pip ] || exit 0\necho "$*" >arguments\n'
        'while [ "$1" != --output-file ]; do shift; done\nprintf "%s" "$RESOLVED" >"$2"\n'
    )
    uv.chmod(0o755)

    def run(resolved: str, *names: str):
        environment = os.environ | {"PATH": f"{uv.parent}:{os.environ['PATH']}", "RESOLVED": resolved}
        return subprocess.run([script, *names], env=environment, capture_output=True, text=True)

    return run


def test_refreshing_writes_what_was_resolved(refresh, tmp_path):
    done = refresh("a==1.2\nb==3.0rc1\n", "torch")
    assert (done.returncode, done.stdout) == (0, "constraints.txt: 2 versions\n"), done.stderr
    assert (tmp_path / "constraints.txt").read_text() == "a==1.2\nb==3.0rc1\n"
    assert "--upgrade-package=torch" in (tmp_path / "arguments").read_text()
    assert not list(tmp_path.glob(".constraints.*"))


@pytest.mark.parametrize(
    "line", ["--index-url https://example.org/simple", "b @ https://example.org/b.whl", "c==1.0 ; sys_platform == 'x'"]
)
def test_refreshing_refuses_anything_but_names_and_versions(refresh, tmp_path, line):
    done = refresh(f"a==1.2\n{line}\n")
    assert done.returncode == 1 and f"2:{line}" in done.stderr
    assert (tmp_path / "constraints.txt").read_text() == "old==1\n" and not list(tmp_path.glob(".constraints.*"))
