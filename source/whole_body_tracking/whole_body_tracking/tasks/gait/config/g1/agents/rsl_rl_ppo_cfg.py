"""PPO settings of the gait tasks: those of tracking, in folders of their own."""

from __future__ import annotations

from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import (
    G1TrackingDemoPPORunnerCfg,
    G1TrackingPPORunnerCfg,
)


@configclass
class G1GaitPPORunnerCfg(G1TrackingPPORunnerCfg):
    """PPO for a GPU."""

    experiment_name: str = "g1_gait"


@configclass
class G1GaitDemoPPORunnerCfg(G1TrackingDemoPPORunnerCfg):
    """PPO for a few CPU cores."""

    experiment_name: str = "g1_gait_demo"
