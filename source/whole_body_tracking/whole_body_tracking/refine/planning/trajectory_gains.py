"""Linear feedback along joint targets: finite differences of every step in one batch, then Riccati's recursion."""

from __future__ import annotations

import mujoco
import numpy as np

from whole_body_tracking.refine.measuring import start
from whole_body_tracking.refine.native_physics import NativePhysics, drives_of
from whole_body_tracking.refine.reference import ReferenceStates
from whole_body_tracking.robots.mujoco_simulation import Simulation

from .tracking_cost import BODY_SCALE, JOINT_SCALE, ROTATION_SCALE, VELOCITY_SCALE

STATE_PROBE = 1.0e-4
"""Change of a state from which gradients are taken [m], [rad]; velocities ten times as much [m/s], [rad/s].

Soles sink into the ground by a millimetre, so a probe has to be much smaller than that: one of a centimetre lifts the
robot off, and tells what a robot in the air would do."""
TARGET_PROBE = 1.0e-2
"""Change of a target, in action scales."""
TARGET_COST = 0.1
"""Cost of a squared change of all targets by one action scale."""
FRAMES_AT_ONCE = 64
"""Frames whose gradients are one batch."""


def trajectory_gains(physics: NativePhysics, reference: ReferenceStates, targets: np.ndarray) -> np.ndarray:
    """Gains K of ``target + K dx`` that pull the robot back onto the trajectory that the targets give.

    dx is the deviation of the state in MuJoCo's tangent space: root position [m], rotation (body) [rad], joints [rad],
    then the velocities. The gain of a frame is that of the step which reaches it. Time-varying LQR on gradients of the
    physics by forward differences.

    Args:
        physics: The robot.
        reference: The clip.
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].

    Returns:
        Gains in the robot's order, shape [num_frames, num_joints, 2 nv]; zero in the first frame.
    """
    return gains_along(physics, *_trajectory(reference, targets), targets)


def gains_along(
    physics: NativePhysics, qpos: np.ndarray, qvel: np.ndarray, targets: np.ndarray, target_cost: float = TARGET_COST
) -> np.ndarray:
    """Gains as :func:`trajectory_gains`, about given states: those of a clip that its targets reproduce closely.

    Args:
        physics: The robot.
        qpos: MuJoCo's positions at every frame, shape [num_frames, nq].
        qvel: MuJoCo's velocities, shape [num_frames, nv].
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].
        target_cost: Cost of a squared change of all targets by one action scale: the larger, the softer the gains.
    """
    model, num_joints = physics.model, targets.shape[1]
    state_cost = np.diag(_state_weights(model.nv))
    target_costs = np.diag(target_cost / num_joints / np.square(physics.robot.action_scale))
    gains = np.zeros((len(qpos), num_joints, 2 * model.nv))
    value = state_cost.copy()
    for end in range(len(qpos) - 1, 0, -FRAMES_AT_ONCE):
        frames = np.arange(max(0, end - FRAMES_AT_ONCE), end)
        state_steps, target_steps = _gradients(physics, qpos[frames], qvel[frames], targets[frames + 1])
        for index in reversed(range(len(frames))):
            a, b = state_steps[index], target_steps[index]
            gain = -np.linalg.solve(target_costs + b.T @ value @ b, b.T @ value @ a)
            gains[frames[index] + 1] = gain
            value = state_cost + a.T @ value @ (a + b @ gain)
            value = 0.5 * (value + value.T)
    return gains


def _trajectory(reference: ReferenceStates, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States at all frames while the targets are played from the first, in MuJoCo's coordinates."""
    simulation = Simulation(reference.robot, drives_of(reference.robot, reference.control_dt))
    start(simulation, reference.qpos[0], reference.qvel[0])
    qpos, qvel = [reference.qpos[0]], [reference.qvel[0]]
    for target in targets[1:]:
        simulation.step(target)
        qpos.append(simulation.data.qpos.copy())
        qvel.append(simulation.data.qvel.copy())
    return np.stack(qpos), np.stack(qvel)


def _state_weights(nv: int) -> np.ndarray:
    joints = nv - 6
    scales = [BODY_SCALE] * 3 + [ROTATION_SCALE] * 3 + [JOINT_SCALE * joints**0.5] * joints
    scales += [VELOCITY_SCALE] * 3 + [10.0 * ROTATION_SCALE] * 3 + [10.0 * JOINT_SCALE * joints**0.5] * joints
    return 1.0 / np.square(scales)


def _gradients(
    physics: NativePhysics, qpos: np.ndarray, qvel: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How the next states of frames depend on state and targets: [num, 2 nv, 2 nv] and [num, 2 nv, num_joints]."""
    model, nv, num_joints = physics.model, physics.model.nv, targets.shape[1]
    num, width = len(qpos), 1 + 2 * nv + num_joints
    probe = np.concatenate([np.full(nv, STATE_PROBE), np.full(nv, 10 * STATE_PROBE)])
    target_probe = TARGET_PROBE * physics.robot.action_scale
    starts, speeds, held = (np.repeat(values[:, None], width, axis=1) for values in (qpos, qvel, targets))
    for frame in range(num):
        for axis in range(nv):
            step = np.zeros(nv)
            step[axis] = STATE_PROBE
            mujoco.mj_integratePos(model, starts[frame, 1 + axis], step, 1.0)
    speeds[:, 1 + nv : 1 + 2 * nv] += 10 * STATE_PROBE * np.eye(nv)
    held[:, 1 + 2 * nv :] += np.diag(target_probe)
    flat = [values.reshape(num * width, -1) for values in (starts, speeds, held)]
    played = physics.roll_out(flat[0], flat[1], flat[2][:, None])
    ends, rates = played.qpos.reshape(num, width, -1), played.qvel.reshape(num, width, -1)
    moved = np.empty((num, width - 1, 2 * nv))
    moved[..., nv:] = rates[:, 1:] - rates[:, :1]
    for frame in range(num):
        for index in range(width - 1):
            mujoco.mj_differentiatePos(model, moved[frame, index, :nv], 1.0, ends[frame, 0], ends[frame, 1 + index])
    moved = np.swapaxes(np.nan_to_num(moved), 1, 2)
    return moved[..., : 2 * nv] / probe, moved[..., 2 * nv :] / target_probe
