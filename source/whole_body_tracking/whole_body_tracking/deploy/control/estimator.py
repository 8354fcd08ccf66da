"""Where the robot is and how fast it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.sim2sim.simulation import RobotState

from ..protocol.readings import Readings
from .filter import RootFilter
from .legs import Legs
from .pose import Body


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


class RootEstimator:
    """Position and velocity from IMU and legs, by :class:`~.filter.RootFilter`.

    It starts anew where the first state is read, at the origin and over the lower foot.
    """

    def __init__(self, legs: Legs, robot: RobotModel, order: np.ndarray):
        """Wait for the first state.

        Args:
            legs: Kinematics of the legs.
            robot: The facts.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        self._legs, self._order = legs, order
        self._ankle_height = -robot.sole_height
        self._filter: RootFilter | None = None
        self._stood = (True, True)
        self.stands = (False, False)
        """Which feet stood in the last state: left, right."""

    def update(self, readings: Readings, dt: float) -> None:
        """Follow a state.

        Args:
            readings: What it says.
            dt: Time since the last one [s].
        """
        quat = readings.quat_xyzw if self._filter is None else self._filter.rotation.as_quat()
        state = replace(state_of(readings, self._order, np.zeros(3), np.zeros(3)), root_quat_w=quat)
        feet = self._legs.read(state, readings.joint_torque[self._order])
        self.stands = self._legs.standing(feet)
        if self._filter is None:
            offsets_w = Rotation.from_quat(quat).apply(feet.offsets_b)
            start = np.array([0.0, 0.0, self._ankle_height - offsets_w[:, 2].min()])
            self._filter = RootFilter(start, quat, start + offsets_w)
            return
        root = self._filter
        root.predict(readings.accelerometer, readings.gyro, self.stands, dt)
        root.correct_orientation(readings.quat_xyzw)
        for foot in range(2):
            if not self.stands[foot]:
                continue
            if not self._stood[foot]:
                root.put_foot_down(foot, feet.offsets_b[foot])
            root.correct_foot(foot, feet.offsets_b[foot], self._ankle_height)
            # A foot that stands: 0 = v + w x offset + offset's own velocity, all in the root's frame.
            over_foot = -np.cross(readings.gyro - root.gyro_bias, feet.offsets_b[foot]) - feet.velocities_b[foot]
            root.correct_velocity(root.rotation.apply(over_foot))
        self._stood = self.stands

    def state(self, readings: Readings, order: np.ndarray) -> RobotState:
        """The present estimate in a world whose heading is the IMU's.

        Args:
            readings: The latest ones.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        root = self._filter
        state = state_of(readings, order, root.pos_w.copy(), root.lin_vel_w.copy())
        return replace(state, root_quat_w=root.rotation.as_quat())
