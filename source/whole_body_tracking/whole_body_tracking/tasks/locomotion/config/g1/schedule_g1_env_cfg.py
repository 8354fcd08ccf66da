"""Unitree G1: what differs from the robot-free schedule task."""

from __future__ import annotations

from isaaclab.utils import configclass

from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.robots import G1

from ...schedule_env_cfg import ScheduleEnvCfg
from .velocity_g1_env_cfg import set_g1


@configclass
class G1ScheduleEnvCfg(ScheduleEnvCfg):
    """``Velocity-Flat-G1-Schedule-v0``: the package's walk, or the clips of ``--motion_file``."""

    robot_name: str = G1.name

    def __post_init__(self):
        super().__post_init__()
        set_g1(self)
        motion = self.commands.motion
        motion.motion_files = [str(DEFAULT_WALK_FILE)]
        motion.anchor_body_name = G1.anchor_body_name
        motion.body_names = list(G1.tracked_body_names)
        self.terminations.ee_body_pos.params["body_names"] = list(G1.end_effector_names)
