"""PPO whose checkpoints carry the motion sampler, under our runner and under Isaac Lab's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from rsl_rl.algorithms import PPO

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict

    from whole_body_tracking.tasks.tracking.mdp.sampling import StartSampler

SAMPLER_KEY = "motion_sampler_state_dict"


class TrackingPPO(PPO):
    """PPO of rsl_rl; :meth:`save` and :meth:`load` also cover the start sampler of the motion command.

    Training on several devices, ranks exchange what their samplers saw at every update.
    """

    sampler: StartSampler
    transfers: bool
    """Whether a checkpoint of other clips may be continued, with the sampler starting anew."""

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> TrackingPPO:
        """Build the algorithm and remember the environment's sampler."""
        motion = env.unwrapped.command_manager.get_term("motion")
        for name in ("actor", "critic"):
            if "embedding_dim" in cfg[name]:
                cfg[name]["num_motions"] = motion.library.num_clips
        algorithm: TrackingPPO = PPO.construct_algorithm(obs, env, cfg, device)
        algorithm.sampler, algorithm.transfers = motion.sampler, motion.cfg.transfer
        if algorithm.is_multi_gpu:
            algorithm.sampler.share_across_ranks()
        return algorithm

    def update(self) -> dict[str, float]:
        """Update the networks, and on several devices the samplers; return mean losses."""
        if self.is_multi_gpu:
            self.sampler.merge(torch.distributed.all_reduce)
        return super().update()

    def save(self) -> dict:
        """Return everything a checkpoint stores, as tensors and plain numbers."""
        return super().save() | {SAMPLER_KEY: self.sampler.state_dict()}

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a checkpoint; the sampler only where training continues (not in play, which starts at frame 0)."""
        resumes = super().load(loaded_dict, load_cfg, strict)
        continues = load_cfg is None or bool(load_cfg.get("iteration"))
        if continues and SAMPLER_KEY in loaded_dict and not self.sampler.frozen:
            state = loaded_dict[SAMPLER_KEY]
            if self.sampler.fits(state) or not self.transfers:
                self.sampler.load_state_dict(state)
        return load_cfg.get("iteration", False) if load_cfg is not None else resumes
