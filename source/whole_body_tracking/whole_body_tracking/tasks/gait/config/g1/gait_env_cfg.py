"""Unitree G1: the tracking task's robot, rewards and randomisation, with a RefNN as the reference."""

from __future__ import annotations

from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.config.g1.demo_env_cfg import G1TrackingDemoEnvCfg
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingResidualEnvCfg

from ...gait_env_cfg import GaitTask, track_gait


@configclass
class G1GaitEnvCfg(GaitTask, G1TrackingResidualEnvCfg):
    """``Gait-Flat-G1-v0``: residual actions about the walk of a RefNN, which ``--gait_model`` names."""

    def __post_init__(self):
        super().__post_init__()
        track_gait(self)


@configclass
class G1GaitDemoEnvCfg(GaitTask, G1TrackingDemoEnvCfg):
    """``Gait-Flat-G1-Demo-v0``: the same, cheap enough for a few CPU cores; see ``Tracking-Flat-G1-Demo-v0``."""

    def __post_init__(self):
        super().__post_init__()
        track_gait(self)
