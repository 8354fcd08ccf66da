"""Where the robot is and how fast it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState

from ...protocol.readings import Readings
from ..pose import Body
from .filter import RootFilter
from .legs import Feet, Legs


class LegHeight:
    """The IMU's orientation over the lower foot: enough for a policy that observes neither position nor velocity.

    The robot stays where it is horizontally; its height is that of the root over the sole of the lower foot.
    """

    def __init__(self, body: Body):
        """Take the forward kinematics that say how high the root is."""
        self._body = body

    def update(self, readings: Readings, dt: float) -> None:
        """There is nothing to follow from one state to the next."""

    def state(self, readings: Readings, order: np.ndarray) -> RobotState:
        """The present state in a world whose heading is the IMU's; the velocity is zero.

        Args:
            readings: The latest ones.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        state = state_of(readings, order, np.zeros(3), np.zeros(3))
        return replace(state, root_pos_w=np.array([0.0, 0.0, self._body.height_over_ground(state)]))


def state_of(readings: Readings, order: np.ndarray, pos_w: np.ndarray, lin_vel_w: np.ndarray) -> RobotState:
    """A state from readings and an estimate of the rest; joints in the policy's order."""
    return RobotState(
        root_pos_w=pos_w,
        root_quat_w=readings.quat_xyzw,
        root_lin_vel_w=lin_vel_w,
        root_ang_vel_w=Rotation.from_quat(readings.quat_xyzw).apply(readings.gyro),
        joint_pos=readings.joint_pos[order],
        joint_vel=readings.joint_vel[order],
    )


PERIOD = 0.01
"""Time over which readings are averaged before the filter runs [s]: at 500 Hz it would take all of a core."""


PATIENCE = 0.2
"""Time without a foot to go by after which one is believed whatever it says [s]."""


class RootEstimator:
    """Position and velocity from IMU and legs, by :class:`~.filter.RootFilter`.

    It starts at the origin, over the lower foot, where the first state finds the robot.
    """

    def __init__(self, legs: Legs, robot: RobotModel, order: np.ndarray):
        """Wait for the first state.

        Args:
            legs: Kinematics of the legs.
            robot: The facts.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        self._legs, self._order = legs, order
        self._filter: RootFilter | None = None
        self._stood = [True, True]
        self._alone = 0.0
        self._waiting: list[Readings] = []
        self._elapsed = 0.0
        self.stands = (False, False)
        """Which feet stood lately: left, right."""

    def update(self, readings: Readings, dt: float) -> None:
        """Follow a state.

        Args:
            readings: What it says.
            dt: Time since the last one [s].
        """
        self._waiting.append(readings)
        self._elapsed += dt
        if self._filter is None:
            self._start(readings)
        elif self._elapsed >= PERIOD - 1e-6:
            self._run(_mean(self._waiting), self._elapsed)
        else:
            return
        self._waiting.clear()
        self._elapsed = 0.0

    def state(self, readings: Readings, order: np.ndarray) -> RobotState:
        """The present estimate in a world whose heading is the IMU's.

        Args:
            readings: The latest ones.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        root, age = self._filter, self._elapsed
        state = state_of(readings, order, root.pos_w + age * root.lin_vel_w, root.lin_vel_w.copy())
        turned = root.rotation * Rotation.from_rotvec(age * (readings.gyro - root.gyro_bias))
        return replace(state, root_quat_w=turned.as_quat())

    def _feet(self, readings: Readings, quat_xyzw: np.ndarray) -> Feet:
        state = replace(state_of(readings, self._order, np.zeros(3), np.zeros(3)), root_quat_w=quat_xyzw)
        feet = self._legs.read(state, readings.joint_torque[self._order])
        self.stands = self._legs.standing(feet)
        return feet

    def _start(self, readings: Readings) -> None:
        offsets_w = Rotation.from_quat(readings.quat_xyzw).apply(self._feet(readings, readings.quat_xyzw).offsets_b)
        start = np.array([0.0, 0.0, -offsets_w[:, 2].min()])
        self._filter = RootFilter(start, readings.quat_xyzw, start + offsets_w)

    def _run(self, readings: Readings, dt: float) -> None:
        root = self._filter
        feet = self._feet(readings, root.rotation.as_quat())
        root.predict(readings.accelerometer, readings.gyro, self.stands, dt)
        root.correct_orientation(readings.quat_xyzw)
        self._alone += dt
        for foot in range(2):
            # A foot that stands: 0 = v + w x offset + the offset's own velocity, all in the root's frame.
            turning = np.cross(readings.gyro - root.gyro_bias, feet.offsets_b[foot])
            velocity_w = root.rotation.apply(-turning - feet.velocities_b[foot])
            stands = self.stands[foot] and (self._alone > PATIENCE or root.expects_velocity(velocity_w))
            if stands:
                if self._stood[foot]:
                    root.shift_foot(foot, feet.shifts_b[foot])
                else:
                    root.put_foot_down(foot, feet.offsets_b[foot])
                root.correct_foot(foot, feet.offsets_b[foot])
                root.correct_velocity(velocity_w)
            self._stood[foot] = stands
        if any(self._stood):
            self._alone = 0.0


def _mean(readings: list[Readings]) -> Readings:
    """Mean of readings that follow each other closely; the orientation is that of the latest."""
    names = ("gyro", "accelerometer", "joint_pos", "joint_vel", "joint_torque")
    means = {name: np.mean([getattr(item, name) for item in readings], axis=0) for name in names}
    return Readings(quat_xyzw=readings[-1].quat_xyzw, **means)
