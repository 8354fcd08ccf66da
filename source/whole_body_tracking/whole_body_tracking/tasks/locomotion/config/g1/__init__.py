"""Unitree G1 locomotion tasks."""

import gymnasium as gym


def _register(task_id: str, env_cfg: str, agent_cfg: str) -> None:
    gym.register(
        id=task_id,
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.{env_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}.agents.rsl_rl_ppo_cfg:{agent_cfg}",
            "rsl_rl_cpu_cfg_entry_point": f"{__name__}.agents.rsl_rl_ppo_cfg:{agent_cfg.replace('PPO', 'CpuPPO')}",
            "default_agent": "rsl_rl",
        },
    )


_register("Velocity-Flat-G1-v0", "velocity_g1_env_cfg:G1VelocityEnvCfg", "G1VelocityPPORunnerCfg")
_register("Velocity-Flat-G1-Schedule-v0", "schedule_g1_env_cfg:G1ScheduleEnvCfg", "G1SchedulePPORunnerCfg")
_register("Velocity-Flat-G1-Modes-v0", "modes_g1_env_cfg:G1ModesEnvCfg", "G1ModesPPORunnerCfg")
