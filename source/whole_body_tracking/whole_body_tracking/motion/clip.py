"""MotionClip: the one definition of the clip file (docs/data_format.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from whole_body_tracking.files import replacing
from whole_body_tracking.robots import RobotModel, get_robot

from .channels import CHANNELS_KEY, Channel, check_channels, declarations_of, declarations_to_json, split_extra_arrays
from .clip_check import ARRAYS, FORMAT_VERSION, HEADER, check_content, check_extra_names, check_header
from .conversion.clip_content import clip_content
from .conversion.foreign import read_foreign
from .npz import read_arrays, write_arrays


@dataclass(frozen=True, eq=False)
class MotionClip:
    """A motion of one robot at a constant rate, with the poses and velocities of all its bodies.

    Arrays are float32, in the world frame, quaternions (x, y, z, w). Body velocities are those of the link frames.

    Raises:
        ValueError: If shapes do not agree, values are not finite or quaternions are not unit.
    """

    fps: float
    """Frames per second."""
    joint_names: tuple[str, ...]
    """Names of the joints, in the order of the joint arrays."""
    body_names: tuple[str, ...]
    """Names of the bodies, in the order of the body arrays; the first is the root."""
    joint_pos: np.ndarray
    """Joint positions [rad], shape [num_frames, num_joints]."""
    joint_vel: np.ndarray
    """Joint velocities [rad/s], shape [num_frames, num_joints]."""
    body_pos_w: np.ndarray
    """Body positions [m], shape [num_frames, num_bodies, 3]."""
    body_quat_w: np.ndarray
    """Body orientations (x, y, z, w), shape [num_frames, num_bodies, 4]."""
    body_lin_vel_w: np.ndarray
    """Linear velocities of the body frames [m/s], shape [num_frames, num_bodies, 3]."""
    body_ang_vel_w: np.ndarray
    """Angular velocities of the bodies [rad/s], shape [num_frames, num_bodies, 3]."""
    source: dict = field(default_factory=dict)
    """Origin of the clip: plain JSON values."""
    name: str = "clip"
    """Name in tables and messages; after loading, the file's name."""
    channels: dict[str, np.ndarray] = field(default_factory=dict)
    """Optional arrays with one row per frame, such as ``joint_target``, shape [num_frames, ...], by name."""
    channel_declarations: dict[str, Channel] = field(default_factory=dict)
    """Declaration of each channel; those of registered channels may be left out."""
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    """Arrays of the file that nobody has declared: written again as they are, dropped when the motion is changed."""

    def __post_init__(self):
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "joint_names", tuple(str(name) for name in self.joint_names))
        object.__setattr__(self, "body_names", tuple(str(name) for name in self.body_names))
        for key in ARRAYS:
            object.__setattr__(self, key, np.ascontiguousarray(getattr(self, key), dtype=np.float32))
        channels = {name: np.ascontiguousarray(v, dtype=np.float32) for name, v in self.channels.items()}
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "channel_declarations", declarations_of(list(channels), self.channel_declarations))
        check_content(self.fps, self.joint_names, self.body_names, {key: getattr(self, key) for key in ARRAYS})
        check_extra_names((*self.channels, *self.extras))
        check_channels(channels, self.channel_declarations, self.num_frames, len(self.joint_names))

    # -- description --------------------------------------------------------------------------------------------------

    @property
    def num_frames(self) -> int:
        return len(self.joint_pos)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps

    @cached_property
    def digest(self) -> str:
        """SHA-256 of rate, names and poses, from which velocities follow; compression and channels do not count."""
        sha = hashlib.sha256(json.dumps([self.fps, self.joint_names, self.body_names]).encode())
        for key in ("joint_pos", "body_pos_w", "body_quat_w"):
            sha.update(getattr(self, key).data)
        return sha.hexdigest()

    def joint_indices(self, names: Sequence[str]) -> list[int]:
        """Positions of joints by name.

        Raises:
            ValueError: If a joint is not stored; the message lists those that are.
        """
        return self._indices("joints", names, self.joint_names)

    def body_indices(self, names: Sequence[str]) -> list[int]:
        """Positions of bodies by name.

        Raises:
            ValueError: If a body is not stored; the message lists those that are.
        """
        return self._indices("bodies", names, self.body_names)

    def _indices(self, kind: str, names: Sequence[str], stored: tuple[str, ...]) -> list[int]:
        missing = [name for name in names if name not in stored]
        if missing:
            raise ValueError(
                f"{self.name}: {kind} {missing} are not stored in the clip. Stored: {list(stored)}."
                " Correct the names, or re-run csv_to_npz.py with the robot that has them."
            )
        return [stored.index(name) for name in names]

    # -- requirements -------------------------------------------------------------------------------------

    def require_fps(self, fps: float) -> None:
        """Check that the clip was made for a control rate.

        Raises:
            ValueError: If the rates differ; the message says how to convert the clip again.
        """
        if abs(self.fps - fps) > 1e-3 * fps:
            made_from = self.source.get("file", "the original CSV")
            raise ValueError(
                f"{self.name}: the clip has {self.fps:g} fps, but the task is controlled at {fps:g} Hz and would play"
                f" it at {fps / self.fps:.2g} times its speed. Convert {made_from} again with --output_fps {fps:g}."
            )

    def require_robot(self, robot: RobotModel) -> None:
        """Check that the clip holds all joints and bodies of a robot.

        Raises:
            ValueError: If one is missing; the message lists those that are stored.
        """
        for kind, wanted, stored in (
            ("joints", robot.joint_names, self.joint_names),
            ("bodies", robot.body_names, self.body_names),
        ):
            missing = [name for name in wanted if name not in stored]
            if missing:
                raise ValueError(
                    f"{self.name} is not a clip of {robot.name}: it lacks the {kind} {missing}. Stored: {list(stored)}."
                    f" Convert the motion with --robot {robot.name}."
                )

    # -- the file ----------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the clip; an existing file is replaced only when the new one is complete.

        Raises:
            ValueError: If the name does not end in .npz.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"{path} should end in .npz.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            write_arrays(partial, self._file_content())
        return path

    def _file_content(self) -> dict[str, np.ndarray]:
        content = {key: getattr(self, key) for key in ARRAYS} | {
            "format_version": np.array(FORMAT_VERSION),
            "fps": np.array(self.fps),
            "joint_names": np.array(self.joint_names),
            "body_names": np.array(self.body_names),
            "quat_order": np.array("xyzw"),
            "source": np.array(json.dumps(self.source, sort_keys=True)),
        }
        if self.channels:
            content |= self.channels | {CHANNELS_KEY: np.array(declarations_to_json(self.channel_declarations))}
        return content | self.extras

    @classmethod
    def load(cls, path: str | Path, layout: str | None = None, robot: str | RobotModel = "g1") -> MotionClip:
        """Read a clip file; nothing in it is executed.

        Args:
            path: The file.
            layout: None for our own files. "beyondmimic" or "mjlab" for nameless files of those projects, or another of
                :func:`.conversion.foreign.read_foreign`; body poses and velocities are then computed from the joints.
            robot: Whose motion a file with a layout is; files of our own name their joints and bodies.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is truncated, holds pickled objects, lacks names, is not a clip, or does not fit the
                layout.
        """
        path = Path(path)
        arrays = read_arrays(path)
        if layout is not None:
            model = robot if isinstance(robot, RobotModel) else get_robot(robot)
            raw = read_foreign(arrays, path.name, model, layout).raw
            return cls(**clip_content(raw, raw.fps, model) | {"name": path.stem})
        check_header(arrays, path)
        content = {key: arrays[key] for key in ("fps", "joint_names", "body_names", *ARRAYS)}
        others = {key: values for key, values in arrays.items() if key not in (*HEADER, *ARRAYS)}
        channels, declared, extras = split_extra_arrays(others, path)
        try:
            source = json.loads(str(arrays["source"])) if "source" in arrays else {}
            return cls(
                **content,
                source=source,
                name=path.stem,
                channels=channels,
                channel_declarations=declared,
                extras=extras,
            )
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


assert set(ARRAYS) < {item.name for item in fields(MotionClip)}
