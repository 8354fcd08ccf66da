"""The robot's body at an instant: where its anchor is, how high it stands, and how close its parts are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
OVERLAP_STRIDE = 4
"""Every so many frames of a clip are asked for overlaps."""

Pair = frozenset[str]
"""Names of two bodies."""


@dataclass(frozen=True)
class Posture:
    """How a robot holds itself, whatever its place and heading."""

    up_b: np.ndarray
    """Vertical in the anchor's frame, shape [3]."""
    height: float
    """Of the root above the lower ankle [m]."""
    distance: float = NEAR
    """Smallest distance between bodies that may touch [m], beyond what the clip itself has; at most :data:`NEAR`."""
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

    def overlaps(self, clip: MotionClip, root: int) -> dict[Pair, float]:
        """How deep two bodies of a clip are in each other at most, for each pair that ever is [m, negative].

        The shapes are capsules, and hands of retargeted people often rest in the hips.

        Args:
            clip: With joints in the order of the policy.
            root: Its root among the clip's bodies.
        """
        deepest: dict[Pair, float] = {}
        for frame in range(0, clip.num_frames, OVERLAP_STRIDE):
            pose = clip.body_pos_w[frame, root], clip.body_quat_w[frame, root], clip.joint_pos[frame]
            self.deepen(deepest, *pose)
        return deepest

    def deepen(self, deepest: dict[Pair, float], root_pos: np.ndarray, root_quat: np.ndarray, joint_pos: np.ndarray):
        """Add to what :meth:`overlaps` returns the pose of a root [m], (x, y, z, w), and joints [rad]."""
        still = np.zeros(3), np.zeros(3), joint_pos, np.zeros(len(joint_pos))
        self._simulation.reset(RobotState(root_pos, root_quat, *still))
        for pair, distance in self._distances():
            if distance < 0.0:
                deepest[pair] = min(distance, deepest.get(pair, 0.0))

    def posture(self, state: RobotState, lookahead: float, overlaps: Mapping[Pair, float] | None = None) -> Posture:
        """How the robot holds itself now, and how close its bodies will be.

        Args:
            state: Of the robot.
            lookahead: Time over which joint velocities are followed for the distances [s].
            overlaps: What :meth:`overlaps` found in the clip.
        """
        _, quat = self.anchor(state)
        height = self._simulation.bodies(self._root_and_feet)[0][:, 2]
        up_b = Rotation.from_quat(quat).inv().apply([0.0, 0.0, 1.0])
        self._simulation.reset(replace(state, joint_pos=state.joint_pos + lookahead * state.joint_vel))
        found = [(distance - (overlaps or {}).get(pair, 0.0), pair) for pair, distance in self._distances()]
        distance, closest = min(found, default=(NEAR, ("", "")), key=lambda each: each[0])
        first, second = sorted(closest)
        return Posture(up_b, float(height[0] - height[1:].min()), min(NEAR, distance), (first, second))

    def _distances(self) -> list[tuple[Pair, float]]:
        """Distances of at most :data:`NEAR` between bodies that may touch [m]."""
        model, data = self._simulation.model, self._simulation.data
        mujoco.mj_collision(model, data)
        contacts = data.contact
        bodies = model.geom_bodyid[contacts.geom]
        return [
            (frozenset(model.body(body).name for body in bodies[index]), float(contacts.dist[index]))
            for index in np.flatnonzero((contacts.geom != self._ground).all(-1))
        ]


def reference_posture(pos_w: np.ndarray, quat_w: np.ndarray, anchor: int, root: int, feet: list[int]) -> Posture:
    """How a reference holds itself at a frame.

    Args:
        pos_w: Positions of its bodies [m], shape [num_bodies, 3].
        quat_w: Their orientations (x, y, z, w), shape [num_bodies, 4].
        anchor: The anchor among them.
        root: The root among them.
        feet: The feet among them.
    """
    up_b = Rotation.from_quat(quat_w[anchor]).inv().apply([0.0, 0.0, 1.0])
    return Posture(up_b, float(pos_w[root, 2] - pos_w[feet, 2].min()))
