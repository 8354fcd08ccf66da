"""``sim2sim.py``: play an exported policy in plain MuJoCo, measure it, write what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import mujoco

from whole_body_tracking.evaluation import report
from whole_body_tracking.evaluation.metrics import DEFINITIONS
from whole_body_tracking.evaluation.rollout import Recording
from whole_body_tracking.evaluation.summary import RolloutMetrics, measure
from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel

from .criteria import TrackingRewards, TrackingTerminations
from .gap import Baseline, gaps, read_baseline
from .observations import ObservationBuilder
from .reference import reference_of_file, reference_of_policy, robot_of, with_all_bodies
from .rollout import roll_out


@dataclass
class Sim2SimResult:
    """What was measured, and what can be shown of it."""

    overall: dict[str, float]
    """Mean of every metric over the rollouts."""
    robot: RobotModel
    played: MotionClip
    """What the rollout in the middle did, all bodies."""
    reference: MotionClip
    """What it should have done, all bodies; frame t + 1 belongs to the played frame t."""
    baseline: Baseline | None = None
    folder: Path = field(default_factory=Path)


def run_sim2sim(
    policy_path: Path,
    motion_file: Path | None = None,
    num_rollouts: int = 16,
    seed: int = 42,
    perturbed: bool = True,
    compare: Path | None = None,
    output_dir: Path | None = None,
) -> Sim2SimResult:
    """Play, measure, and write ``report.json``, ``per_rollout.csv``, ``played.npz`` and ``played.html``.

    Args:
        policy_path: Exported ``policy.onnx``.
        motion_file: Clip to track; None takes the one in the policy's file.
        num_rollouts: Rollouts, at least one.
        seed: Of the small noise on start states.
        perturbed: Whether there is any noise.
        compare: ``report.json`` of an evaluation of the same policy.
        output_dir: Folder to write to; None takes ``sim2sim/`` beside the policy.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If policy, clip and report do not fit together; a wrong observation layout is named by term.
    """
    if num_rollouts < 1:
        raise ValueError(f"--num_rollouts {num_rollouts} should be at least 1.")
    policy = load_policy(policy_path)
    robot = robot_of(policy.spec)
    ObservationBuilder(policy.spec, Path(policy_path).name)
    reference = reference_of_file(motion_file, policy.spec) if motion_file else reference_of_policy(policy)
    baseline = read_baseline(compare, reference.source["sha256"], policy.spec) if compare else None
    recording = roll_out(policy, robot, reference, num_rollouts, seed, perturbed)
    measured = measure(recording, TrackingRewards(), TrackingTerminations(), robot.body_names[0], robot)
    result = Sim2SimResult(
        overall=measured.mean() | {"num_rollouts": num_rollouts},
        robot=robot,
        played=_played(recording, measured, robot, policy),
        reference=with_all_bodies(reference, robot),
        baseline=baseline,
        folder=Path(output_dir) if output_dir else Path(policy_path).parent / "sim2sim",
    )
    _write(result, measured, policy, seed)
    return result


def _played(recording: Recording, measured: RolloutMetrics, robot: RobotModel, policy: OnnxPolicy) -> MotionClip:
    median = report.median_rollout(measured)
    return report.played_clip(recording, median, robot.name, list(policy.spec.joint_names))


def _write(result: Sim2SimResult, measured: RolloutMetrics, policy: OnnxPolicy, seed: int) -> None:
    folder, name = result.folder, result.reference.name
    folder.mkdir(parents=True, exist_ok=True)
    result.played.save(folder / "played.npz")
    title = f"{name}: {policy.spec.checkpoint} in MuJoCo, median of {result.overall['num_rollouts']} rollouts"
    report.write_rollout_page(folder / "played.html", result.played, result.reference, result.robot.name, title)
    rollouts = range(len(measured.values["success"]))
    rows = [{"rollout": index} | measured.select([index]).mean() for index in rollouts]
    report.write_table(folder / "per_rollout.csv", rows)
    content = {
        "overall": result.overall,
        "per_clip": [{"name": name} | result.overall],
        "definitions": {metric: text for metric, text in DEFINITIONS.items() if metric in result.overall},
        "task": policy.spec.task,
        "engine": f"plain MuJoCo {mujoco.__version__}",
        "seed": seed,
        "checkpoint": policy.spec.checkpoint,
        "clips": {name: result.reference.source["sha256"]},
    }
    if result.baseline is not None:
        content["compared_with"] = {"engine": result.baseline.engine, "overall": result.baseline.values}
        content["gap"] = gaps(result.overall, result.baseline)
    report.write_json(folder / "report.json", content)
