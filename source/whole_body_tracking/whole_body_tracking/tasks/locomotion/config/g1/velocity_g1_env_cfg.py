"""Unitree G1: what differs from the robot-free task."""

from __future__ import annotations

from typing import Any

from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from whole_body_tracking.robots import G1
from whole_body_tracking.robots.articulation_cfg import by_joint
from whole_body_tracking.robots.g1_cfg import G1_CFG, G1_FOUR_POINT_FEET_CFG
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import link_lengths_preset
from whole_body_tracking.tasks.tracking.robot_settings import ROBOT_PRIM_PATH

from ...velocity_env_cfg import VelocityEnvCfg

DEVIATIONS = {
    "hip_deviation": [r".*_hip_(yaw|roll)_joint"],
    "waist_deviation": [r"waist_.*_joint"],
    "arm_deviation": [r".*_(shoulder|elbow|wrist)_.*"],
}
"""Joints that each of these rewards keeps near the default pose."""


def set_g1(cfg: Any) -> None:
    """Set a locomotion task up for the G1: articulation, action scale, feet and joints of the rewards."""
    cfg.scene.robot = preset(
        default=G1_CFG.replace(prim_path=ROBOT_PRIM_PATH),
        four_point_feet=G1_FOUR_POINT_FEET_CFG.replace(prim_path=ROBOT_PRIM_PATH),
    )
    cfg.actions.joint_pos.scale = by_joint(G1, G1.action_scale)
    cfg.events.base_com.params["asset_cfg"].body_names = G1.anchor_body_name
    cfg.events.link_lengths = link_lengths_preset()
    feet = list(G1.foot_body_names)
    for term in (cfg.rewards.foot_slip, cfg.rewards.foot_air_time):
        term.params["sensor_cfg"].body_names = feet
    cfg.rewards.foot_slip.params["asset_cfg"].body_names = feet
    for name, joints in DEVIATIONS.items():
        getattr(cfg.rewards, name).params["asset_cfg"].joint_names = joints


@configclass
class G1VelocityEnvCfg(VelocityEnvCfg):
    """``Velocity-Flat-G1-v0``. ``presets=four_point_feet`` takes the robot with four contact points per foot.

    ``presets=rand_*`` change the randomisation, but for ``rand_terrain`` and ``rand_time``: see docs/randomization.md.
    """

    robot_name: str = G1.name

    def __post_init__(self):
        super().__post_init__()
        set_g1(self)
