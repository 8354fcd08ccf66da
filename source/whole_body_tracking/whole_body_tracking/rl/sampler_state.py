"""State of the motion sampler, saved, restored and shared between processes with the algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from whole_body_tracking.tasks.tracking.task_reference import motion_of

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict
    from torch import Tensor

    from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

SAMPLER_KEY = "motion_sampler_state_dict"


class CarriesSampler:
    """Mixin for algorithms of rsl_rl: :meth:`save` also covers the start sampler of the motion command.

    Training on several devices, ranks exchange what their samplers saw at every update.
    """

    sampler: StartSampler | None
    """None for a task that tracks no clip."""
    transfers: bool
    """Whether a checkpoint of other clips may be continued, with the sampler starting anew."""

    def take_sampler(self, env: VecEnv) -> None:
        """Remember the environment's sampler, and where it says how episodes end."""
        motion = motion_of(env)
        self.sampler = None if motion is None else motion.sampler
        self.transfers = motion is not None and motion.cfg.transfer
        self._endings = getattr(env.unwrapped, "termination_manager", None)  # a direct workflow has none
        if self.is_multi_gpu and self.sampler is not None:
            self.sampler.share_across_ranks()

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict) -> None:
        """Record a step, in whose ``extras`` an env that failed has no time-out.

        Both can be true at once, for instance of a robot that falls at its clip's last frame. It counts as a failure
        everywhere: for the sampler, in the log, and here, where a time-out would be bootstrapped with a value that the
        fallen robot does not have.
        """
        if "time_outs" in extras and self._endings is not None:
            extras["time_outs"] = extras["time_outs"].bool() & ~self._endings.terminated
        super().process_env_step(obs, rewards, dones, extras)

    def update(self) -> dict[str, float]:
        """Update the networks, and on several devices the samplers; return mean losses."""
        if self.is_multi_gpu and self.sampler is not None:
            self.sampler.merge(torch.distributed.all_reduce)
        return super().update()

    def save(self) -> dict:
        """Return everything a checkpoint stores, as tensors and plain numbers."""
        return super().save() | ({} if self.sampler is None else {SAMPLER_KEY: self.sampler.state_dict()})

    def load_sampler(self, loaded_dict: dict, load_cfg: dict | None) -> None:
        """Restore the sampler where training continues, not in play, which starts at frame 0."""
        if self.sampler is None:
            return
        continues = load_cfg is None or bool(load_cfg.get("iteration"))
        if continues and SAMPLER_KEY in loaded_dict and not self.sampler.frozen:
            state = loaded_dict[SAMPLER_KEY]
            if self.sampler.fits(state) or not self.transfers:
                self.sampler.load_state_dict(state)


def set_num_motions(env: VecEnv, *models: dict) -> None:
    """Tell networks that learn a vector for each motion how many there are."""
    for model in models:
        if "embedding_dim" in model:
            motion = motion_of(env)
            if motion is None:
                raise ValueError("A network with a vector per motion needs a task that tracks motions.")
            model["num_motions"] = motion.library.num_clips
