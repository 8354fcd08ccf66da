"""PPO settings of the G1 locomotion tasks."""

from __future__ import annotations

from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import G1TrackingPPORunnerCfg


@configclass
class G1VelocityPPORunnerCfg(G1TrackingPPORunnerCfg):
    """The tracking task's settings."""

    experiment_name: str = "g1_velocity"
    max_iterations: int = 10_000


@configclass
class G1VelocityCpuPPORunnerCfg(G1VelocityPPORunnerCfg):
    """``--agent rsl_rl_cpu_cfg_entry_point``: small networks for a few CPU cores with 256 envs.

    As in the demo task, small initial noise, since its action-rate penalty would exceed every reward, and a fixed
    learning rate, since the adaptive one shrinks to nothing at this batch size.
    """

    save_interval: int = 100

    def __post_init__(self):
        self.actor.hidden_dims = [256, 128, 64]
        self.actor.distribution_cfg.init_std = 0.4
        self.critic.hidden_dims = [256, 128, 64]
        self.algorithm.schedule = "fixed"
        self.algorithm.final_learning_rate = 1.0e-4
        self.algorithm.entropy_coef = 0.002


@configclass
class G1SchedulePPORunnerCfg(G1VelocityPPORunnerCfg):
    """The same in a folder of its own."""

    experiment_name: str = "g1_schedule"


@configclass
class G1ScheduleCpuPPORunnerCfg(G1VelocityCpuPPORunnerCfg):
    """The same in a folder of its own."""

    experiment_name: str = "g1_schedule"


@configclass
class G1ModesPPORunnerCfg(G1VelocityPPORunnerCfg):
    """The same in a folder of its own."""

    experiment_name: str = "g1_modes"


@configclass
class G1ModesCpuPPORunnerCfg(G1VelocityCpuPPORunnerCfg):
    """The same in a folder of its own."""

    experiment_name: str = "g1_modes"
