"""A flat static ground that every engine loads without a download."""

from __future__ import annotations

import isaaclab.sim as sim_utils
from isaaclab.assets import AssetBaseCfg
from isaaclab.sim.spawners.materials import UsdPhysicsRigidBodyMaterialCfg
from isaaclab_physx.sim.spawners.materials import PhysxMaterialCfg

from .g1 import DATA_DIR

GROUND_USD_PATH = DATA_DIR / "ground.usda"
"""Infinite collision plane with its top at z = 0 and a square for viewers."""

GROUND_CFG = AssetBaseCfg(
    prim_path="/World/ground",
    spawn=sim_utils.GroundPlaneCfg(
        usd_path=str(GROUND_USD_PATH),
        physics_material=[
            UsdPhysicsRigidBodyMaterialCfg(static_friction=1.0, dynamic_friction=1.0, restitution=0.0),
            PhysxMaterialCfg(friction_combine_mode="multiply", restitution_combine_mode="multiply"),
        ],
    ),
    collision_group=-1,
)
"""Plane at z = 0, friction 1. On PhysX the contact takes ground times robot, so the robot's material alone decides."""
