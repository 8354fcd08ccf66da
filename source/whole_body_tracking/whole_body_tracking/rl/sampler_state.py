"""The motion sampler as a part of the algorithm: saved, restored and shared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv

    from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

SAMPLER_KEY = "motion_sampler_state_dict"


class CarriesSampler:
    """Mixin for algorithms of rsl_rl: :meth:`save` also covers the start sampler of the motion command.

    Training on several devices, ranks exchange what their samplers saw at every update.
    """

    sampler: StartSampler
    transfers: bool
    """Whether a checkpoint of other clips may be continued, with the sampler starting anew."""

    def take_sampler(self, env: VecEnv) -> None:
        """Remember the environment's sampler."""
        motion = env.unwrapped.command_manager.get_term("motion")
        self.sampler, self.transfers = motion.sampler, motion.cfg.transfer
        if self.is_multi_gpu:
            self.sampler.share_across_ranks()

    def update(self) -> dict[str, float]:
        """Update the networks, and on several devices the samplers; return mean losses."""
        if self.is_multi_gpu:
            self.sampler.merge(torch.distributed.all_reduce)
        return super().update()

    def save(self) -> dict:
        """Return everything a checkpoint stores, as tensors and plain numbers."""
        return super().save() | {SAMPLER_KEY: self.sampler.state_dict()}

    def load_sampler(self, loaded_dict: dict, load_cfg: dict | None) -> None:
        """Restore the sampler where training continues, not in play, which starts at frame 0."""
        continues = load_cfg is None or bool(load_cfg.get("iteration"))
        if continues and SAMPLER_KEY in loaded_dict and not self.sampler.frozen:
            state = loaded_dict[SAMPLER_KEY]
            if self.sampler.fits(state) or not self.transfers:
                self.sampler.load_state_dict(state)


def set_num_motions(env: VecEnv, *models: dict) -> None:
    """Tell networks that learn a vector for each motion how many there are."""
    for model in models:
        if "embedding_dim" in model:
            model["num_motions"] = env.unwrapped.command_manager.get_term("motion").library.num_clips
