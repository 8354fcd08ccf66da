"""Readers of other programs' files as :class:`RawMotion`: one function per format, no resampling."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel, get_robot

from ..channels import Channel, check_channels, declarations_of
from .csv_table import read_number_table

QUAT_ORDERS = ("xyzw", "wxyz")
UNIT_TOLERANCE = 0.01
"""Largest deviation of a quaternion's norm from 1 that counts as rounding."""


@dataclass(frozen=True)
class RawMotion:
    """A motion as recorded or retargeted: root pose and joint angles at a constant rate.

    Raises:
        ValueError: If shapes do not agree, values are not finite or quaternions are not unit.
    """

    fps: float
    """Frames per second."""
    root_pos: np.ndarray
    """Root positions in the world frame [m], shape [num_frames, 3]."""
    root_quat: np.ndarray
    """Root orientations (x, y, z, w) in the world frame, shape [num_frames, 4]."""
    joint_pos: np.ndarray
    """Joint positions [rad], shape [num_frames, num_joints]."""
    joint_names: tuple[str, ...]
    """Names of the joints, in the order of :attr:`joint_pos`."""
    source: dict = field(default_factory=dict)
    """Origin of the motion: plain JSON values."""
    channels: dict[str, np.ndarray] = field(default_factory=dict)
    """Optional arrays with one row per frame, shape [num_frames, ...], by name."""
    channel_declarations: dict[str, Channel] = field(default_factory=dict)
    """Declaration of each channel; those of registered channels may be left out."""

    def __post_init__(self):
        num, found = len(self.root_pos), [np.shape(v) for v in (self.root_pos, self.root_quat, self.joint_pos)]
        expected = [(num, 3), (num, 4), (num, len(self.joint_names))]
        if found != expected or num < 2:
            raise ValueError(
                f"A motion has root_pos, root_quat and joint_pos of shapes {expected} with at least 2 frames,"
                f" got {found}."
            )
        if not all(np.isfinite(values).all() for values in (self.root_pos, self.root_quat, self.joint_pos)):
            raise ValueError("The motion holds values that are not finite.")
        norm = np.linalg.norm(self.root_quat, axis=-1)
        if np.abs(norm - 1.0).max() > UNIT_TOLERANCE:
            raise ValueError(f"root_quat is not unit: norms from {norm.min():.4g} to {norm.max():.4g}.")
        declared = declarations_of(list(self.channels), self.channel_declarations)
        object.__setattr__(self, "channel_declarations", declared)
        check_channels(self.channels, declared, num, len(self.joint_names))

    @property
    def num_frames(self) -> int:
        return len(self.root_pos)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps


def read_csv(
    path: str | Path,
    fps: float,
    frame_range: tuple[int, int] | None = None,
    quat_order: str = "xyzw",
    robot: str | RobotModel = "g1",
) -> RawMotion:
    """Read a CSV in Unitree's convention: no header, one frame per row.

    Columns are the root position x y z [m], the root quaternion, then the joint angles [rad] in the robot's order.

    Args:
        path: The file.
        fps: Frames per second of the file.
        frame_range: First and last row to keep, 1-based, both included. All rows when None.
        quat_order: Order of the quaternion's columns, "xyzw" or "wxyz".
        robot: Robot whose joints the columns are.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not hold such a motion; the message says where and what to change.
    """
    path = Path(path)
    model = robot if isinstance(robot, RobotModel) else get_robot(robot)
    if not fps > 0:
        raise ValueError(f"fps is {fps}, but a rate is positive. Pass the rate of {path.name}, usually 30.")
    require_known(quat_order, QUAT_ORDERS, "quaternion order")
    num_columns = 7 + model.num_joints
    layout = f"root x y z, root quaternion, {model.num_joints} joint angles"
    rows, content = read_number_table(path, num_columns, layout)
    rows, first_row = _select(path, rows, frame_range)
    _check_finite(path, rows, first_row)
    _check_quaternions(path, rows[:, 3:7], first_row)
    _check_quat_order(path, rows[:, 3:7], quat_order)
    quat = rows[:, 3:7] if quat_order == "xyzw" else rows[:, [4, 5, 6, 3]]
    _warn_beyond_limits(path, rows[:, 7:], model)
    return RawMotion(
        fps=float(fps),
        root_pos=rows[:, :3].copy(),
        root_quat=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        joint_pos=rows[:, 7:].copy(),
        joint_names=model.joint_names,
        source={
            "file": path.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "frame_range": list(frame_range) if frame_range else None,
            "input_fps": float(fps),
        },
    )


def _select(path: Path, rows: np.ndarray, frame_range: tuple[int, int] | None) -> tuple[np.ndarray, int]:
    first, last = frame_range or (1, len(rows))
    if not 1 <= first <= last <= len(rows):
        raise ValueError(
            f"{path.name}: frame range {first} {last} does not fit. The file has {len(rows)} frames, so FIRST and LAST"
            f" (1-based, both included) must satisfy 1 <= FIRST < LAST <= {len(rows)}."
        )
    if last - first < 1:
        raise ValueError(
            f"{path.name}: one frame is not a motion (velocities need two). The file has {len(rows)} frame(s), selected"
            f" {first} to {last}."
        )
    return rows[first - 1 : last], first


def _check_finite(path: Path, rows: np.ndarray, first_row: int) -> None:
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"{path.name}: row {row + first_row}, column {column + 1} is {rows[row, column]}, expected a finite number"
            f" ({len(bad)} such cells). Remove or repair those frames, or leave them out with --frame_range."
        )


def _check_quaternions(path: Path, quat: np.ndarray, first_row: int) -> None:
    norm = np.linalg.norm(quat, axis=-1)
    bad = np.flatnonzero(np.abs(norm - 1.0) > UNIT_TOLERANCE)
    if len(bad):
        row = bad[0]
        kind = "zero" if norm[row] < UNIT_TOLERANCE else "not unit"
        raise ValueError(
            f"{path.name}: row {row + first_row}: the quaternion in columns 4-7 is {kind} (norm {norm[row]:.4g},"
            f" expected 1 within {UNIT_TOLERANCE}; {len(bad)} such rows). Are columns 4-7 the root's quaternion?"
        )


def _check_quat_order(path: Path, quat: np.ndarray, quat_order: str) -> None:
    """Refuse w-first quaternions that are read as w-last.

    Most rows are then upside down (R_zz < 0) in the xyzw reading and upright in the other. Motions on the floor pass.
    """
    upright_xyzw = 1.0 - 2.0 * (quat[:, 0] ** 2 + quat[:, 1] ** 2)
    upright_wxyz = 1.0 - 2.0 * (quat[:, 1] ** 2 + quat[:, 2] ** 2)
    share = float(np.mean((upright_xyzw < 0.0) & (upright_wxyz > 0.0)))
    if quat_order == "xyzw" and share > 0.5:
        raise ValueError(
            f"{path.name}: the quaternions in columns 4-7 look w-first: read as x y z w the root is upside down, read"
            f" as w x y z upright, in {share:.0%} of the rows. Pass --quat_order wxyz (quat_order='wxyz' in Python)."
        )


def _warn_beyond_limits(path: Path, joint_pos: np.ndarray, model: RobotModel) -> None:
    lower, upper = model.joint_pos_limits.T
    # Angles on a limit that were written with few decimals are not violations.
    excess = np.maximum(lower - joint_pos, joint_pos - upper) - 1e-4
    if not (excess > 0.0).any():
        return
    frame, joint = np.unravel_index(excess.argmax(), excess.shape)
    warnings.warn(
        f"{path.name}: {int((excess > 0.0).sum())} joint angles in {int((excess > 0.0).any(-1).sum())} of"
        f" {len(joint_pos)} frames are beyond the limits of {model.name}; worst is {model.joint_names[joint]} ="
        f" {joint_pos[frame, joint]:.3f} rad, allowed {lower[joint]:.3f} to {upper[joint]:.3f}.",
        stacklevel=3,
    )
