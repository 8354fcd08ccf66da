"""A robot as plain numbers, for forward kinematics, conversion, export and the USD builder.

Nothing here imports a simulator. Joints and bodies are in depth-first order, which is the order of Unitree's CSV and
of MuJoCo; body ``i`` hangs on joint ``i - 1`` and body 0 is the floating root.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from .facts_check import check_facts


@dataclass(frozen=True)
class RobotModel:
    """Facts of one robot, read from a JSON file.

    Every per-joint array has shape [num_joints] in the order of :attr:`joint_names`; every per-body array has
    shape [num_bodies, ...] in the order of :attr:`body_names`.
    """

    facts: dict
    """The file's content, for shapes, inertias and whatever has no array below."""

    @classmethod
    def from_file(cls, path: Path) -> RobotModel:
        """Read a facts file such as ``robots/data/g1.json``; docs/other_robots.md explains its entries.

        Raises:
            ValueError: If it is not JSON, lacks an entry, or entries do not fit together.
        """
        try:
            facts = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not a JSON file of robot facts ({error}).") from None
        check_facts(facts)
        return cls(facts)

    @property
    def name(self) -> str:
        return self.facts["name"]

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(self.facts["joint_order_csv"])

    @cached_property
    def body_names(self) -> tuple[str, ...]:
        return tuple(self.facts["body_order_depth_first"])

    @cached_property
    def joint_names_breadth_first(self) -> tuple[str, ...]:
        """Joint order of PhysX, and of files written by BeyondMimic."""
        if "joint_order_breadth_first" in self.facts:
            return tuple(self.facts["joint_order_breadth_first"])
        return tuple(self.facts["bodies"][name]["joint"] for name in self.body_names_breadth_first[1:])

    @cached_property
    def body_names_breadth_first(self) -> tuple[str, ...]:
        """Body order of PhysX, and of files written by BeyondMimic."""
        if "body_order_breadth_first" in self.facts:
            return tuple(self.facts["body_order_breadth_first"])
        depth = {-1: -1}
        for body, parent in enumerate(self.parent_idx.tolist()):
            depth[body] = depth[parent] + 1
        # Bodies of one depth stay in their depth-first order, so siblings do too.
        return tuple(self.body_names[body] for body in sorted(range(self.num_bodies), key=depth.__getitem__))

    @property
    def num_joints(self) -> int:
        return len(self.joint_names)

    @property
    def num_bodies(self) -> int:
        return len(self.body_names)

    @property
    def anchor_body_name(self) -> str:
        return self.facts["anchor_body"]

    @cached_property
    def tracked_body_names(self) -> tuple[str, ...]:
        return tuple(self.facts["tracked_bodies"])

    @cached_property
    def end_effector_names(self) -> tuple[str, ...]:
        """Bodies that may touch the ground, and whose heights end an episode."""
        return tuple(self.facts["end_effectors"])

    @cached_property
    def foot_body_names(self) -> tuple[str, ...]:
        return tuple(self.facts["foot"]["bodies"])

    @property
    def sole_height(self) -> float:
        """Height of the sole in the foot body's frame [m] (negative: below the ankle)."""
        return self.facts["foot"]["sole_height"]

    @property
    def default_root_height(self) -> float:
        """Height at which the root is spawned in the default pose [m]."""
        return self.facts["default_root_height"]

    @property
    def soft_joint_pos_limit_factor(self) -> float:
        return self.facts["soft_joint_pos_limit_factor"]

    # -- kinematics --------------------------------------------------------------------------------------------------

    def _bodies(self, key: str, start: int = 0) -> list:
        return [self.facts["bodies"][name][key] for name in self.body_names[start:]]

    @cached_property
    def parent_idx(self) -> np.ndarray:
        """Index of each body's parent, -1 for the root, shape [num_bodies]."""
        return np.array([-1] + [self.body_names.index(name) for name in self._bodies("parent", 1)])

    @cached_property
    def joint_origin_pos(self) -> np.ndarray:
        """Position of each joint in its parent body's frame [m], shape [num_joints, 3]."""
        return np.array(self._bodies("joint_origin_xyz", 1)).reshape(-1, 3)

    @cached_property
    def joint_origin_quat(self) -> np.ndarray:
        """Orientation (x, y, z, w) of each child body in its parent's frame at zero angle, shape [num_joints, 4]."""
        return Rotation.from_euler("xyz", np.reshape(self._bodies("joint_origin_rpy", 1), (-1, 3))).as_quat()

    @cached_property
    def joint_axis(self) -> np.ndarray:
        """Unit axis of each joint in its child body's frame, shape [num_joints, 3]."""
        return np.array(self._bodies("joint_axis", 1)).reshape(-1, 3)

    @cached_property
    def joint_pos_limits(self) -> np.ndarray:
        """Lower and upper joint limits [rad], shape [num_joints, 2]."""
        return np.array(self._bodies("joint_limits", 1))

    @cached_property
    def soft_joint_pos_limits(self) -> np.ndarray:
        """Joint limits shrunk about their middle by the soft factor [rad], shape [num_joints, 2]."""
        middle = self.joint_pos_limits.mean(-1, keepdims=True)
        return middle + self.soft_joint_pos_limit_factor * (self.joint_pos_limits - middle)

    @cached_property
    def default_joint_pos(self) -> np.ndarray:
        """Joint positions of the default pose [rad], shape [num_joints]."""
        return np.array([self.facts["joints"][name]["default_pos"] for name in self.joint_names])

    @cached_property
    def total_mass(self) -> float:
        """Mass of all bodies [kg]."""
        return float(sum(self._bodies("mass")))

    # -- actuation ---------------------------------------------------------------------------------------------------

    def _motor(self, key: str, parallel: bool) -> np.ndarray:
        joints = [self.facts["joints"][name] for name in self.joint_names]
        count = np.array([joint["motors_in_parallel"] if parallel else 1 for joint in joints])
        return count * np.array([self.facts["motors"][joint["motor"]][key] for joint in joints])

    @property
    def natural_frequency(self) -> float:
        """Natural frequency of each joint's position loop [rad/s]."""
        return 2.0 * np.pi * self.facts["natural_frequency_hz"]

    @cached_property
    def armature(self) -> np.ndarray:
        """Reflected rotor inertia [kg m^2], shape [num_joints]."""
        return self._motor("armature", parallel=True)

    @cached_property
    def effort_limit(self) -> np.ndarray:
        """Peak torque [N m], shape [num_joints]."""
        return self._motor("effort_limit", parallel=True)

    @cached_property
    def velocity_limit(self) -> np.ndarray:
        """Peak speed [rad/s], shape [num_joints]."""
        return self._motor("velocity_limit", parallel=False)

    @cached_property
    def stiffness(self) -> np.ndarray:
        """Position gain: armature * natural_frequency^2 [N m/rad], shape [num_joints]."""
        return self.armature * self.natural_frequency**2

    @cached_property
    def damping(self) -> np.ndarray:
        """Velocity gain: 2 * damping_ratio * armature * natural_frequency [N m s/rad], shape [num_joints]."""
        return 2.0 * self.facts["damping_ratio"] * self.armature * self.natural_frequency

    @cached_property
    def action_scale(self) -> np.ndarray:
        """Joint target per unit of action: 0.25 * effort limit / stiffness [rad], shape [num_joints]."""
        return self.facts["action_scale_factor"] * self.effort_limit / self.stiffness
