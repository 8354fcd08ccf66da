"""Acclaim skeleton files (ASF).

A bone points along ``direction`` from where its parent ends; its channels turn it about axes that are given by
``axis``: with C the rotation of ``axis`` and M that of the channels, the bone's rotation in its parent is C M C^-1.
Angles "XYZ" turn about fixed axes, x first: R = Rz Ry Rx.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from .text_file import number, numbers, read_text

ROOT_CHANNELS = ("TX", "TY", "TZ", "RX", "RY", "RZ")
METERS_PER_LENGTH = 0.0254
"""CMU's files give lengths in inches times their ``length`` unit."""


@dataclass
class AsfBone:
    """One bone; all arrays in the file's axes."""

    name: str
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    """[file units]"""
    axis: Rotation = field(default_factory=Rotation.identity)
    dof: tuple[str, ...] = ()
    """Channels among rx, ry, rz, in the order of a frame's numbers."""


@dataclass
class AsfSkeleton:
    """A skeleton file's content."""

    name: str
    unit: float | None
    """Metres of a length of 1, None if the file does not say."""
    degrees: bool
    root_order: tuple[str, ...]
    root_axis: Rotation
    bones: dict[str, AsfBone]
    """Without the root, parents first."""
    parents: dict[str, str]
    """Each bone's parent by name; ``root`` for those on the root."""


def read_asf(path: str | Path) -> AsfSkeleton:
    """Read a skeleton.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a complete ASF skeleton.
    """
    path = Path(path)
    sections = _sections(read_text(path, "an ASF file"), path.name)
    units = {words[0].lower(): words[1] for _, words in sections["units"] if len(words) == 2}
    degrees = units.get("angle", "deg").lower().startswith("deg")
    length = number(units["length"], f"{path.name}, unit of length") if "length" in units else None
    if length is not None and not length > 0.0:
        raise ValueError(f"{path.name}: the unit of length is {length:g}, expected a positive number.")
    root = {words[0].lower(): (place, words[1:]) for place, words in sections["root"]}
    order = tuple(word.upper() for word in root.get("order", (0, ROOT_CHANNELS))[1])
    if sorted(order) != sorted(ROOT_CHANNELS):
        raise ValueError(f"{path.name}: the root's order is {list(order)}, expected the six of {list(ROOT_CHANNELS)}.")
    place, orientation = root.get("orientation", (0, ["0", "0", "0"]))
    root_axis = _euler(root.get("axis", (0, ["XYZ"]))[1][-1:], orientation, degrees, f"{path.name}, line {place}")
    bones = _bones(sections["bonedata"], degrees, path.name)
    parents = _parents(sections["hierarchy"], bones, path.name)
    ordered = {name: bones[name] for name in parents}
    return AsfSkeleton(
        path.stem, METERS_PER_LENGTH / length if length else None, degrees, order, root_axis, ordered, parents
    )


def _sections(text: str, name: str) -> dict[str, list[tuple[int, list[str]]]]:
    """Lines by section, each with its number and split into words."""
    found: dict[str, list[tuple[int, list[str]]]] = {}
    current: list[tuple[int, list[str]]] = []
    for place, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            current = found.setdefault(words[0][1:].lower(), [])
        elif words:
            current.append((place, words))
    missing = [key for key in ("root", "bonedata", "hierarchy") if key not in found]
    if missing:
        raise ValueError(
            f"{name} is not a complete ASF file: it lacks the sections {[':' + key for key in missing]}."
            f" Found: {[':' + key for key in found]}."
        )
    return {"units": []} | found


def _bones(lines: list[tuple[int, list[str]]], degrees: bool, name: str) -> dict[str, AsfBone]:
    bones, bone = {}, None
    for place, words in lines:
        where, keyword = f"{name}, line {place}", words[0].lower()
        if keyword == "begin":
            bone = AsfBone("")
        elif bone is None:
            raise ValueError(f"{where}: {' '.join(words)[:40]!r} outside of `begin` and `end`.")
        elif keyword == "end":
            if not bone.name or bone.name in bones or bone.name == "root":
                raise ValueError(f"{where}: a bone needs a name of its own, found {bone.name!r}.")
            bones[bone.name], bone = bone, None
        else:
            _set(bone, keyword, words[1:], degrees, where)
    if bone is not None or not bones:
        raise ValueError(f"{name}: :bonedata ends inside of a bone or holds none: the file is truncated.")
    return bones


def _set(bone: AsfBone, keyword: str, words: list[str], degrees: bool, where: str) -> None:
    if keyword == "name":
        bone.name = " ".join(words)
    elif keyword == "direction":
        bone.direction = np.array(numbers(words, 3, f"{where}, direction"))
    elif keyword == "length":
        bone.length = numbers(words, 1, f"{where}, length")[0]
        if bone.length < 0.0:
            raise ValueError(f"{where}: the length of bone '{bone.name}' is {bone.length:g}, expected 0 or more.")
    elif keyword == "axis":
        bone.axis = _euler(words[3:], words[:3], degrees, where)
    elif keyword == "dof":
        bone.dof = tuple(word.lower() for word in words)
        if not set(bone.dof) <= {"rx", "ry", "rz"} or len(set(bone.dof)) != len(bone.dof):
            raise ValueError(
                f"{where}: bone '{bone.name}' has the channels {words}, expected different ones of rx, ry, rz."
            )


def _euler(order: list[str], angles: list[str], degrees: bool, where: str) -> Rotation:
    """Rotation about fixed axes, the first letter of the order first."""
    order = order[0].lower() if order else "xyz"
    if sorted(order) != ["x", "y", "z"]:
        raise ValueError(f"{where}: the order of axes is {order!r}, expected one such as XYZ.")
    return Rotation.from_euler(order, numbers(angles, 3, where), degrees=degrees)


def _parents(lines: list[tuple[int, list[str]]], bones: dict[str, AsfBone], name: str) -> dict[str, str]:
    """Parent of each bone by name, parents first."""
    children: dict[str, list[str]] = {}
    for place, words in lines:
        if words[0].lower() in ("begin", "end"):
            continue
        unknown = [word for word in words if word != "root" and word not in bones]
        if unknown:
            raise ValueError(f"{name}, line {place}: unknown bones {unknown}. Bones: {sorted(bones)}.")
        children.setdefault(words[0], []).extend(words[1:])
    parents: dict[str, str] = {}
    queue = ["root"]
    while queue:
        parent = queue.pop(0)
        for child in children.get(parent, []):
            if child in parents or child == "root":
                raise ValueError(f"{name}: bone '{child}' hangs on two bones in :hierarchy.")
            parents[child] = parent
            queue.append(child)
    left = sorted(set(bones) - set(parents))
    if left:
        raise ValueError(
            f"{name}: the bones {left} are not below the root in :hierarchy: the file is truncated or wrong."
        )
    return parents
