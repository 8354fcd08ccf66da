"""``sim2sim.py --gait``: walks of an exported gait policy in plain MuJoCo, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import torch

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import measure
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.evaluation.report.played import played_clip, write_rollout_page
from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.files import write_json
from whole_body_tracking.gait.network.walked import realised_speed
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations
from whole_body_tracking.tracking.errors import BodyState

from .gait_walker import GaitWalker, WalkStep, gait_values
from .reference import robot_of

START_NOISE = 0.02
"""Largest noise on the joints of the first pose [rad], as an evaluation has it."""


@dataclass(frozen=True)
class WalkResult:
    """Walks of one policy, one per set of parameters."""

    rows: list[dict[str, float]]
    """Of every walk: its parameters, whether it survived, realised speed [m/s], and metrics of an evaluation."""
    played: MotionClip | None
    """The first walk as a clip; None if it diverged at once."""
    reference: MotionClip
    """What it should have been."""
    robot: RobotModel


def run_gait_walks(
    policy: OnnxPolicy,
    gaits: Sequence[Mapping[str, float]],
    seconds: float,
    seed: int | None = 42,
    report: Callable[[int], None] = lambda done: None,
) -> WalkResult:
    """Play one walk per set of parameters, without ending it at a fall, and measure.

    Args:
        policy: Exported gait policy.
        gaits: Parameters by name; what is left out is in the middle of its range.
        seconds: Length of a walk.
        seed: Of the small noise on first poses; None for none.
        report: Called with the number of walks done.

    Raises:
        ValueError: If a parameter is unknown or out of range, or a walk is shorter than two seconds.
    """
    if not seconds >= 2.0:
        raise ValueError(f"A walk of {seconds:g} s is too short to measure, expected at least 2 s.")
    spec = policy.spec
    robot = robot_of(spec)
    walker, values = GaitWalker(policy, robot), [gait_values(spec, gait) for gait in gaits]
    num_steps, walks = round(seconds / spec.control_dt), []
    for index, gait in enumerate(values):
        rng = None if seed is None else np.random.default_rng([seed, index])
        noise = None if rng is None else rng.uniform(-START_NOISE, START_NOISE, len(spec.joint_names))
        walker.start(gait, noise)
        walks.append([walker.step(gait) for _ in range(num_steps)])
        report(index + 1)
    recording = record(walks, spec)
    return WalkResult(
        rows=_rows(recording, spec, robot, values),
        played=played_clip(recording, 0, robot.name, list(spec.joint_names)),
        reference=_reference_clip(recording, spec, robot),
        robot=robot,
    )


def run_gait_sim2sim(policy_path: Path, gait: Mapping[str, float], seconds: float, folder: Path | None) -> WalkResult:
    """Play one walk and write ``report.json``, ``played.npz`` and ``played.html``.

    Raises:
        FileNotFoundError: If there is no such policy.
        ValueError: If it follows no RefNN, or a parameter is unknown or out of range.
    """
    policy = load_policy(policy_path, follows_gait=True)
    result = run_gait_walks(policy, [gait], seconds)
    folder = Path(policy_path).parent / "sim2sim" if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("played.npz", "played.html"):
        (folder / name).unlink(missing_ok=True)
    if result.played is not None:
        result.played.save(folder / "played.npz")
        title = f"{policy.spec.checkpoint} in MuJoCo"
        write_rollout_page(folder / "played.html", result.played, result.reference, result.robot.name, title)
    (row,) = result.rows
    write_json(
        folder / "report.json",
        {
            "overall": row,
            "definitions": {name: text for name, text in DEFINITIONS.items() if name in row},
            "task": policy.spec.task,
            "engine": f"plain MuJoCo {mujoco.__version__}",
            "checkpoint": policy.spec.checkpoint,
            "seconds": seconds,
        },
    )
    return result


def record(walks: list[list[WalkStep]], spec: PolicySpec) -> Recording:
    """Walks of one length as an evaluation records them."""

    def stacked(take: Callable[[WalkStep], np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack([[take(step) for step in walk] for walk in walks], axis=1)).float()

    def bodies(of: Callable[[WalkStep], tuple[np.ndarray, ...]]) -> BodyState:
        return BodyState(*(stacked(lambda step, kind=kind: of(step)[kind]) for kind in range(4)))

    ref_joint_pos, targets = stacked(lambda step: step.ref[4]), stacked(lambda step: step.targets)
    num = len(walks)
    return Recording(
        ref=bodies(lambda step: step.ref),
        robot=bodies(lambda step: step.bodies),
        ref_joint_pos=ref_joint_pos,
        joint_pos=stacked(lambda step: step.state.joint_pos),
        joint_vel=stacked(lambda step: step.state.joint_vel),
        actions=(targets - ref_joint_pos) / torch.tensor(spec.action_scale),
        clip_ids=torch.zeros(num, dtype=torch.long),
        num_steps=torch.full((num,), len(walks[0])),
        body_names=list(spec.body_names),
        anchor_idx=spec.body_names.index(spec.anchor_body_name),
        step_dt=spec.control_dt,
    )


def _rows(recording: Recording, spec: PolicySpec, robot: RobotModel, gaits: list[np.ndarray]) -> list[dict[str, float]]:
    root = robot.body_names[0]
    measured = measure(recording, TrackingRewards(), TrackingTerminations.of_robot(robot), root, robot)
    index = recording.body_names.index(root)
    speeds = realised_speed(recording.robot.pos_w[:, :, index], recording.ref.quat_w[:, :, index], recording.step_dt)
    rows = []
    for number, gait in enumerate(gaits):
        wanted = dict(zip(spec.gait_inputs, map(float, gait), strict=True))
        rows.append(wanted | {"realised_speed": float(speeds[number])} | measured.select([number]).mean())
    return rows


def _reference_clip(recording: Recording, spec: PolicySpec, robot: RobotModel) -> MotionClip:
    """The reference of the first walk with all bodies."""
    root = recording.body_names.index(robot.body_names[0])
    quat = recording.ref.quat_w[:, 0, root].double().numpy()
    raw = RawMotion(
        fps=1.0 / spec.control_dt,
        root_pos=recording.ref.pos_w[:, 0, root].double().numpy(),
        root_quat=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        joint_pos=recording.ref_joint_pos[:, 0].double().numpy(),
        joint_names=tuple(spec.joint_names),
        source={"gait": True},
    )
    return convert(raw, output_fps=raw.fps, robot=robot.name)
