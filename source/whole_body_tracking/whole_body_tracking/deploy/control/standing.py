"""From wherever the joints are to a clip's first pose, stiff enough to stand there without balancing."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.robots import RobotModel

from .limits import JointLimits
from .targets import MotorTargets

FULL_TORQUE_AT = 0.3
"""Position error at which legs and waist give their full torque while standing [rad].

With its own gains a policy's robot tips over within a second: a standing body is an inverted pendulum, stable above
m g h = 33 kg * 9.81 m/s^2 * 0.7 m = 230 N m/rad of both ankles together. 50 N m / 0.3 rad is 167 N m/rad for each."""

STILL_FRAMES = 10
"""Frames of the first pose, held still, that its torques are computed from."""
STILL_FPS = 50.0

SUPPORTING = ("hip", "knee", "ankle", "waist")
"""Joints that carry the body have one of these in their names."""


def standing_gains(limits: JointLimits) -> tuple[np.ndarray, np.ndarray]:
    """Stiffness [N m/rad] and damping [N m s/rad] of all motors; arms keep the policy's, and all its damping ratio."""
    supports = np.array([any(part in name for part in SUPPORTING) for name in limits.names])
    stiffness = np.where(supports, limits.effort / FULL_TORQUE_AT, limits.stiffness)
    return stiffness, limits.damping * np.sqrt(stiffness / limits.stiffness)


def holding_torque(clip: MotionClip, robot: RobotModel) -> np.ndarray:
    """Torques that hold a clip's first pose on its feet [N m], shape [num_joints], in the order of the clip.

    Springs alone give way under the weight, and a body that leans on its toes then tips over: in the first pose of the
    shipped walk within two seconds. Inverse dynamics with contact forces
    (:func:`~whole_body_tracking.refine.inverse_dynamics_targets`) of the pose held still, put onto the ground.
    """
    root = clip.body_indices(robot.body_names[:1])[0]
    pose = clip.body_pos_w[0, root], clip.body_quat_w[0, root], clip.joint_pos[0]
    pos, quat, joint_pos = (np.tile(values.astype(np.float64), (STILL_FRAMES, 1)) for values in pose)
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    raw = RawMotion(STILL_FPS, pos, quat, joint_pos, clip.joint_names, {"name": clip.name})
    still = convert(raw, output_fps=STILL_FPS, robot=robot, ground=True)
    torque = inverse_dynamics_targets(still, robot).joint_torque[STILL_FRAMES // 2]
    return torque[[still.joint_names.index(name) for name in clip.joint_names]]


class Ramp:
    """Joint targets that move smoothly from one pose to another."""

    def __init__(
        self, start: np.ndarray, end: np.ndarray, torque: np.ndarray, limits: JointLimits, seconds: float, begins: float
    ):
        """Plan the ramp.

        Args:
            start: Where the joints are [rad], shape [num_joints].
            end: Where they shall be; it is brought within the soft limits.
            torque: What it takes to hold them there [N m], shape [num_joints].
            limits: Of the joints.
            seconds: Duration [s].
            begins: Time of the start [s].
        """
        self._gains = standing_gains(limits)
        self._start = start
        self._end = end.clip(limits.soft_lower, limits.soft_upper) + torque / self._gains[0]
        self._seconds, self._begins = seconds, begins

    def targets(self, time: float) -> MotorTargets:
        """Targets at a time [s]: a minimum-jerk curve, then the end."""
        share = np.clip((time - self._begins) / self._seconds, 0.0, 1.0)
        smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        return MotorTargets(self._start + smooth * (self._end - self._start), *self._gains)

    def is_over(self, time: float) -> bool:
        """Whether the targets have arrived."""
        return time - self._begins >= self._seconds
