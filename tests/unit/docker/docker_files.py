"""What the tests of docker/ read: Dockerfiles as instructions, .env, .dockerignore, compose.yaml."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[3]
DOCKER = REPOSITORY / "docker"
DOCKERFILES = sorted(DOCKER.glob("Dockerfile.*"))


def instructions(path: Path) -> list[tuple[str, str]]:
    """(keyword, argument) of each instruction, comments dropped and continued lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def copied_sources(path: Path) -> list[str]:
    """Paths of the build context that a Dockerfile copies, other stages' files excepted."""
    sources = []
    for keyword, argument in instructions(path):
        if keyword == "COPY" and "--from=" not in argument:
            sources += [item for item in argument.split() if not item.startswith("--")][:-1]
    return sources


def read_env() -> dict[str, str]:
    """Variables of docker/.env."""
    lines = (DOCKER / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose() -> dict:
    """compose.yaml with its anchors merged."""
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def enters_context(path: str) -> bool:
    """Whether .dockerignore lets a path of the repository into the build context; the last rule that matches decides.

    A rule matches a path or any folder above it, and ``**/`` matches at any depth, as Docker has it.
    """
    parts = Path(path).parts
    above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    allowed = True
    for line in (REPOSITORY / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        rule = line.removeprefix("!")
        if any(_matches(item, rule) for item in above):
            allowed = line.startswith("!")
    return allowed


def _matches(path: str, rule: str) -> bool:
    if rule.startswith("**/"):
        return fnmatch.fnmatch(Path(path).name, rule[3:])
    return path.count("/") == rule.count("/") and fnmatch.fnmatch(path, rule)
