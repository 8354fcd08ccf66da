"""Variants of an ablation: named sets of overrides, and those of them that the evaluation gets too."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from whole_body_tracking.rl.overrides import KNOWN_START, OVERRIDE

BASELINE = "baseline"
"""The variant that overrides nothing."""
NAME = re.compile(r"[\w+.-]+")
TASK = "task="
"""Start of what gives a variant a task of its own."""
FILE = re.compile(r"^env\.((rewards|events)\.\w+\.params\.prior|commands\.motion\.model_file)=(?=.)")
"""Overrides that name a file; runs have folders of their own, so its path is made absolute."""
TRAINING_PRESETS = ("reward_", "rand_")
"""Starts of presets that change training alone."""
PLAYED = re.compile(
    r"^env\.(observations\.|actions\.|decimation=|sim\.dt=|commands\.motion\.preview_steps=)"
    r"|^agent\.(actor|critic|obs_groups)\b"
)
"""Overrides that change what a policy sees, is or does, and that it must be played with."""


@dataclass(frozen=True)
class Variant:
    """One column of settings."""

    name: str
    overrides: tuple[str, ...] = ()
    """Overrides and preset selectors beyond those that all variants share."""
    task: str | None = None
    """Task to train instead of the ablation's; evaluated by a command, see ``--command``."""

    @property
    def played_overrides(self) -> list[str]:
        """Those that the policy must be played with; the evaluation is the same for all variants in all else."""
        return [kept for token in self.overrides if (kept := _played(token))]


def parse_variants(items: Sequence[str]) -> list[Variant]:
    """Read ``--variants``: comma-separated presets (``a+b`` for both), ``name="key=value ..."`` or a YAML file.

    Raises:
        FileNotFoundError: If a YAML file does not exist.
        ValueError: If a name is used twice or holds other characters than letters, digits and ``_+.-``, or an
            override cannot belong to any config.
    """
    variants = [variant for item in items for variant in _parse_item(item)]
    names = [variant.name for variant in variants]
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"A variant is called '{name}'; a name holds letters, digits and _ + . - only.")
    if len(set(names)) != len(names):
        raise ValueError(f"Every variant needs a name of its own, found {names}.")
    return variants


def is_variant(token: str) -> bool:
    """Whether a token with ``=`` defines a variant rather than being an override of a config."""
    return not KNOWN_START.match(token)


def _parse_item(item: str) -> list[Variant]:
    if item.endswith((".yaml", ".yml")):
        return _read_yaml(Path(item))
    if "=" in item:
        name, _, text = item.partition("=")
        return [_variant(name, shlex.split(text))]
    return [_of_presets(name) for name in item.split(",") if name]


def _of_presets(name: str) -> Variant:
    return Variant(name) if name == BASELINE else Variant(name, (f"presets={name.replace('+', ',')}",))


def _variant(name: str, tokens: Sequence[str]) -> Variant:
    tasks = [token.removeprefix(TASK) for token in tokens if token.startswith(TASK)]
    tokens = [_with_absolute_file(token) for token in tokens if not token.startswith(TASK)]
    if len(tasks) > 1:
        raise ValueError(f"Variant '{name}' has {len(tasks)} tasks, {tasks}: one at most.")
    wrong = [token for token in tokens if not (OVERRIDE.match(token) and KNOWN_START.match(token))]
    if wrong:
        raise ValueError(
            f"Variant '{name}': {wrong} are not overrides. They look like presets=NAME, env.PATH=VALUE or"
            " agent.PATH=VALUE, or task=NAME."
        )
    return Variant(name, tuple(tokens), tasks[0] if tasks else None)


def _with_absolute_file(token: str) -> str:
    if not FILE.match(token):
        return token
    key, _, path = token.partition("=")
    return f"{key}={Path(path).absolute()}"


def _read_yaml(path: Path) -> list[Variant]:
    content = yaml.safe_load(path.read_text())
    if not isinstance(content, dict) or not all(isinstance(value, str | list | None) for value in content.values()):
        raise ValueError(
            f"{path} describes no variants. Expected a table of names, each with a list of overrides such as"
            " [presets=reward_energy, env.episode_length_s=5.0], or with nothing."
        )
    split = {name: shlex.split(value) if isinstance(value, str) else value or [] for name, value in content.items()}
    return [_variant(str(name), [str(token) for token in tokens]) for name, tokens in split.items()]


def _played(token: str) -> str | None:
    key, _, value = token.partition("=")
    if key == "presets":
        kept = [name for name in value.split(",") if not name.startswith(TRAINING_PRESETS)]
        return f"presets={','.join(kept)}" if kept else None
    return token if PLAYED.match(token) else None
