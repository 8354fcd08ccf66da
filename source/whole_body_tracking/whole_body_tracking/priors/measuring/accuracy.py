"""Errors of predicted states, as functions of tensors. Rollouts are shaped [num_rollouts, num_frames, dim]."""

from __future__ import annotations

import torch
from torch import Tensor

from ..state import StateLayout

HORIZONS = (1, 5, 15, 30, 60, 500)
"""Frames after the last known one at which rollouts are measured."""
COLLAPSE_FRAMES = 100
"""Last frames of a rollout in which it must still move."""
COLLAPSE_SHARE = 0.1
"""Least share of the truth's joint speed there."""
STANDING = 0.05
"""A truth with a lower joint speed there stands itself [rad/s]."""
LIMIT_EXCESS = 0.2
"""A joint this far beyond a limit has left the poses of the robot [rad]."""
MAX_LAG = 0.5
"""Largest delay of the root's velocity that is looked for [s]."""


def rmse(predicted: Tensor, truth: Tensor) -> float:
    """Root mean square of the difference over everything."""
    return float((predicted - truth).square().mean().sqrt())


def r_squared(predicted: Tensor, truth: Tensor) -> float:
    """1 - sum(error^2) / sum((truth - mean)^2), with the mean over rollouts and frames of each value."""
    truth, predicted = truth.flatten(0, -2), predicted.flatten(0, -2)
    total = (truth - truth.mean(0)).square().sum()
    return float(1.0 - (predicted - truth).square().sum() / total)


def errors_at(predicted: Tensor, truth: Tensor, layout: StateLayout, frame: int) -> dict[str, float]:
    """Errors at one frame of rollouts, counted from 1: RMSE of each part in its unit, and R2 of joints."""
    now, then = predicted[:, frame - 1 : frame], truth[:, frame - 1 : frame]
    place = layout.slices
    found = {name: rmse(now[..., part], then[..., part]) for name, part in place.items()}
    for name in ("joint_pos", "joint_vel"):
        found[f"{name}_r2"] = r_squared(now[..., place[name]], then[..., place[name]])
    return found


def growth_exponent(errors: dict[int, float]) -> float:
    """Slope k of log(error) over log(frame), by least squares: error ~ frame^k, sublinear below 1."""
    frames = torch.tensor(sorted(errors), dtype=torch.float64)
    logs = torch.tensor([errors[int(frame)] for frame in frames], dtype=torch.float64).log()
    x = frames.log() - frames.log().mean()
    return float((x * logs).sum() / x.square().sum())


def collapsed(predicted: Tensor, truth: Tensor, layout: StateLayout) -> Tensor:
    """Whether each rollout has come to rest or left the joints' limits, shape [num_rollouts].

    It has when the RMS of its joint speeds over the last 100 frames is below 10 % of the truth's, or a joint exceeds a
    limit by 0.2 rad at any frame, or a value is not finite.
    """
    now, then = _end_speeds(predicted, layout), _end_speeds(truth, layout)
    limits = predicted.new_tensor(layout.joint_pos_limits)
    joints = predicted[..., layout.slices["joint_pos"]]
    excess = torch.maximum(limits[:, 0] - joints, joints - limits[:, 1]).amax((1, 2))
    finite = predicted.isfinite().all(2).all(1)
    return (now < COLLAPSE_SHARE * then) | (excess > LIMIT_EXCESS) | ~finite


def collapse_share(predicted: Tensor, truth: Tensor, layout: StateLayout) -> tuple[float, int]:
    """Share of the rollouts that have collapsed, and the number of those that were left out.

    A rollout whose truth stands (below 0.05 rad/s over the last 100 frames) cannot show whether the model comes to
    rest. It is left out, so that it does not count as alive, unless it has left the limits.
    """
    fallen = collapsed(predicted, truth, layout)
    told = (_end_speeds(truth, layout) >= STANDING) | fallen
    return float(fallen.sum() / told.sum().clamp(min=1)), int((~told).sum())


def amplitude_share(predicted: Tensor, truth: Tensor, layout: StateLayout) -> float:
    """How far joints swing, over the truth's: RMS of positions about their mean over the last 100 frames.

    Speed alone does not tell a motion from a tremble about one pose.
    """
    joints = layout.slices["joint_pos"]
    ends = (x[:, -COLLAPSE_FRAMES:, joints] for x in (predicted, truth))
    now, then = ((x - x.mean(1, keepdim=True)).square().mean().sqrt() for x in ends)
    return float(now / then)


def _end_speeds(states: Tensor, layout: StateLayout) -> Tensor:
    """RMS of the joint speeds over the last 100 frames [rad/s], shape [num_rollouts]."""
    return states[:, -COLLAPSE_FRAMES:, layout.slices["joint_vel"]].square().mean((1, 2)).sqrt()


def speed_share(predicted: Tensor, truth: Tensor, layout: StateLayout) -> float:
    """Joint speed of the rollouts over the truth's, both RMS over the last 100 frames of all rollouts."""
    speeds = layout.slices["joint_vel"]
    now, then = (x[:, -COLLAPSE_FRAMES:, speeds].square().mean().sqrt() for x in (predicted, truth))
    return float(now / then)


def root_lag(predicted: Tensor, truth: Tensor, layout: StateLayout) -> float:
    """Delay of the root's forward velocity behind the truth [s]: where their correlation is largest.

    Positive when the prediction comes later. Correlations are summed over rollouts, each about its own mean, and
    divided by the number of frames that overlap.
    """
    column = layout.slices["root_lin_vel_b"].start
    now, then = (x[..., column] - x[..., column].mean(1, keepdim=True) for x in (predicted, truth))
    most = min(round(MAX_LAG * layout.fps), now.shape[1] // 2)
    lags = range(-most, most + 1)
    scores = [
        float(
            (now[:, max(0, k) :][:, : now.shape[1] - abs(k)] * then[:, max(0, -k) :][:, : now.shape[1] - abs(k)]).mean()
        )
        for k in lags
    ]
    return (scores.index(max(scores)) - most) / layout.fps


def npss(predicted: Tensor, truth: Tensor) -> float:
    """Normalised power spectrum similarity (Gopalakrishnan et al. 2019) of sequences [num_rollouts, num_frames, n].

    The earth mover's distance between the cumulative, normalised power spectra of each value, averaged with the weight
    of its power in the truth. 0 is best.
    """
    power = [torch.fft.rfft(x.double(), dim=1).abs().square() for x in (predicted, truth)]
    totals = [p.sum(1, keepdim=True) for p in power]
    shares = [(p / t.clamp(min=1e-12)).cumsum(1) for p, t in zip(power, totals, strict=True)]
    distance = (shares[0] - shares[1]).abs().sum(1)
    weight = totals[1][:, 0]
    return float((distance * weight).sum() / weight.sum())
