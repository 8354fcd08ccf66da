"""Unitree G1 gait tasks."""

import gymnasium as gym


def _register(task_id: str, env_cfg: str, agent_cfg: str) -> None:
    gym.register(
        id=task_id,
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.gait_env_cfg:{env_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}.agents.rsl_rl_ppo_cfg:{agent_cfg}",
            "default_agent": "rsl_rl",
        },
    )


_register("Gait-Flat-G1-v0", "G1GaitEnvCfg", "G1GaitPPORunnerCfg")
_register("Gait-Flat-G1-Demo-v0", "G1GaitDemoEnvCfg", "G1GaitDemoPPORunnerCfg")
