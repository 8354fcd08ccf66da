"""PPO whose checkpoints carry the motion sampler, under our runner and under Isaac Lab's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsl_rl.algorithms import PPO

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict

    from whole_body_tracking.tasks.tracking.mdp.sampling import StartSampler

SAMPLER_KEY = "motion_sampler_state_dict"


class TrackingPPO(PPO):
    """PPO of rsl_rl; :meth:`save` and :meth:`load` also cover the start sampler of the motion command."""

    sampler: StartSampler

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> TrackingPPO:
        """Build the algorithm and remember the environment's sampler."""
        algorithm: TrackingPPO = PPO.construct_algorithm(obs, env, cfg, device)
        algorithm.sampler = env.unwrapped.command_manager.get_term("motion").sampler
        return algorithm

    def save(self) -> dict:
        """Return everything a checkpoint stores, as tensors and plain numbers."""
        return super().save() | {SAMPLER_KEY: self.sampler.state_dict()}

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a checkpoint; the sampler only where training continues (not in play, which starts at frame 0)."""
        resumes = super().load(loaded_dict, load_cfg, strict)
        continues = load_cfg is None or bool(load_cfg.get("iteration"))
        if continues and SAMPLER_KEY in loaded_dict and self.sampler.strategy != "first":
            self.sampler.load_state_dict(loaded_dict[SAMPLER_KEY])
        return load_cfg.get("iteration", False) if load_cfg is not None else resumes
