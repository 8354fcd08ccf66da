"""The G1 as an Isaac Lab articulation; every number comes from the facts in :mod:`.g1`."""

from __future__ import annotations

import re

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg, PhysxRigidBodyCfg

from .g1 import G1, G1_FOUR_POINT_FEET_USD_PATH, G1_USD_PATH

ACTUATOR_GROUPS = {
    "legs": r".*_(hip_(pitch|roll|yaw)|knee)_joint",
    "feet": r".*_ankle_(pitch|roll)_joint",
    "waist": r"waist_(roll|pitch)_joint",
    "waist_yaw": r"waist_yaw_joint",
    "arms": r".*_(shoulder_(pitch|roll|yaw)|elbow|wrist_(roll|pitch|yaw))_joint",
}
"""Joints of each actuator group, as a pattern of whole names; every joint is in exactly one."""


def _by_joint(values, names) -> dict[str, float]:
    return {name: float(value) for name, value in zip(G1.joint_names, values, strict=True) if name in names}


def _actuator_group(pattern: str) -> ImplicitActuatorCfg:
    names = [name for name in G1.joint_names if re.fullmatch(pattern, name)]
    return ImplicitActuatorCfg(
        joint_names_expr=names,
        stiffness=_by_joint(G1.stiffness, names),
        damping=_by_joint(G1.damping, names),
        armature=_by_joint(G1.armature, names),
        joint_effort_limit=_by_joint(G1.effort_limit, names),
        joint_velocity_limit=_by_joint(G1.velocity_limit, names),
    )


G1_CFG = ArticulationCfg(
    spawn=sim_utils.UsdFileCfg(
        usd_path=str(G1_USD_PATH),
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
    ),
    init_state=ArticulationCfg.InitialStateCfg(
        pos=(0.0, 0.0, G1.default_root_height),
        joint_pos=_by_joint(G1.default_joint_pos, G1.joint_names),
        joint_vel={".*": 0.0},
    ),
    soft_joint_pos_limit_factor=G1.soft_joint_pos_limit_factor,
    joint_ordering=G1.joint_names,
    body_ordering=G1.body_names,
    actuators={name: _actuator_group(pattern) for name, pattern in ACTUATOR_GROUPS.items()},
)
"""Unitree G1 with BeyondMimic's gains. Joints and bodies are in depth-first order on every engine."""

G1_FOUR_POINT_FEET_CFG = G1_CFG.copy()
"""The G1 with four contact spheres a foot: about half the contacts of :data:`G1_CFG`, for training on a CPU."""
G1_FOUR_POINT_FEET_CFG.spawn.usd_path = str(G1_FOUR_POINT_FEET_USD_PATH)

G1_ACTION_SCALE = _by_joint(G1.action_scale, G1.joint_names)
"""Joint target per unit of action [rad], by joint name."""
