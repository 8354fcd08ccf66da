"""Unitree G1: what differs from the robot-free modes task."""

from __future__ import annotations

from isaaclab.utils import configclass

from whole_body_tracking.robots import G1

from ...modes_env_cfg import ModesEnvCfg
from .velocity_g1_env_cfg import set_g1


@configclass
class G1ModesEnvCfg(ModesEnvCfg):
    """``Velocity-Flat-G1-Modes-v0``: stand, walk, turn and the package's squat, or the modes of ``--modes``."""

    robot_name: str = G1.name

    def __post_init__(self):
        super().__post_init__()
        set_g1(self)
        self.commands.motion.anchor_body_name = G1.anchor_body_name
        self.commands.motion.body_names = list(G1.tracked_body_names)
        self.terminations.ee_body_pos.params["body_names"] = list(G1.end_effector_names)
