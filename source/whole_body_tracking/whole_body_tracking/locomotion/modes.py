"""Modes of one policy: to stand, walk or turn by command, or to perform a clip. Imports neither torch nor a simulator.

A mode is known by its name. ``stand``, ``walk`` and ``turn`` follow a velocity command; every other mode performs the
clip of that name once, from where the robot stands and heads, and then holds the clip's last pose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from whole_body_tracking.names import require_known

from .command import CommandRanges, VelocityCommand, spread_commands
from .falls import FALL_HEIGHT, FALL_TILT

STAND, WALK, TURN = "stand", "walk", "turn"
PARTS = {STAND: (), WALK: ("vx", "vy", "heading"), TURN: ("heading",)}
"""Parts of a command that each mode without a clip takes."""
PACKAGED_CLIPS = {"squat": "squat.npz"}
"""Clip modes that need no file, and the clip of the package that they perform."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
NUM_HARMONICS = 4
PHASE_SIZE = 2 * NUM_HARMONICS
"""Values that show the phase of a clip."""


@dataclass(frozen=True)
class ModeEntry:
    """A mode as a person names it."""

    name: str
    file: str = ""
    """Clip that it performs; empty for a mode without one."""


@dataclass(frozen=True)
class Mode:
    """What a policy's file says of a mode.

    Raises:
        ValueError: If a number is not finite, or the name is not one.
    """

    name: str
    num_frames: int = 0
    """Frames of its clip; 0 for a mode without one."""
    min_height: float = FALL_HEIGHT
    """Height of the root below which the robot has fallen [m]."""
    max_tilt: float = FALL_TILT
    """Tilt of the root beyond which it has fallen [rad]."""

    def __post_init__(self):
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a mode, expected letters, digits, - and _.")
        fits = self.num_frames == 0 if self.name in PARTS else self.num_frames >= 2
        if type(self.num_frames) is not int or not fits:
            raise ValueError(f"Mode '{self.name}' has {self.num_frames!r} frames, which does not fit its kind.")
        if not (math.isfinite(self.min_height) and math.isfinite(self.max_tilt)):
            raise ValueError(f"Limits of mode '{self.name}' are not finite: {self.min_height}, {self.max_tilt}.")

    @property
    def has_clip(self) -> bool:
        """Whether it performs a clip."""
        return self.num_frames > 0


@dataclass(frozen=True)
class ModeCommand(VelocityCommand):
    """A mode, with the velocities and heading that it takes."""

    mode: str = STAND

    @classmethod
    def parse(cls, text: str) -> ModeCommand:
        """Read a command such as ``mode=walk,vx=0.5,heading=0``; what it leaves out is 0.

        Raises:
            ValueError: If there is not one mode, or a part is wrong or not one that the mode takes.
        """
        parts = [part.strip() for part in text.split(",")]
        named = [part.partition("=")[2].strip() for part in parts if part.partition("=")[0].strip() == "mode"]
        if len(named) != 1 or not named[0]:
            raise ValueError(f"Command '{text}' should name one mode, as in mode=walk,vx=0.5.")
        others = [part for part in parts if part.partition("=")[0].strip() != "mode"]
        taken = PARTS.get(named[0], ())
        for part in others:
            name = part.partition("=")[0].strip()
            if name in PARTS[WALK] and name not in taken:
                takes = ", ".join(taken) or "nothing else"
                raise ValueError(f"Command '{text}': mode {named[0]} takes {takes}, and {name} is given.")
        plain = VelocityCommand.parse(",".join(others)) if others else VelocityCommand()
        return cls(**vars(plain), mode=named[0])

    def observed(self, heading: float, ranges: CommandRanges) -> np.ndarray:
        """What the policy observes: of the base class's values those that the mode takes, zeros for the others."""
        told = super().observed(heading, ranges)
        return told * [name in PARTS.get(self.mode, ()) for name in PARTS[WALK]]

    def __str__(self) -> str:
        return ",".join(
            [f"mode={self.mode}", *(f"{name}={getattr(self, name):g}" for name in PARTS.get(self.mode, ()))]
        )


def parse_command(text: str) -> VelocityCommand:
    """Read a command with a mode, or one without; see :class:`ModeCommand` and :class:`VelocityCommand`.

    Raises:
        ValueError: If it is wrong; the message says what.
    """
    has_mode = any(part.partition("=")[0].strip() == "mode" for part in text.split(","))
    return ModeCommand.parse(text) if has_mode else VelocityCommand.parse(text)


def require_mode(command: VelocityCommand, modes: Sequence[str], source: str) -> None:
    """Check that a command names a mode of a policy that has some, and none where it has none.

    Args:
        command: What the policy is to be told.
        modes: Names of its modes; empty for a policy without.
        source: What messages call the policy.

    Raises:
        ValueError: If not; the message lists the modes.
    """
    mode = getattr(command, "mode", None)
    if mode is None and modes:
        raise ValueError(f"{source} has modes: name one, as in mode={modes[0]}. Known: {', '.join(modes)}.")
    if mode is not None and not modes:
        raise ValueError(f"{source} has no modes, and the command is '{command}': leave mode={mode} out.")
    if mode is not None:
        require_known(mode, modes, f"mode of {source}")


def parse_modes(texts: Iterable[str]) -> list[ModeEntry]:
    """Read modes such as ``stand``, ``walk``, ``squat`` and ``dance=dance.npz``.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If one is unknown, twice there, or no name; or if none performs a clip.
    """
    entries = [_entry(text) for text in texts]
    names = [entry.name for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError(f"Modes {', '.join(names)}: each may be there once.")
    if not any(entry.file for entry in entries):
        raise ValueError(
            f"Modes {', '.join(names) or '(none)'}: at least one should perform a clip, as squat or NAME=FILE.npz does."
            " Velocity-Flat-G1-v0 stands, walks and turns without one."
        )
    return entries


def _entry(text: str) -> ModeEntry:
    name, equals, file = (part.strip() for part in text.partition("="))
    if not equals:
        if name in PARTS:
            return ModeEntry(name)
        require_known(name, [*PARTS, *PACKAGED_CLIPS, "NAME=FILE.npz"], "mode")
        from whole_body_tracking.motion.defaults import DATA_DIR  # the package imports torch

        return ModeEntry(name, str(DATA_DIR / PACKAGED_CLIPS[name]))
    if name in PARTS or not NAME.fullmatch(name):
        raise ValueError(
            f"Mode '{text}': a clip's name has letters, digits, - and _, begins with a letter and is none of"
            f" {', '.join(PARTS)}."
        )
    if not Path(file).is_file():
        raise FileNotFoundError(f"Mode '{text}': there is no clip {file}.")
    return ModeEntry(name, str(Path(file).absolute()))


def clip_mode(name: str, num_frames: int, lowest: float, tilt: float) -> Mode:
    """Mode that performs a clip: the robot has fallen 0.25 m below the clip's lowest root, or 0.8 rad beyond its tilt.

    Args:
        name: Of the mode.
        num_frames: Of the clip.
        lowest: Smallest height of the clip's root above the ground [m].
        tilt: Largest tilt of the clip's root [rad].
    """
    from whole_body_tracking.tracking.criteria import HEIGHT_THRESHOLD  # imports torch

    min_height, max_tilt = min(FALL_HEIGHT, lowest - HEIGHT_THRESHOLD), min(math.pi, tilt + FALL_TILT)
    return Mode(name, num_frames, round(min_height, 6), round(max_tilt, 6))


def phase_features(frame: int, num_frames: int) -> np.ndarray:
    """What a policy sees of the phase p = frame / last frame of a clip, shape [8]; zeros without a clip.

    sin(k pi p) and cos(k pi p) for k = 1..4: those of k = 1 tell the beginning of a clip from its end, the others make
    what changes quickly easier to learn.
    """
    if num_frames == 0:
        return np.zeros(PHASE_SIZE)
    angles = math.pi * min(frame, num_frames - 1) / (num_frames - 1) * np.arange(1, NUM_HARMONICS + 1)
    return np.concatenate((np.sin(angles), np.cos(angles)))


def spread_mode_commands(
    ranges: CommandRanges, modes: Sequence[str], num_commands: int, seed: int
) -> list[ModeCommand]:
    """Commands for all modes in turn; those of walking and turning are spread over the ranges.

    Args:
        ranges: Of the policy.
        modes: Names of its modes.
        num_commands: Number of commands, at least one.
        seed: Of the random numbers.
    """
    drawn = iter(spread_commands(ranges, num_commands + 1, seed)[1:])  # the first one of them stands
    commands = []
    for index in range(num_commands):
        mode, plain = modes[index % len(modes)], next(drawn)
        kept = {name: getattr(plain, name) for name in PARTS.get(mode, ())}
        commands.append(replace(ModeCommand(mode=mode), **kept))
    return commands
