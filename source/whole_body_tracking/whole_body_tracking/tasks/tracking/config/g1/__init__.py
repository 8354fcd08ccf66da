"""Unitree G1 tracking tasks."""

import gymnasium as gym


def _register(task_id: str, env_cfg: str, agent_cfg: str) -> None:
    gym.register(
        id=task_id,
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.{env_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}.agents.rsl_rl_ppo_cfg:{agent_cfg}",
            "rsl_rl_distillation_cfg_entry_point": (
                f"{__name__}.agents.rsl_rl_distillation_cfg:G1DistillationRunnerCfg"
            ),
            "default_agent": "rsl_rl",
        },
    )


_register("Tracking-Flat-G1-v0", "tracking_g1_env_cfg:G1TrackingEnvCfg", "G1TrackingPPORunnerCfg")
_register(
    "Tracking-Flat-G1-Wo-State-Estimation-v0",
    "tracking_g1_env_cfg:G1TrackingWoStateEstimationEnvCfg",
    "G1TrackingPPORunnerCfg",
)
_register(
    "Tracking-Flat-G1-Low-Freq-v0",
    "tracking_g1_env_cfg:G1TrackingLowFreqEnvCfg",
    "G1TrackingLowFreqPPORunnerCfg",
)
_register("Tracking-Flat-G1-Residual-v0", "tracking_g1_env_cfg:G1TrackingResidualEnvCfg", "G1TrackingPPORunnerCfg")
_register("Tracking-Flat-G1-Multi-v0", "multi_env_cfg:G1TrackingMultiEnvCfg", "G1TrackingMultiPPORunnerCfg")
_register("Tracking-Flat-G1-Demo-v0", "demo_env_cfg:G1TrackingDemoEnvCfg", "G1TrackingDemoPPORunnerCfg")
