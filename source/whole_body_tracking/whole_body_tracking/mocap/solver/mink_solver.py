"""The same targets per frame with mink, inverse kinematics on MuJoCo: what our own solver is compared with."""

from __future__ import annotations

import numpy as np
import torch

from whole_body_tracking.motion.geometry.chain import Poses

from ..figure import FRAMES, RobotFigure
from ..targets import Targets
from .problem import RetargetWeights, by_ending

ITERATIONS = 10
"""Steps per frame, from the frame before."""
DT = 1.0
"""Time step of mink's velocities [s]: a whole Gauss-Newton step."""
DAMPING = 1e-3


def solve_with_mink(
    figure: RobotFigure, targets: Targets, weights: RetargetWeights | None = None, limit_margin: float = 0.01
) -> Poses:
    """Poses of all frames, one after the other.

    Args:
        figure: The robot.
        targets: What to reach.
        weights: How much it counts; smoothness and overlaps are not in this problem.
        limit_margin: Distance that joints keep from their limits [rad].

    Raises:
        ValueError: If mink is not installed.
    """
    mink = _mink()
    weights = weights or RetargetWeights()
    model = _model(figure, list(targets.pos))
    configuration = mink.Configuration(model)
    tasks = _tasks(mink, figure, targets, weights)
    posture = mink.PostureTask(model, cost=weights.posture)
    q = np.concatenate((np.zeros(7), figure.robot.default_joint_pos))
    q[:3], q[3:7] = targets.pos["pelvis"][0].numpy(), np.roll(targets.quat["pelvis"][0].numpy(), 1)
    configuration.update(q)
    posture.set_target(q)
    rows = []
    for frame in range(targets.num_frames):
        for task, name, is_point in tasks:
            _set_target(mink, task, name, is_point, targets, frame)
        for _ in range(ITERATIONS if frame else 5 * ITERATIONS):
            velocity = mink.solve_ik(configuration, [*(task for task, _, _ in tasks), posture], DT, "daqp", DAMPING)
            configuration.integrate_inplace(velocity, DT)
        rows.append(configuration.q.copy())
    solved = torch.from_numpy(np.array(rows))
    low, high = torch.from_numpy(figure.robot.joint_pos_limits).T
    root_quat = torch.nn.functional.normalize(solved[:, [4, 5, 6, 3]], dim=-1)
    return Poses(solved[:, :3], root_quat, solved[:, 7:].clamp(low + limit_margin, high - limit_margin))


def _mink():
    try:
        import mink
    except ImportError:
        raise ValueError(
            "mink is not installed. Install the package with its extra: whole-body-tracking[mocap]."
        ) from None
    return mink


def _model(figure: RobotFigure, names: list[str]):
    """The robot without shapes, with a site at each point."""
    import mujoco

    from whole_body_tracking.robots.mujoco_model import add_bodies

    spec = mujoco.MjSpec()
    spec.modelname = figure.robot.name
    spec.compiler.degree = False
    add_bodies(spec, figure.robot)
    for name in names:
        spec.body(figure.bodies[name]).add_site(name=name, pos=figure.points[name])
    return spec.compile()


def _tasks(mink, figure: RobotFigure, targets: Targets, weights: RetargetWeights) -> list[tuple]:
    tasks = []
    for name in targets.pos:
        cost = by_ending(weights.point, name)
        tasks.append((mink.FrameTask(name, "site", position_cost=cost, orientation_cost=0.0), name, True))
    for name in FRAMES:
        cost = by_ending(weights.frame, name)
        body = figure.frames[name]
        tasks.append((mink.FrameTask(body, "body", position_cost=0.0, orientation_cost=cost), name, False))
    return tasks


def _set_target(mink, task, name: str, is_point: bool, targets: Targets, frame: int) -> None:
    if is_point:
        target = mink.SE3.from_translation(targets.pos[name][frame].numpy())
    else:
        target = mink.SE3.from_rotation(mink.SO3(np.roll(targets.quat[name][frame].numpy(), 1)))
    task.set_target(target)
