"""Reading what ``run_policy.py --record`` wrote."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.reference import robot_of

from .control.alignment import Alignment
from .control.record import CLIP_ARRAYS, COLUMNS, FORMAT, GAIT

TRUTH_ARRAYS = ("tick", "qpos", "qvel")


@dataclass(frozen=True)
class Track:
    """One time that a clip was tracked."""

    clip: MotionClip
    """Joints and tracked bodies in the order of the spec."""
    rows: dict[int, float]
    """Row of the state after each step up to the last one made; between two rows for a step that came too late."""
    shift: float = 0.0
    """How much later than without a delay that was made up for [rows]."""

    @property
    def num_late(self) -> int:
        """Steps that came so late that the next one took their place."""
        return sum(1e-6 < (row - self.shift) % 1.0 < 1.0 - 1e-6 for row in self.rows.values())


@dataclass(frozen=True)
class RecordedRun:
    """A run: what was measured, by row."""

    spec: PolicySpec
    arrays: dict[str, np.ndarray]
    """By :data:`~.control.record.COLUMNS`; of a walk also :data:`~.control.record.GAIT`."""
    details: dict
    tracks: list[Track]

    def state(self, row: float) -> RobotState:
        """The robot in the world of its reference; between two rows in proportion."""
        names = ("root_pos_w", "root_lin_vel_w", "root_ang_vel_w", "joint_pos", "joint_vel")
        turns = Rotation.from_quat(
            self.arrays["root_quat_w"][[int(row), min(int(row) + 1, len(self.arrays["time"]) - 1)]]
        )
        share = row % 1.0
        turn = turns[0] * Rotation.from_rotvec(share * (turns[0].inv() * turns[1]).as_rotvec())
        return RobotState(root_quat_w=turn.as_quat(), **{name: self.values(name, row) for name in names})

    def values(self, name: str, row: float) -> np.ndarray:
        """A column at a row; between two rows in proportion."""
        low, share = int(row), row % 1.0
        values = self.arrays[name]
        return values[low] if share == 0.0 else (1.0 - share) * values[low] + share * values[low + 1]


def load_run(path: str | Path, truth: str | Path | None = None) -> RecordedRun:
    """Read a recording.

    Args:
        path: The recording.
        truth: What the simulated robot wrote of the same run; replaces the estimated states and the measured joints.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not what it should be, no clip was tracked, or the truth is of another run.
    """
    content = _load(path, ("format", "spec", "details", "clip_names", *COLUMNS), "a recording of run_policy.py")
    if str(content["format"]) != FORMAT:
        raise ValueError(f"{path} is of format '{content['format']}', expected '{FORMAT}'.")
    spec = PolicySpec.from_json(str(content["spec"]))
    arrays = {name: content[name] for name in (*COLUMNS, GAIT) if name in content}
    details = json.loads(str(content["details"]))
    tracks = _tracks(content, spec, details.get("compensated_delay", 0.0))
    if not tracks:
        raise ValueError(f"{path} holds {len(arrays['time'])} policy steps, but no clip was tracked in them.")
    run = RecordedRun(spec, arrays, details, tracks)
    return (
        run if truth is None else _with_truth(run, _load(truth, TRUTH_ARRAYS, "what robot_sim.py --truth wrote"), truth)
    )


def _load(path: str | Path, names: tuple[str, ...], what: str) -> dict[str, np.ndarray]:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Expected {what}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path} is not {what}: {error}.") from None
    missing = [name for name in names if name not in content]
    if missing:
        raise ValueError(f"{path} is not {what}: it lacks {missing}.")
    return content


def _tracks(content: dict[str, np.ndarray], spec: PolicySpec, delay: float = 0.0) -> list[Track]:
    """Runs of rows that track the same clip from its beginning on.

    A controller that made up for a delay [s] aimed at a row's frame so much later.
    """
    shift = delay / spec.control_dt
    frames, clips, tracking = content["frame"], content["clip"], content["tracking"]
    tracks: list[Track] = []
    for row in range(len(frames)):
        if not tracking[row]:
            continue
        if not tracks or row == 0 or not tracking[row - 1] or clips[row] != clips[row - 1]:
            # A first step that came late aims beyond frame 1: the robot was where it is through the frames before.
            missed = dict.fromkeys(range(int(frames[row]) - 1), float(row))
            tracks.append(Track(_clip(content, int(clips[row]), spec), missed, shift))
        if row + 1 < len(frames) and clips[row + 1] == clips[row]:
            # The last frame is aimed at again and again while the robot holds it.
            num_steps = max(1, int(frames[row + 1]) - int(frames[row]))
            for step in range(num_steps):
                reached = row + (step + 1) / num_steps + shift
                if reached <= len(frames) - 1:
                    tracks[-1].rows[int(frames[row]) - 1 + step] = reached
    return tracks


def _clip(content: dict[str, np.ndarray], index: int, spec: PolicySpec) -> MotionClip:
    return MotionClip(
        fps=1.0 / spec.control_dt,
        joint_names=spec.joint_names,
        body_names=spec.body_names,
        source={"sha256": str(content[f"clip_{index}_sha256"])},
        name=str(content["clip_names"][index]),
        **{name: content[f"clip_{index}_{name}"] for name in CLIP_ARRAYS},
    )


def _with_truth(run: RecordedRun, truth: dict[str, np.ndarray], path: str | Path) -> RecordedRun:
    """The run with true states, turned and shifted so that the first one is where it was estimated."""
    rows = np.searchsorted(truth["tick"], run.arrays["tick"])
    if rows.max() >= len(truth["tick"]) or (truth["tick"][rows] != run.arrays["tick"]).any():
        raise ValueError(f"{path} is of another run: it lacks states that the controller saw.")
    names = robot_of(run.spec).joint_names
    order = [names.index(name) for name in run.spec.joint_names]
    states = [_true_state(truth["qpos"][row], truth["qvel"][row], order) for row in rows]
    alignment, first, start = Alignment(), states[0], run.state(0)
    alignment.align(first.root_pos_w, first.root_quat_w, start.root_pos_w, start.root_quat_w)
    states = [alignment.apply(state) for state in states]
    arrays = run.arrays | {name: np.stack([getattr(state, name) for state in states]) for name in vars(first)}
    return replace(run, arrays=arrays)


def _true_state(qpos: np.ndarray, qvel: np.ndarray, order: list[int]) -> RobotState:
    """A state of the simulated robot; ``order`` is the motor of each of the policy's joints."""
    quat = np.roll(qpos[3:7], -1)
    return RobotState(
        root_pos_w=qpos[:3],
        root_quat_w=quat,
        root_lin_vel_w=qvel[:3],
        root_ang_vel_w=Rotation.from_quat(quat).apply(qvel[3:6]),
        joint_pos=qpos[7:][order],
        joint_vel=qvel[6:][order],
    )
