"""The robot's body at an instant: where its anchor is, how high it stands, and how close its parts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation

NEAR = 0.05
"""Distance up to which two bodies' distance is measured [m]."""


@dataclass(frozen=True)
class Posture:
    """How a robot holds itself, whatever its place and heading."""

    up_b: np.ndarray
    """Vertical in the anchor's frame, shape [3]."""
    height: float
    """Of the root above the lower ankle [m]."""
    distance: float = NEAR
    """Smallest distance between bodies that may touch [m]; at most :data:`NEAR`."""
    closest: tuple[str, str] = ("", "")
    """The bodies that are so close."""


class Body:
    """Forward kinematics, by the MuJoCo model that sim2sim plays."""

    def __init__(self, robot: RobotModel, spec: PolicySpec):
        self._simulation = Simulation(robot, spec)
        model = self._simulation.model
        self._ground = model.geom("ground").id
        model.geom_margin[:] = NEAR
        self._sole_height = robot.sole_height
        self._anchor = self._simulation.body_ids([spec.anchor_body_name])
        self._root_and_feet = self._simulation.body_ids([robot.body_names[0], *robot.foot_body_names])

    def anchor(self, state: RobotState) -> tuple[np.ndarray, np.ndarray]:
        """Position [m] and orientation (x, y, z, w) of the anchor, shapes [3] and [4]."""
        self._simulation.reset(state)
        pos, quat, *_ = self._simulation.bodies(self._anchor)
        return pos[0].copy(), quat[0]

    def bodies(self, state: RobotState, names: Sequence[str]) -> tuple[np.ndarray, ...]:
        """Link frames of bodies: positions [m], quaternions (x, y, z, w), linear and angular velocities."""
        self._simulation.reset(state)
        return self._simulation.bodies(self._simulation.body_ids(names))

    def height_over_ground(self, state: RobotState) -> float:
        """Height of the root over the sole of the lower foot [m], wherever the state says that it is."""
        self._simulation.reset(state)
        height = self._simulation.bodies(self._root_and_feet)[0][:, 2]
        return float(height[0] - height[1:].min() - self._sole_height)

    def posture(self, state: RobotState, lookahead: float) -> Posture:
        """How the robot holds itself now, and how close its bodies will be.

        Args:
            state: Of the robot.
            lookahead: Time over which joint velocities are followed for the distances [s].
        """
        _, quat = self.anchor(state)
        height = self._simulation.bodies(self._root_and_feet)[0][:, 2]
        up_b = Rotation.from_quat(quat).inv().apply([0.0, 0.0, 1.0])
        self._simulation.reset(replace(state, joint_pos=state.joint_pos + lookahead * state.joint_vel))
        distance, closest = self._closest()
        return Posture(up_b, float(height[0] - height[1:].min()), distance, closest)

    def _closest(self) -> tuple[float, tuple[str, str]]:
        model, data = self._simulation.model, self._simulation.data
        mujoco.mj_collision(model, data)
        contacts = data.contact
        between = (contacts.geom != self._ground).all(-1)
        if not between.any():
            return NEAR, ("", "")
        index = int(np.where(between, contacts.dist, np.inf).argmin())
        first, second = (model.body(model.geom_bodyid[geom]).name for geom in contacts.geom[index])
        return min(NEAR, float(contacts.dist[index])), (first, second)


def reference_posture(clip: MotionClip, frame: int, anchor: int, root: int, feet: list[int]) -> Posture:
    """How the reference holds itself at a frame; the arguments are indices among the clip's bodies."""
    up_b = Rotation.from_quat(clip.body_quat_w[frame, anchor]).inv().apply([0.0, 0.0, 1.0])
    height = clip.body_pos_w[frame, root, 2] - clip.body_pos_w[frame, feet, 2].min()
    return Posture(up_b, float(height))
