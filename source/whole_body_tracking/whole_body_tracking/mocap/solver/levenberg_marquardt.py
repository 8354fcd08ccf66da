"""Levenberg-Marquardt for all frames of a motion at once.

First every few frames alone, from the default pose; in between interpolated; then all frames together, where the
smoothness between frames makes one banded system. Joints stay inside their limits: those at a limit that want to go
beyond are held (a projected step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import NUM_ROOT, Poses
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_log, quat_mul, quat_slerp

from .banded import second_differences, solve_motion, spread
from .problem import Normal, Problem

REFERENCE_FPS = 50.0
"""Rate for which the weight of smoothness is given [Hz]."""

COSTLY, JUMP = 5.0, 1.0
"""A frame is solved again if it costs so many times the median, or if a joint turns by so much [rad] to the next."""
NEARNESS = 0.01
"""Cost of a squared radian away from the neighbours when a frame has several solutions."""


@dataclass(frozen=True)
class SolverSettings:
    """Effort and limits of the solver."""

    every: int = 5
    """Frames between those that are solved alone first."""
    alone_iterations: int = 20
    alone_progress: float = 0.05
    """Share by which an iteration must lower the cost of the frames that are solved alone, or it is the last."""
    together_iterations: int = 6
    together_progress: float = 0.02
    """The same for all frames together."""
    limit_margin: float = 0.01
    """Distance that joints keep from their limits [rad]."""
    damping: float = 1e-3
    """First damping, a share of the Hessian's diagonal."""


def solve(problem: Problem, fps: float, settings: SolverSettings | None = None) -> Poses:
    """Poses of all frames.

    Args:
        problem: The residuals.
        fps: Frames per second.
        settings: Effort and limits.
    """
    settings = settings or SolverSettings()
    limits = torch.from_numpy(problem.chain.robot.joint_pos_limits)
    lower, upper = limits[:, 0] + settings.limit_margin, limits[:, 1] - settings.limit_margin
    num_frames = problem.num_frames
    key = torch.unique(torch.cat((torch.arange(0, num_frames, settings.every), torch.tensor([num_frames - 1]))))
    keys, cost = _solve_alone(problem, problem.initial(key), key, lower, upper, settings)
    keys = _restarted(problem, keys, cost, key, lower, upper, settings)
    poses = _filled(keys, key, num_frames)
    # A second difference grows with the square of the time between frames, and their number falls with it.
    smoothness = problem.weights.smoothness * (fps / REFERENCE_FPS) ** 1.5
    return _solve_together(problem, poses, smoothness, lower, upper, settings)


def _solve_alone(
    problem: Problem, poses: Poses, index: Tensor, lower: Tensor, upper: Tensor, settings: SolverSettings
) -> tuple[Poses, Tensor]:
    """Each frame for itself, and what it costs; a step that does not help is taken back and damped more.

    Capsules that overlap do not count yet: they make the cost jagged, and far from a solution the wrong way apart.
    """
    poses = _projected(poses, lower, upper)
    normal = problem.linearize(poses, index, overlaps=False)
    damping = torch.full((len(index),), settings.damping, dtype=torch.float64)
    for _ in range(settings.alone_iterations):
        free = _free(poses, normal.gradient, lower, upper)
        tried = _projected(poses.moved(_damped_step(normal, damping, free)), lower, upper)
        found, before = problem.linearize(tried, index, overlaps=False), float(normal.cost.sum())
        better = found.cost < normal.cost
        poses = Poses(*(_choose(better, getattr(tried, k), getattr(poses, k)) for k in vars(poses)))
        normal = Normal(*(_choose(better, getattr(found, k), getattr(normal, k)) for k in vars(normal)))
        damping = torch.where(better, damping / 3.0, damping * 6.0).clamp(1e-6, 1e4)
        if float(normal.cost.sum()) > (1.0 - settings.alone_progress) * before:
            break
    return poses, normal.cost


def _restarted(
    problem: Problem, poses: Poses, cost: Tensor, index: Tensor, lower: Tensor, upper: Tensor, settings: SolverSettings
) -> Poses:
    """Frames that ended in a worse minimum than their neighbours, solved again from the nearest good ones."""
    turn = (poses.joint_pos[1:] - poses.joint_pos[:-1]).abs().amax(1) > JUMP
    bad = cost > COSTLY * cost.median()
    bad[1:] |= turn
    bad[:-1] |= turn
    good = (~bad).nonzero()[:, 0]
    place = bad.nonzero()[:, 0]
    if not len(good) or not len(place):
        return poses
    after = torch.searchsorted(good, place).clamp(max=len(good) - 1)
    before = (torch.searchsorted(good, place) - 1).clamp(min=0)
    starts = torch.cat((good[before], good[after]))
    frames = index[place].repeat(2)
    initial = problem.initial(frames)
    begun = Poses(initial.root_pos, initial.root_quat, poses.joint_pos[starts].clone())
    tried, found = _solve_alone(problem, begun, frames, lower, upper, settings)
    # Among equals, the minimum that is nearer to both good neighbours.
    near = 0.5 * (poses.joint_pos[good[before]] + poses.joint_pos[good[after]])

    def score(joint_pos: Tensor, costs: Tensor) -> Tensor:
        return costs + NEARNESS * (joint_pos - near).square().sum(-1)

    choices = Poses(*(torch.stack((getattr(poses[place], k), *getattr(tried, k).chunk(2))) for k in vars(poses)))
    scores = torch.stack([score(q, c) for q, c in zip(choices.joint_pos, (cost[place], *found.chunk(2)), strict=True)])
    best, column = scores.argmin(0), torch.arange(len(place))
    result = Poses(poses.root_pos.clone(), poses.root_quat.clone(), poses.joint_pos.clone())
    for key in vars(result):
        getattr(result, key)[place] = getattr(choices, key)[best, column]
    return result


def _solve_together(
    problem: Problem, poses: Poses, smoothness: float, lower: Tensor, upper: Tensor, settings: SolverSettings
) -> Poses:
    """All frames with the smoothness between them."""
    poses = _projected(poses, lower, upper)
    normal, changes = problem.linearize(poses), _second_differences(poses)
    damping = np.full(len(poses), settings.damping)
    cost = float(normal.cost.sum()) + smoothness**2 * float((changes**2).sum())
    for _ in range(settings.together_iterations):
        gradient = normal.gradient.numpy() + smoothness**2 * spread(changes, len(poses))
        free = _free(poses, torch.from_numpy(gradient), lower, upper)
        step = solve_motion(normal.hessian, gradient, smoothness, damping, free.numpy())
        tried = _projected(poses.moved(torch.from_numpy(step)), lower, upper)
        found, new_changes = problem.linearize(tried), _second_differences(tried)
        new_cost = float(found.cost.sum()) + smoothness**2 * float((new_changes**2).sum())
        # Frames whose own cost rose, mostly at a new contact or overlap, step shorter from then on.
        worse = (found.cost > 1.01 * normal.cost).numpy()
        damping = np.where(worse, damping * 30.0, damping / 3.0).clip(1e-6, 1e3)
        done = abs(cost - new_cost) < settings.together_progress * cost
        if new_cost < cost:
            poses, normal, changes, cost = tried, found, new_changes, new_cost
        if done:
            break
    return poses


def _second_differences(poses: Poses) -> np.ndarray:
    """Second differences of the unknowns, shape [num_frames - 2, num_unknowns]; turns as rotation vectors."""
    turn = quat_log(quat_mul(poses.root_quat[1:], quat_conjugate(poses.root_quat[:-1]))).numpy()
    linear = second_differences(torch.cat((poses.root_pos, poses.joint_pos), dim=1).numpy())
    return np.concatenate((linear[:, :3], turn[1:] - turn[:-1], linear[:, 3:]), axis=1)


def _free(poses: Poses, gradient: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Unknowns that are not held at a limit, shape [num_frames, num_unknowns]."""
    held_low = (poses.joint_pos <= lower) & (gradient[:, NUM_ROOT:] > 0.0)
    held_high = (poses.joint_pos >= upper) & (gradient[:, NUM_ROOT:] < 0.0)
    return torch.cat((torch.ones(len(poses), NUM_ROOT, dtype=torch.bool), ~(held_low | held_high)), dim=1)


def _damped_step(normal: Normal, damping: Tensor, free: Tensor) -> Tensor:
    mask = free.double()
    hessian = normal.hessian * mask[:, :, None] * mask[:, None]
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    diagonal *= 1.0 + damping[:, None]
    diagonal += 1.0 - mask
    diagonal += 1e-9
    factor = torch.linalg.cholesky(hessian)
    return -torch.cholesky_solve((normal.gradient * mask)[..., None], factor).squeeze(-1)


def _projected(poses: Poses, lower: Tensor, upper: Tensor) -> Poses:
    return Poses(poses.root_pos, poses.root_quat, poses.joint_pos.clamp(lower, upper))


def _choose(better: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(better.view(-1, *[1] * (new.ndim - 1)), new, old)


def _filled(keys: Poses, key: Tensor, num_frames: int) -> Poses:
    """All frames from some: positions and joints linearly, the root's orientation along the shorter arc."""
    frames = torch.arange(num_frames)
    after = torch.searchsorted(key, frames)
    before = (after - 1).clamp(min=0)
    alpha = ((frames - key[before]).double() / (key[after] - key[before]).clamp(min=1)).clamp(0.0, 1.0)[:, None]
    return Poses(
        torch.lerp(keys.root_pos[before], keys.root_pos[after], alpha),
        quat_slerp(keys.root_quat[before], keys.root_quat[after], alpha),
        torch.lerp(keys.joint_pos[before], keys.joint_pos[after], alpha),
    )
