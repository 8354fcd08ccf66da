"""The HIERARCHY section of a BVH file."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..skeleton import END_SUFFIX
from .text_file import numbers

CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ")
"""What a BVH channel can be."""


@dataclass
class BvhJoint:
    """One joint, or the end point of a chain."""

    name: str
    parent: int
    """Index among the file's joints, -1 for the root."""
    offset: tuple[float, ...] | None = None
    """Position in the parent's frame [file units]."""
    channels: list[str] = field(default_factory=list)
    """Names as in :data:`CHANNELS`, in the order of the numbers of a frame."""
    is_end: bool = False


def parse_hierarchy(text: str, name: str) -> tuple[list[BvhJoint], list[str], int]:
    """Read the joints.

    Args:
        text: The whole file.
        name: Its name, for messages.

    Returns:
        The joints in the file's order, the lines after MOTION, and the number of the first of them.

    Raises:
        ValueError: If the section is wrong or incomplete; the message names the line.
    """
    lines = text.splitlines()
    motion = next((i for i, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.upper() != "HIERARCHY":
        raise ValueError(f"{name} is not a BVH file: it starts with {first[:40]!r}, expected HIERARCHY.")
    if motion is None:
        raise ValueError(f"{name} ends without a MOTION section: it is truncated.")
    parser = _Parser(name)
    for place, line in enumerate(lines[:motion], start=1):
        for part in line.replace("{", "\n{\n").replace("}", "\n}\n").splitlines():
            if part.strip():
                parser.take(part.split(), place)
    return parser.finish(), lines[motion + 1 :], motion + 2


class _Parser:
    """Takes one statement after the other."""

    def __init__(self, name: str):
        self._name = name
        self._joints: list[BvhJoint] = []
        self._open: list[int] = []
        self._waiting = False  # for the brace of the joint that was named last
        self._started = False

    def take(self, words: list[str], place: int) -> None:
        where, keyword = f"{self._name}, line {place}", words[0].upper()
        if self._waiting != (keyword == "{"):
            raise ValueError(
                f"{where}: expected {'an opening brace' if self._waiting else 'no brace'}, got {words[0]!r}."
            )
        if keyword == "HIERARCHY" and not self._started:
            self._started = True
        elif keyword in ("ROOT", "JOINT", "END"):
            self._add(keyword, words, where)
        elif keyword == "{":
            self._open.append(len(self._joints) - 1)
            self._waiting = False
        elif not self._open:
            raise ValueError(f"{where}: unexpected {' '.join(words)[:40]!r} outside of any joint.")
        elif keyword == "}":
            self._close(where)
        elif keyword == "OFFSET":
            self._joints[self._open[-1]].offset = tuple(numbers(words[1:], 3, f"{where}, OFFSET"))
        elif keyword == "CHANNELS":
            self._set_channels(words, where)
        else:
            raise ValueError(f"{where}: unknown keyword {words[0]!r}. Known: ROOT, JOINT, End Site, OFFSET, CHANNELS.")

    def finish(self) -> list[BvhJoint]:
        if self._open or self._waiting or not self._joints:
            raise ValueError(f"{self._name}: the hierarchy ends with {len(self._open)} open braces: it is truncated.")
        if not any(channel.endswith("position") for channel in self._joints[0].channels):
            raise ValueError(
                f"{self._name}: the root '{self._joints[0].name}' lacks position channels; it has"
                f" {self._joints[0].channels}. Export the motion with the root's translation."
            )
        if not any(channel.endswith("rotation") for joint in self._joints for channel in joint.channels):
            raise ValueError(
                f"{self._name}: none of the joints has a rotation channel, so the file holds no motion of them."
                " Export the motion with the joints' rotations."
            )
        return self._joints

    def _add(self, keyword: str, words: list[str], where: str) -> None:
        if (keyword == "ROOT") == bool(self._joints):
            raise ValueError(f"{where}: expected {'one ROOT only' if self._joints else 'ROOT first'}.")
        if keyword != "ROOT" and not self._open:
            raise ValueError(f"{where}: {words[0]} outside of the root's braces.")
        if keyword != "END" and len(words) < 2:
            raise ValueError(f"{where}: a joint without a name.")
        parent = self._open[-1] if self._open else -1
        if parent >= 0 and self._joints[parent].is_end:
            raise ValueError(f"{where}: an End Site has no joints of its own.")
        name = " ".join(words[1:]) if keyword != "END" else self._end_name(parent)
        self._joints.append(BvhJoint(name, parent, is_end=keyword == "END"))
        self._waiting = True

    def _end_name(self, parent: int) -> str:
        name, taken = self._joints[parent].name + END_SUFFIX, {joint.name for joint in self._joints}
        while name in taken:
            name += "_"
        return name

    def _close(self, where: str) -> None:
        joint = self._joints[self._open.pop()]
        if joint.offset is None:
            raise ValueError(f"{where}: joint '{joint.name}' has no OFFSET.")

    def _set_channels(self, words: list[str], where: str) -> None:
        joint, listed = self._joints[self._open[-1]], words[2:]
        count = int(numbers(words[1:2], 1, f"{where}, CHANNELS")[0])
        known = {name.lower(): name for name in CHANNELS}
        wrong = [word for word in listed if word.lower() not in known]
        if len(listed) != count or wrong or len(set(map(str.lower, listed))) != len(listed):
            raise ValueError(
                f"{where}: joint '{joint.name}' announces {count} channels and lists {listed}; expected as many"
                f" different ones of {list(CHANNELS)}."
            )
        joint.channels = [known[word.lower()] for word in listed]
