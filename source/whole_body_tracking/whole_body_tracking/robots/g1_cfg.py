"""The G1 as an Isaac Lab articulation; every number comes from the facts in :mod:`.g1`."""

from __future__ import annotations

from .articulation_cfg import articulation_cfg, by_joint
from .g1 import G1, G1_FOUR_POINT_FEET_USD_PATH, G1_USD_PATH

ACTUATOR_GROUPS = {
    "legs": r".*_(hip_(pitch|roll|yaw)|knee)_joint",
    "feet": r".*_ankle_(pitch|roll)_joint",
    "waist": r"waist_(roll|pitch)_joint",
    "waist_yaw": r"waist_yaw_joint",
    "arms": r".*_(shoulder_(pitch|roll|yaw)|elbow|wrist_(roll|pitch|yaw))_joint",
}
"""Joints of each actuator group, as a pattern of whole names; every joint is in exactly one."""

G1_CFG = articulation_cfg(G1, G1_USD_PATH, ACTUATOR_GROUPS)
"""Unitree G1 with BeyondMimic's gains. Joints and bodies are in depth-first order on every engine."""

G1_FOUR_POINT_FEET_CFG = G1_CFG.copy()
"""The G1 with four contact spheres per foot: about half the contacts of :data:`G1_CFG`, for training on a CPU."""
G1_FOUR_POINT_FEET_CFG.spawn.usd_path = str(G1_FOUR_POINT_FEET_USD_PATH)

G1_ACTION_SCALE = by_joint(G1, G1.action_scale)
"""Joint target per unit of action [rad], by joint name."""
