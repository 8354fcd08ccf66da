"""Rollouts of a model and of the baselines from windows of clips, and their report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.robots import RobotModel

from ..baselines import BASELINES, baseline_rollout
from ..motion_model import MotionModel
from ..precision import autocast
from ..state import StateLayout, motion_states
from . import accuracy, bodies

MODEL, DRAWN = "model", "drawn"
"""Names of rollouts: mean predictions, and drawn ones."""


@dataclass(frozen=True)
class TestWindows:
    """Windows of clips: what a model may see, what follows, and where the robot is in between."""

    __test__ = False  # no test of pytest's

    clips: list[str]
    """Clip of each window."""
    seen: Tensor
    """States before, shape [num_windows, context, dim]."""
    truth: Tensor
    """States to come, shape [num_windows, num_frames, dim]."""
    root_pos: Tensor
    """Root at the last seen frame [m], shape [num_windows, 3]."""
    root_quat: Tensor
    """Likewise (x, y, z, w), shape [num_windows, 4]."""


def cut_windows(
    entries: Sequence[MotionEntry], layout: StateLayout, context: int, num_frames: int, max_windows: int
) -> TestWindows:
    """Cut windows evenly from clips that are long enough, about ``max_windows`` in all, the same ones each time.

    Raises:
        ValueError: If no clip is long enough.
    """
    length = context + num_frames
    long_enough = [entry for entry in entries if entry.header().num_frames - 1 >= length]
    if not long_enough:
        raise ValueError(
            f"None of {len(entries)} clips has the {length + 1} frames that {context} seen and {num_frames} predicted"
            " ones need. Lower --num_frames."
        )
    per_clip = max(1, -(-max_windows // len(long_enough)))
    clips, states, root_pos, root_quat = [], [], [], []
    for entry in long_enough:
        clip = entry.load()
        layout.require_clip(clip)
        pos, quat = torch.from_numpy(clip.body_pos_w[:, 0]).double(), torch.from_numpy(clip.body_quat_w[:, 0]).double()
        quat = torch.nn.functional.normalize(quat, dim=-1)
        joints = torch.from_numpy(clip.joint_pos[:, clip.joint_indices(layout.joint_names)]).double()
        all_states = motion_states(pos, quat, joints, layout.fps).float()
        last = len(all_states) - length
        for start in torch.linspace(0, last, min(per_clip, last + 1)).long().tolist():
            clips.append(entry.name)
            states.append(all_states[start : start + length].clone())
            root_pos.append(pos[start + context].float())  # state i is frame i + 1
            root_quat.append(quat[start + context].float())
    stacked = torch.stack(states)
    return TestWindows(clips, stacked[:, :context], stacked[:, context:], torch.stack(root_pos), torch.stack(root_quat))


@torch.no_grad()
def model_rollout(
    model: MotionModel,
    windows: TestWindows,
    precision: str,
    report: Callable[[], None] = lambda: None,
    temperature: float = 0.0,
) -> Tensor:
    """Rollout of a model from every window, of the truth's shape.

    Args:
        model: To measure.
        windows: Where to start from.
        precision: Of the network's products.
        report: Called after each step.
        temperature: 0 predicts the mean; above, changes are drawn, with one seed.
    """
    random, seen, predicted = torch.Generator().manual_seed(0), windows.seen[:, -model.context :], []
    with autocast(precision, seen.device):
        for _ in range(windows.truth.shape[1]):
            predicted.append(model.next_state(seen, temperature, random))
            seen = torch.cat((seen, predicted[-1][:, None]), dim=1)[:, -model.context :]
            report()
    return torch.stack(predicted, dim=1)


def all_rollouts(
    model: MotionModel,
    windows: TestWindows,
    precision: str,
    report: Callable[[], None] = lambda: None,
    temperature: float = 0.0,
) -> dict[str, Tensor]:
    """Rollouts by name: of the model, of the baselines, and, with a temperature, drawn ones."""
    found = {MODEL: model_rollout(model, windows, precision, report)}
    if temperature > 0.0:
        found[DRAWN] = model_rollout(model, windows, precision, report, temperature)
    num_steps = windows.truth.shape[1]
    return found | {name: baseline_rollout(name, windows.seen, num_steps, model.layout) for name in BASELINES}


def measure(rollouts: dict[str, Tensor], windows: TestWindows, layout: StateLayout, robot: RobotModel) -> dict:
    """All numbers of a report, as plain values under stable keys.

    ``single_step`` is the joint RMSE [rad] of the model's first frame; ``rollout`` and the baselines have it by frame.
    All but ``drawn`` is of mean predictions.
    """
    truth = windows.truth
    horizons = [frame for frame in accuracy.HORIZONS if frame <= truth.shape[1]]
    details = {
        name: {str(frame): accuracy.errors_at(states, truth, layout, frame) for frame in horizons}
        for name, states in rollouts.items()
    }
    joint = {name: {frame: row["joint_pos"] for frame, row in rows.items()} for name, rows in details.items()}
    model = joint[MODEL]
    content = {"single_step": model["1"], "rollout": model}
    content |= {name: joint[name] for name in BASELINES}
    content |= _growth(model) | _life(rollouts[MODEL], truth, layout)
    if DRAWN in rollouts:
        content[DRAWN] = {"rollout": joint[DRAWN]} | _life(rollouts[DRAWN], truth, layout)
    content["details"] = details
    content["bodies"] = _bodies(rollouts, windows, layout, robot)
    content["num_windows"] = len(truth)
    return content


def _growth(errors: dict[str, float]) -> dict:
    by_frame = {int(frame): error for frame, error in errors.items() if int(frame) <= 60}
    found = {"growth_exponent": accuracy.growth_exponent(by_frame)} if len(by_frame) > 1 else {}
    return found | ({"ratio_60_to_1": errors["60"] / errors["1"]} if "60" in errors else {})


def _life(predicted: Tensor, truth: Tensor, layout: StateLayout) -> dict:
    near = min(60, truth.shape[1])
    share, standing = accuracy.collapse_share(predicted, truth, layout)
    return {
        "collapse_share": share,
        "standing_windows": standing,
        "speed_share": accuracy.speed_share(predicted, truth, layout),
        "amplitude_share": accuracy.amplitude_share(predicted, truth, layout),
        "root_lag_s": accuracy.root_lag(predicted[:, :near], truth[:, :near], layout),
    }


def _bodies(rollouts: dict[str, Tensor], windows: TestWindows, layout: StateLayout, robot: RobotModel) -> dict:
    frames = [frame for frame in bodies.BENCHMARK_FRAMES if frame <= windows.truth.shape[1]]
    poses = {
        name: bodies.body_poses(states, windows.root_pos, windows.root_quat, layout, robot)
        for name, states in (rollouts | {"truth": windows.truth}).items()
    }
    joints = layout.slices["joint_pos"]
    found = {}
    for name, states in rollouts.items():
        found[name] = {
            "l2p": {str(n): bodies.l2p(poses[name], poses["truth"], n) for n in frames},
            "l2q": {str(n): bodies.l2q(poses[name], poses["truth"], n) for n in frames},
            "npss": {str(n): accuracy.npss(states[:, :n, joints], windows.truth[:, :n, joints]) for n in frames},
        }
    for name, pose in poses.items():
        found.setdefault(name, {})["foot_skate"] = bodies.foot_skate(pose, robot, layout.fps)
    return found
