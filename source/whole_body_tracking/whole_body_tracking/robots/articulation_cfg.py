"""A robot's facts as an Isaac Lab articulation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import isaaclab.sim as sim_utils
import numpy as np
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg, PhysxRigidBodyCfg

from .model import RobotModel

ALL_JOINTS = {"joints": ".*"}
"""One actuator group for the whole robot."""


def articulation_cfg(
    robot: RobotModel, usd_path: str | Path, actuator_groups: Mapping[str, str] = ALL_JOINTS
) -> ArticulationCfg:
    """Articulation with a robot's gains, limits and default pose; joints and bodies are depth first on every engine.

    Args:
        robot: The facts.
        usd_path: Its USD file, see :func:`.usd_file.usd_file`.
        actuator_groups: Pattern of whole joint names for each actuator group; every joint is in exactly one.

    Raises:
        ValueError: If a joint is in no group, or in several.
    """
    groups = {group: _matching(robot, pattern) for group, pattern in actuator_groups.items()}
    driven = [name for names in groups.values() for name in names]
    wrong = [name for name in robot.joint_names if driven.count(name) != 1]
    if wrong:
        raise ValueError(f"{robot.name}: the joints {wrong} are not in exactly one actuator group of {groups}.")
    return ArticulationCfg(
        spawn=_spawn_cfg(usd_path),
        init_state=ArticulationCfg.InitialStateCfg(
            pos=(0.0, 0.0, robot.default_root_height),
            joint_pos=by_joint(robot, robot.default_joint_pos),
            joint_vel={".*": 0.0},
        ),
        soft_joint_pos_limit_factor=robot.soft_joint_pos_limit_factor,
        joint_ordering=robot.joint_names,
        body_ordering=robot.body_names,
        actuators={group: _actuator_group(robot, names) for group, names in groups.items()},
    )


def by_joint(robot: RobotModel, values: np.ndarray, names: list[str] | None = None) -> dict[str, float]:
    """Values of the robot's joints, or of some of them, by name."""
    pairs = zip(robot.joint_names, values, strict=True)
    return {name: float(value) for name, value in pairs if names is None or name in names}


def _matching(robot: RobotModel, pattern: str) -> list[str]:
    return [name for name in robot.joint_names if re.fullmatch(pattern, name)]


def _actuator_group(robot: RobotModel, names: list[str]) -> ImplicitActuatorCfg:
    return ImplicitActuatorCfg(
        joint_names_expr=names,
        stiffness=by_joint(robot, robot.stiffness, names),
        damping=by_joint(robot, robot.damping, names),
        armature=by_joint(robot, robot.armature, names),
        joint_effort_limit=by_joint(robot, robot.effort_limit, names),
        joint_velocity_limit=by_joint(robot, robot.velocity_limit, names),
    )


def _spawn_cfg(usd_path: str | Path) -> sim_utils.UsdFileCfg:
    return sim_utils.UsdFileCfg(
        usd_path=str(usd_path),
        activate_contact_sensors=True,
        rigid_props=PhysxRigidBodyCfg(
            disable_gravity=False,
            retain_accelerations=False,
            linear_damping=0.0,
            angular_damping=0.0,
            max_linear_velocity=1000.0,
            max_angular_velocity=1000.0,
            max_depenetration_velocity=1.0,
        ),
        articulation_props=[
            PhysxArticulationCfg(
                enabled_self_collisions=True,
                solver_position_iteration_count=8,
                solver_velocity_iteration_count=4,
            ),
            NewtonArticulationCfg(self_collision_enabled=True),
        ],
    )
