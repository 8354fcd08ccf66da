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
"""Infinite plane at z = 0, friction 1, no restitution.

The robot's own friction decides at its feet: PhysX multiplies the two, and on MuJoCo the robot's colliders have the
higher contact priority. A plane costs Newton less than half of what a box does.
"""
