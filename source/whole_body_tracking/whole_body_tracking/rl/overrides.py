"""Overrides of config values on the command line, as key=value tokens."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from whole_body_tracking.names import require_known

OVERRIDE = re.compile(r"^[~+]*[A-Za-z_][\w.]*=")
"""What an override or preset selector looks like, such as ``physics=ovphysx``."""
CONFIG_PATH = re.compile(r"^(env|agent)\.")
"""Start of an override that sets a value which the configs already have."""
KNOWN_START = re.compile(r"^((physics|renderer|presets)=|[~+]*(env|agent|hydra)[.=])")


def split_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take the overrides out of a command line: the other tokens, and the overrides with their lists in Python syntax.

    Raises:
        ValueError: If an override cannot belong to any config.
    """
    others = [token for token in argv if not OVERRIDE.match(token)]
    overrides = [quote_list(token) for token in argv if OVERRIDE.match(token)]
    for token in overrides:
        if not KNOWN_START.match(token):
            raise ValueError(
                f"Unknown override `{token}`. Overrides look like physics=NAME, env.PATH=VALUE or agent.PATH=VALUE."
            )
    return others, overrides


def joined_modes(argv: Sequence[str]) -> list[str]:
    """A command line with the values of ``--modes`` in one token: alone, ``squat=squat.npz`` would be an override."""
    joined: list[str] = []
    takes = False
    for token in argv:
        takes = token == "--modes" or (takes and not token.startswith("-") and not KNOWN_START.match(token))
        if takes and token != "--modes":
            joined[-1] += f"{',' if '=' in joined[-1] else '='}{token}"
        else:
            joined.append(token)
    return joined


def quote_list(token: str) -> str:
    """Write ``key=[a, b]`` as ``key=['a', 'b']``, which Isaac Lab reads as a list rather than as text."""
    key, _, value = token.partition("=")
    if not (value.startswith("[") and value.endswith("]")):
        return token
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError):
        try:
            items = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ValueError(f"`{token}` is not a list that can be read: {error}") from None
        return f"{key}={items!r}"
    return token


def require_known_paths(overrides: Sequence[str], env_cfg: Any, agent_cfg: Any) -> None:
    """Check that every ``env.`` and ``agent.`` override names a value that exists; Isaac Lab would add a new one.

    Raises:
        ValueError: If one does not; the message lists the names beside it.
    """
    configs = {"env": env_cfg, "agent": agent_cfg}
    for token in overrides:
        path = token.partition("=")[0]
        if CONFIG_PATH.match(path):
            section, *names = path.split(".")
            _require_path(path, section, configs[section], names)


def _require_path(path: str, parent: str, config: Any, names: list[str]) -> None:
    for name in names:
        known = list(config) if isinstance(config, Mapping) else list(getattr(config, "__dataclass_fields__", ()))
        if name not in known:
            if isinstance(config, Mapping) and name == names[-1]:
                return  # a dictionary takes new keys
            require_known(name, known, f"name in override `{path}`, below `{parent}`")
        config = config[name] if isinstance(config, Mapping) else getattr(config, name)
        parent = f"{parent}.{name}"
