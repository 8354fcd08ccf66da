"""An expert that costs nothing: linear feedback about a clip, for motions that it holds."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.refine.inverse_dynamics import inverse_dynamics_targets
from whole_body_tracking.refine.native_physics import NativePhysics, planning_step
from whole_body_tracking.refine.reference import ReferenceStates, reference_states
from whole_body_tracking.robots import G1, RobotModel

from .tracking_cost import rotation_between
from .trajectory_gains import gains_along

MAX_CORRECTION = 3.0
"""Largest change of a target by feedback, in action scales: far from the clip the gains know nothing."""
TARGET_COST = 1.0
"""Cost of a squared change of all targets by one action scale, ten times that of a trajectory's gains: on the squat,
63 of 64 robots stayed up for 2 s from half of the task's start noise and 27 from all of it; 0.1 held 57 and 12."""
LEAD, WINDOW = 10, 20
"""Steps that the physics takes to settle onto the ground, and steps after which it starts again from the clip."""
FALLEN_HEIGHT = 0.25
"""Height error of a tracked body at which a robot counts as fallen [m]; the tracking task ends there."""


class FeedbackExpert:
    """Labels states of robots with ``target + K dx``: time-varying LQR about the clip.

    Takes finite differences of the physics at every frame once; a label is then a matrix product. Holds motions whose
    contacts do not switch, such as squats and bows, against pushes that need no step: ask :meth:`share_held`. States
    are those of :class:`~.expert.SamplingExpert`, joints in the order of the robot.
    """

    def __init__(
        self,
        clip: MotionClip,
        robot: RobotModel = G1,
        joint_target: np.ndarray | None = None,
        num_threads: int | None = None,
    ):
        """Compute the gains.

        Args:
            clip: What to follow.
            robot: Who follows it.
            joint_target: Feed-forward targets [rad] in the order of the clip's joints, shape [num_frames, num_joints];
                None takes those of inverse dynamics.
            num_threads: Threads of physics; None takes one for each available core.

        Raises:
            ValueError: If the clip is not one of this robot, its rate does not fit the physics, or it is below the
                ground.
        """
        self.reference = reference_states(clip, robot)
        targets = inverse_dynamics_targets(clip, robot).joint_target if joint_target is None else joint_target
        self.targets = self.reference.in_robot_order(targets)
        dt = self.reference.control_dt
        self.physics = NativePhysics(robot, dt, num_threads)
        with NativePhysics(robot, dt, num_threads, planning_step(dt)) as planning:
            self.qpos, self.qvel = settled_states(planning, self.reference, self.targets)
            self.gains = gains_along(planning, self.qpos, self.qvel, self.targets, TARGET_COST)
            self.gains[1:2] = self.gains[2:3]  # the first state is the clip's own, not a settled one
            self.num_control_steps = planning.num_control_steps
            """Control steps of physics that the gains took."""

    def label(self, states: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Joint targets [rad] for the step that begins in each state, shape [num_envs, num_joints].

        Args:
            states: States of the robots, shape [num_envs, nq + nv].
            frames: Frame that each robot is at, shape [num_envs]; the target is for the step to the next.
        """
        ahead = np.minimum(np.asarray(frames) + 1, self.reference.num_frames - 1)
        deviation = deviations(states, self.qpos[frames], self.qvel[frames])
        limit = MAX_CORRECTION * self.physics.robot.action_scale
        correction = np.einsum("ejd,ed->ej", self.gains[ahead], deviation)
        return self.targets[ahead] + correction.clip(-limit, limit)

    def share_held(self, states: np.ndarray, frames: np.ndarray, num_steps: int) -> float:
        """Share of robots that the expert keeps on their feet for some steps, or to the clip's end, in [0, 1].

        Args:
            states: Where they start, shape [num_envs, nq + nv].
            frames: Frame that each starts at, shape [num_envs].
            num_steps: Steps to play.
        """
        frames, held = np.array(frames), np.ones(len(frames), dtype=bool)
        for _ in range(num_steps):
            going = frames < self.reference.num_frames - 1
            qpos, qvel = np.split(states, [self.physics.model.nq], axis=1)
            played = self.physics.roll_out(qpos, qvel, self.label(states, frames)[:, None])
            states = np.hstack([played.qpos[:, 0], played.qvel[:, 0]])
            frames = np.minimum(frames + 1, self.reference.num_frames - 1)
            error = np.abs(played.body_pos_w[:, 0, :, 2] - self.reference.body_pos_w[frames][..., 2]).max(-1)
            held &= ~going | (error < FALLEN_HEIGHT)  # a comparison with NaN is False
        return float(held.mean())

    def close(self) -> None:
        """Stop the threads."""
        self.physics.close()


def settled_states(
    physics: NativePhysics, reference: ReferenceStates, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """States of the physics near a clip's at every frame, shape [num_frames, nq] and [num_frames, nv].

    Gains belong to a trajectory that the physics takes. A clip is none: its soles are a millimetre off the height at
    which the ground carries them. Here the targets are played from the clip's states for a few steps before a state is
    taken, again and again, so that nothing drifts.

    Args:
        physics: The robot.
        reference: The clip.
        targets: Joint targets that reproduce it closely [rad] in the robot's order, shape [num_frames, num_joints].
    """
    last = reference.num_frames - 1
    windows = np.arange(0, last, WINDOW)
    starts = np.maximum(0, windows - LEAD)
    frames = starts[:, None] + 1 + np.arange(LEAD + WINDOW)
    played = physics.roll_out(reference.qpos[starts], reference.qvel[starts], targets[np.minimum(frames, last)])
    qpos, qvel = reference.qpos.copy(), reference.qvel.copy()
    taken = (frames > windows[:, None]) & (frames <= np.minimum(windows[:, None] + WINDOW, last))
    qpos[frames[taken]], qvel[frames[taken]] = played.qpos[taken], played.qvel[taken]
    return qpos, qvel


def deviations(states: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> np.ndarray:
    """Deviations of states from others in MuJoCo's tangent space, shape [num_envs, 2 nv].

    Root position (world) [m], rotation (body) [rad], joints [rad], then root velocity (world) [m/s], angular velocity
    (body) [rad/s] and joint velocities [rad/s].

    Args:
        states: Shape [num_envs, nq + nv].
        qpos: MuJoCo's positions to compare with, shape [num_envs, nq].
        qvel: MuJoCo's velocities, shape [num_envs, nv].
    """
    here, moving = np.split(states, [qpos.shape[1]], axis=1)
    rotation = rotation_between(qpos[:, 3:7], here[:, 3:7])
    return np.hstack([here[:, :3] - qpos[:, :3], rotation, here[:, 7:] - qpos[:, 7:], moving - qvel])
