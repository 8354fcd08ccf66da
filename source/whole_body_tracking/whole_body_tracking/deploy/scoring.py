"""``evaluate.py --recording``: the metrics of an evaluation on what a deployed policy did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics, measure
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.evaluation.report.played import played_clip, write_rollout_page
from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.gait.network.walked import realised_speed
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.sim2sim.reference import robot_of, with_all_bodies
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations
from whole_body_tracking.tracking.errors import BodyState

from .control.pose import Body
from .recorded import RecordedRun, Track, load_run


@dataclass(frozen=True)
class RecordingScore:
    """What a recording is worth."""

    overall: dict[str, float]
    """Mean of every metric over the clips that were tracked."""
    per_track: list[dict]
    """The same for each time a clip was tracked."""
    folder: Path
    """Where ``report.json``, ``per_track.csv``, ``played.npz`` and ``played.html`` are."""

    def render(self) -> str:
        """A plain table for a terminal."""
        return "\n".join(f"{name:>20}: {value:.4f}" for name, value in self.overall.items())


def score_recording(path: Path, truth: Path | None = None, output_dir: Path | None = None) -> RecordingScore:
    """Measure a recording of ``run_policy.py`` and write a report.

    The robot's place is what the controller estimated, unless the simulated robot's truth is given.

    Args:
        path: The recording.
        truth: What ``robot_sim.py --truth`` wrote of the same run.
        output_dir: Folder to write to; None takes ``evaluation/`` beside the recording.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not what it should be, or no clip was tracked.
    """
    run = load_run(path, truth)
    robot = robot_of(run.spec)
    body = Body(robot, run.spec)
    recordings = [recording_of(track, run, body) for track in run.tracks]
    measured = [
        measure(recording, TrackingRewards(), TrackingTerminations.of_robot(robot), robot.body_names[0], robot)
        for recording in recordings
    ]
    overall = RolloutMetrics.concatenate(measured).mean() | {"num_rollouts": len(measured)}
    rows = [{"name": track.clip.name} | part.mean() for track, part in zip(run.tracks, measured, strict=True)]
    if run.spec.holds_refnn:
        root = robot.body_names[0]
        rows = [row | walked_speeds(each, root) for row, each in zip(rows, recordings, strict=True)]
    folder = output_dir or path.parent / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    played = played_clip(recordings[0], 0, robot.name, list(run.spec.joint_names))
    for name in ("played.npz", "played.html"):
        (folder / name).unlink(missing_ok=True)
    if played is not None:  # a run may end in its first step
        played.save(folder / "played.npz")
        reference = with_all_bodies(run.tracks[0].clip, robot)
        write_rollout_page(folder / "played.html", played, reference, robot.name, f"{reference.name}: {path.name}")
    write_table(folder / "per_track.csv", rows)
    content = {"overall": overall, "per_clip": rows, "definitions": DEFINITIONS, "task": run.spec.task}
    content |= {"checkpoint": run.spec.checkpoint, "engine": "deployment", "recording": path.name}
    content |= {"late_steps": sum(track.num_late for track in run.tracks)}
    content |= {"clips": {track.clip.name: track.clip.source["sha256"] for track in run.tracks}, "run": run.details}
    write_json(folder / "report.json", content | {"root": "estimated" if truth is None else "true"})
    return RecordingScore(overall, rows, folder)


def recording_of(track: Track, run: RecordedRun, body: Body) -> Recording:
    """One tracked clip as an evaluation records it: step t is the state after it, against frame t + 1.

    Steps that never came, because the run ended before, are not numbers, which counts as a failure.
    """
    spec, num_steps = run.spec, track.clip.num_frames - 1
    joints = np.full((num_steps, 1, len(spec.joint_names)), np.nan)
    arrays = {"joint_pos": joints, "joint_vel": joints.copy(), "targets": joints.copy(), "joint_torque": joints.copy()}
    bodies = [np.full((num_steps, 1, len(spec.body_names), width), np.nan) for width in (3, 4, 3, 3)]
    for step, row in track.rows.items():
        state = run.state(row)
        for array, values in zip(bodies, body.bodies(state, spec.body_names), strict=True):
            array[step, 0] = values
        for name, array in arrays.items():
            # The targets of a step are those that led to the state after it.
            array[step, 0] = run.values(name, max(0.0, row - 1.0) if name == "targets" else row)
    tensors = {name: torch.from_numpy(array).float() for name, array in arrays.items()}
    ref_joint_pos = _after_first(track.clip, "joint_pos")
    origin = ref_joint_pos if spec.action_kind == "residual" else torch.tensor(spec.default_joint_pos)
    keys = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
    return Recording(
        ref=BodyState(*(_after_first(track.clip, key) for key in keys)),
        robot=BodyState(*(torch.from_numpy(array).float() for array in bodies)),
        ref_joint_pos=ref_joint_pos,
        joint_pos=tensors["joint_pos"],
        joint_vel=tensors["joint_vel"],
        actions=(tensors["targets"] - origin) / torch.tensor(spec.action_scale),
        clip_ids=torch.zeros(1, dtype=torch.long),
        num_steps=torch.tensor([num_steps]),
        body_names=list(spec.body_names),
        anchor_idx=spec.body_names.index(spec.anchor_body_name),
        step_dt=spec.control_dt,
        joint_torque=tensors["joint_torque"],
    )


def walked_speeds(recording: Recording, root: str) -> dict[str, float]:
    """Speeds of robot and reference along the reference's heading, without the first second [m/s].

    Steps that never came are left out; a walk of one step has none.
    """
    index = recording.body_names.index(root)
    walks = {"realised_speed": recording.robot.pos_w[:, :, index], "reference_speed": recording.ref.pos_w[:, :, index]}
    heading = recording.ref.quat_w[:, :, index]
    came = walks["realised_speed"].isfinite().all(-1).all(-1)
    if came.sum() < 2:
        return {}
    return {name: float(realised_speed(pos_w[came], heading[came], recording.step_dt)) for name, pos_w in walks.items()}


def _after_first(clip: MotionClip, name: str) -> torch.Tensor:
    return torch.from_numpy(np.asarray(getattr(clip, name)[1:], dtype=np.float32))[:, None]


def score_from_command_line(argv: Sequence[str]) -> RecordingScore:
    """Score what ``evaluate.py --recording FILE [--truth FILE] [--output_dir DIR] [--json FILE]`` names.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not what it should be.
    """
    import argparse

    parser = argparse.ArgumentParser(prog="evaluate.py", description="Score a recording of run_policy.py.")
    parser.add_argument("--recording", type=Path, required=True, metavar="FILE", help="What run_policy.py recorded.")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="What robot_sim.py --truth wrote of the same run.")
    parser.add_argument("--output_dir", type=Path, metavar="DIR", help="Default: evaluation/ beside the recording.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers here too.")
    args = parser.parse_args(argv)
    score = score_recording(args.recording, args.truth, args.output_dir)
    if args.json:
        content = {"overall": score.overall, "per_clip": score.per_track}
        write_json(args.json, content)
    return score
