"""Correspondence tables: which joint of a skeleton is which part of a body. YAML files; a user can write one more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

TABLE_DIR = Path(__file__).parent / "tables"

PACKAGED = ("lafan1", "cmu", "generic")
"""Tables that come with the package, in the order in which they are tried."""

SIDED = ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")
REQUIRED = ("pelvis", "chest", "head", *(f"{side}_{part}" for side in ("left", "right") for part in SIDED))
"""Landmarks that a skeleton must have."""
OPTIONAL = ("neck", "left_hand", "right_hand")
"""Landmarks that are used where they exist."""
UP_AXES = ("pelvis", "chest")
"""Landmarks for which a table may say which way is up."""


@dataclass(frozen=True)
class CorrespondenceTable:
    """A table as written: for each landmark the joint names that may be it, the preferred one first."""

    name: str
    joints: dict[str, tuple[str, ...]]
    up_axis: dict[str, np.ndarray] = field(default_factory=dict)
    """Direction that points up in the joint's own frame when the person stands straight, unit, by landmark. Without it
    the rest pose (all rotations zero) must stand upright."""
    recognized_by: tuple[str, ...] = ()
    """Joints of which the skeleton must have at least one; empty: any skeleton."""

    def find(self, names: Sequence[str]) -> dict[str, str]:
        """The skeleton's joint of each landmark that it has."""
        known = {_normal(name): name for name in reversed(names)}
        found = {}
        for landmark, candidates in self.joints.items():
            match = next((known[_normal(name)] for name in candidates if _normal(name) in known), None)
            if match is not None:
                found[landmark] = match
        return found

    def missing(self, names: Sequence[str]) -> list[str]:
        """Required landmarks that the skeleton lacks, and the telling joints if it has none of them."""
        found, known = self.find(names), {_normal(name) for name in names}
        missing = [landmark for landmark in REQUIRED if landmark not in found]
        if self.recognized_by and not known & set(map(_normal, self.recognized_by)):
            missing.append("one of " + "/".join(self.recognized_by))
        return missing


def read_table(path: str | Path) -> CorrespondenceTable:
    """Read a table.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a table; the message says what it needs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Packaged tables: {list(PACKAGED)}; or name a YAML file.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a YAML file: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("joints"), Mapping):
        raise ValueError(f"{path} is not a correspondence table: expected an entry `joints` with names by landmark.")
    joints = {str(key): _names(value, f"{path}: joints of '{key}'") for key, value in content["joints"].items()}
    unknown = [key for key in joints if key not in REQUIRED + OPTIONAL]
    missing = [key for key in REQUIRED if key not in joints]
    if unknown or missing:
        raise ValueError(
            f"{path}: unknown landmarks {unknown}, missing landmarks {missing}. Required: {list(REQUIRED)};"
            f" optional: {list(OPTIONAL)}."
        )
    recognized_by = _names(content.get("recognized_by", []), f"{path}: recognized_by")
    return CorrespondenceTable(
        str(content.get("name", path.stem)), joints, _up_axes(content.get("up_axis") or {}, path), recognized_by
    )


def choose_table(names: Sequence[str], table: str | None = None) -> CorrespondenceTable:
    """The table to read a skeleton with.

    Args:
        names: The skeleton's joints.
        table: Name of a packaged table or path of a YAML file; None takes the first packaged one that fits.

    Raises:
        FileNotFoundError: If the named file does not exist.
        ValueError: If no table fits; the message says what each one misses and which joints there are.
    """
    if table is not None:
        chosen = read_table(TABLE_DIR / f"{table}.yaml" if table in PACKAGED else table)
        if chosen.missing(names):
            raise ValueError(
                f"The table '{chosen.name}' does not fit this skeleton: it finds no {chosen.missing(names)}."
                f" The skeleton's joints: {list(names)}."
            )
        return chosen
    tables = [read_table(TABLE_DIR / f"{name}.yaml") for name in PACKAGED]
    for candidate in tables:
        if not candidate.missing(names):
            return candidate
    reasons = "; ".join(f"{each.name} finds no {each.missing(names)}" for each in tables)
    raise ValueError(
        f"Unknown skeleton: no table fits ({reasons}). The skeleton's joints: {list(names)}."
        " Write a table (docs/mocap.md) and pass it with --table FILE."
    )


def _normal(name: str) -> str:
    """A joint name without what exporters add: `mixamorig:LeftUpLeg` and `Left_Up_Leg` are one."""
    return "".join(char for char in name.rsplit(":", 1)[-1].casefold() if char.isalnum())


def _names(value, where: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{where} should be a name or a list of names, got {value!r}.")
    return tuple(names)


def _up_axes(content, path: Path) -> dict[str, np.ndarray]:
    axes = {}
    for key, value in content.items() if isinstance(content, Mapping) else [(content, None)]:
        numeric = isinstance(value, list) and len(value) == 3 and all(isinstance(v, int | float) for v in value)
        if key not in UP_AXES or not numeric or not np.isfinite(value).all() or not np.any(value):
            raise ValueError(f"{path}: up_axis holds three numbers each for {list(UP_AXES)}, got {key!r}: {value!r}.")
        axes[key] = np.array(value, dtype=np.float64) / np.linalg.norm(value)
    return axes
