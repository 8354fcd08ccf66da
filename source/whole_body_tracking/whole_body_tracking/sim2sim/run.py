"""``sim2sim.py``: play an exported policy in plain MuJoCo, measure it, write a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mujoco
import torch

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics, measure
from whole_body_tracking.evaluation.metrics.ranking import median_rollout
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.evaluation.report.played import played_clip, write_rollout_page
from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations

from .gap import Baseline, gaps, mean_of, read_baseline
from .observations import ObservationBuilder
from .reference import Reference, references_of, robot_of, with_all_bodies
from .rollout import roll_out


@dataclass
class Sim2SimResult:
    """Metrics of a sim2sim run, and its median rollout to show."""

    overall: dict[str, float]
    """Mean of every metric over the rollouts."""
    per_clip: list[dict]
    """The same for each clip, with its name and number of rollouts."""
    robot: RobotModel
    played: MotionClip | None
    """Motion of the robot in the median rollout, all bodies; None if it diverged at once."""
    reference: MotionClip
    """Reference of that rollout, all bodies; frame t + 1 belongs to the played frame t."""
    baseline: Baseline | None = None
    folder: Path = field(default_factory=Path)


@dataclass
class Played:
    """Rollouts of one clip."""

    reference: Reference
    measured: RolloutMetrics
    median: Recording
    """Recording of the median rollout only: all of them would take 2 kB per step each."""


def run_sim2sim(
    policy_path: Path,
    motion_file: Path | None = None,
    num_rollouts: int = 16,
    seed: int = 42,
    perturbed: bool = True,
    compare: Path | None = None,
    output_dir: Path | None = None,
    motions: Sequence[str] = (),
    control_delay: float = 0.0,
    drift: float = 0.0,
) -> Sim2SimResult:
    """Play, measure, and write ``report.json``, ``per_rollout.csv``, ``played.npz`` and ``played.html``.

    Args:
        policy_path: Exported ``policy.onnx``.
        motion_file: Clip to track instead of the policy's own.
        num_rollouts: Rollouts, at least one; shared by the clips, of which each gets at least one.
        seed: Of the small noise on start states.
        perturbed: Whether there is any noise.
        compare: ``report.json`` of an evaluation of the same policy.
        output_dir: Folder to write to; None takes ``sim2sim/`` beside the policy.
        motions: Names of the policy's own clips to track; none means all of them.
        control_delay: How late targets reach the drives [control steps], in whole physics steps.
        drift: Speed at which the position that the policy observes leaves the true one [m/s].

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If the delay is negative, or policy, clip and report do not fit together; a wrong observation layout
            is named by term.
    """
    _require_rollouts(num_rollouts)
    policy = load_policy(policy_path, needs_clips=motion_file is None and not motions)
    robot = robot_of(policy.spec)
    ObservationBuilder(policy.spec, Path(policy_path).name)
    folder = Path(output_dir) if output_dir else Path(policy_path).parent / "sim2sim"
    references = references_of(policy, motions, motion_file)
    digests = [reference.clip.source["sha256"] for reference in references]
    baseline = read_baseline(compare, digests, policy.spec) if compare else None
    each = -(-num_rollouts // len(references))
    conditions = (seed, perturbed, control_delay, drift)
    played = [_play(policy, robot, reference, each, *conditions) for reference in references]
    result = _result(played, policy, robot, baseline, folder)
    _write(result, played, policy, {"seed": seed, "control_delay": control_delay, "drift": drift})
    return result


def _require_rollouts(num_rollouts: int) -> None:
    if num_rollouts < 1:
        raise ValueError(f"--num_rollouts {num_rollouts} should be at least 1.")


def _result(
    played: list[Played], policy: OnnxPolicy, robot: RobotModel, baseline: Baseline | None, folder: Path
) -> Sim2SimResult:
    """Means over the rollouts of all clips and of each, and the median rollout of the median clip."""
    measured = RolloutMetrics.concatenate([item.measured for item in played])
    each, middle = len(played[0].measured.values["success"]), _middle(played)
    return Sim2SimResult(
        overall=measured.mean() | {"num_rollouts": each * len(played)},
        per_clip=[{"name": item.reference.clip.name, "num_rollouts": each} | item.measured.mean() for item in played],
        robot=robot,
        played=played_clip(middle.median, 0, robot.name, list(policy.spec.joint_names)),
        reference=with_all_bodies(middle.reference.clip, robot),
        baseline=baseline,
        folder=folder,
    )


def _play(policy: OnnxPolicy, robot: RobotModel, reference: Reference, *conditions) -> Played:
    recording = roll_out(policy, robot, reference, *conditions)
    measured = measure(recording, TrackingRewards(), TrackingTerminations.of_robot(robot), robot.body_names[0], robot)
    return Played(reference, measured, recording.rollout(median_rollout(measured)))


def _middle(played: list[Played]) -> Played:
    """Median clip, by the median rollout of each clip."""
    medians = [item.measured.select(torch.tensor([median_rollout(item.measured)])) for item in played]
    return played[median_rollout(RolloutMetrics.concatenate(medians))]


def _write(result: Sim2SimResult, played: list[Played], policy: OnnxPolicy, conditions: dict) -> None:
    folder, name = result.folder, result.reference.name
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{name}: {policy.spec.checkpoint} in MuJoCo, median of {result.per_clip[0]['num_rollouts']} rollouts"
    for name in ("played.npz", "played.html"):
        (folder / name).unlink(missing_ok=True)
    if result.played is not None:
        result.played.save(folder / "played.npz")
        write_rollout_page(folder / "played.html", result.played, result.reference, result.robot.name, title)
    write_table(folder / "per_rollout.csv", [row for item in played for row in _rows(item)])
    content = {
        "overall": result.overall,
        "per_clip": result.per_clip,
        "definitions": {metric: text for metric, text in DEFINITIONS.items() if metric in result.overall},
        "task": policy.spec.task,
        "engine": f"plain MuJoCo {mujoco.__version__}",
        **conditions,
        "checkpoint": policy.spec.checkpoint,
        "clips": {item.reference.clip.name: item.reference.clip.source["sha256"] for item in played},
    }
    if result.baseline is not None:
        content["compared_with"] = {"engine": result.baseline.engine, "overall": result.baseline.values}
        content["gap"] = gaps(mean_of(result.per_clip), result.baseline)
    write_json(folder / "report.json", content)


def _rows(played: Played) -> list[dict]:
    count = len(played.measured.values["success"])
    name = {"clip": played.reference.clip.name}
    return [name | {"rollout": index} | played.measured.select([index]).mean() for index in range(count)]
