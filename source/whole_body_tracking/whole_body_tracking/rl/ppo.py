"""PPO with the motion sampler in its checkpoints, under our runner and under Isaac Lab's own commands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from rsl_rl.algorithms import PPO

from .learning.precision import Precision, train_in
from .prior.release import end_update, separate_encoders, set_joint_order
from .run.checkpoint_file import CRITIC_KEY
from .sampler_state import CarriesSampler, set_num_motions

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from rsl_rl.models import MLPModel
    from rsl_rl.storage import RolloutStorage
    from tensordict import TensorDict
    from torch import Tensor


CRITIC_WARMUP = 20
"""Updates of a fresh critic alone, if the policy comes without one: an untrained critic gives random advantages."""

MAX_KL_SAMPLES = 16_384
"""States of the rollout over which the KL divergence is averaged, at most: more say nothing new."""


class TrackingPPO(CarriesSampler, PPO):
    """PPO of rsl_rl with the start sampler; it also continues the policy of a checkpoint without a critic."""

    _critic_only = 0
    """Updates to come that leave the policy as it is."""

    def __init__(
        self,
        actor: MLPModel,
        critic: MLPModel,
        *args,
        precision: Precision = "auto",
        final_learning_rate: float | None = None,
        **kwargs,
    ):
        """Build the algorithm as rsl_rl does.

        Args:
            actor: Policy.
            critic: Value function.
            args: What rsl_rl's PPO takes.
            precision: Number format of the hidden layers' matrix products.
            final_learning_rate: Learning rate to which :meth:`anneal` goes; None keeps it.
            kwargs: What rsl_rl's PPO takes.

        Raises:
            ValueError: If ``precision`` is unknown, or two schedules are to set the learning rate.
        """
        dtype = train_in(precision, kwargs.get("device", "cpu"), actor, critic)
        print(f"[INFO] Hidden layers are trained in {str(dtype).removeprefix('torch.')}.")
        super().__init__(actor, critic, *args, **kwargs)
        if final_learning_rate is not None and self.schedule != "fixed":
            raise ValueError(
                f"algorithm.final_learning_rate is {final_learning_rate:g} and algorithm.schedule is '{self.schedule}':"
                " both set the learning rate. Use schedule=fixed, or leave final_learning_rate out."
            )
        self._learning_rates = (self.learning_rate, final_learning_rate)

    @property
    def anneals(self) -> bool:
        """Whether the learning rate depends on how much of the training is done."""
        return self._learning_rates[1] is not None

    def anneal(self, used: float) -> None:
        """Set the learning rate for a share of the training budget that is used, in [0, 1]: linear in between."""
        if not self.anneals:
            return
        first, last = self._learning_rates
        self.learning_rate = first + (last - first) * used
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> TrackingPPO:
        """Build the algorithm and remember the environment's sampler."""
        for name in ("amp", "muscle"):  # AmpPPO's and MusclePPO's alone
            cfg["algorithm"].pop(name, None)
        set_num_motions(env, cfg["actor"], cfg["critic"])
        set_joint_order(env, cfg["actor"], cfg["critic"])
        algorithm: TrackingPPO = PPO.construct_algorithm(obs, env, cfg, device)
        algorithm.take_sampler(env)
        separate_encoders(algorithm)
        return algorithm

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict) -> None:
        """Record a step."""
        super().process_env_step(obs, rewards, dones, extras)
        self._last_obs = obs

    def continue_from(self, obs: TensorDict) -> None:
        """Act on these observations next: all envs were reset between two rollouts.

        rsl_rl's loop keeps the observations of its last step, so they are overwritten in place.
        """
        self._last_obs.update_(obs)

    def update(self) -> dict[str, float]:
        """Update the networks, the critic alone at first if it is fresh and the policy is not.

        Returns:
            rsl_rl's mean losses, which are logged as ``Loss/<name>``, and ``kl``: how far the policy moved. rsl_rl
            computes a KL divergence for its adaptive schedule, but does not say it.
        """
        losses = self._update_networks()
        end_update(self)
        if self._raw_actor.is_recurrent:
            return losses
        kl = mean_kl(self._raw_actor, self.storage)
        if self.is_multi_gpu:
            torch.distributed.all_reduce(kl)
            kl /= self.gpu_world_size
        return losses | {"kl": kl.item()}

    def _update_networks(self) -> dict[str, float]:
        if self._critic_only == 0:
            return super().update()
        self._critic_only -= 1
        normalizer = self._raw_actor.obs_normalizer
        was_training = normalizer.training
        self._raw_actor.requires_grad_(False)
        normalizer.eval()  # its statistics are a part of the policy
        try:
            return super().update()
        finally:
            self._raw_actor.requires_grad_(True)
            normalizer.train(was_training)

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a checkpoint; of a distilled student the policy alone, as the start of a new training."""
        selected = load_cfg
        if CRITIC_KEY not in loaded_dict:
            selected = {"actor": True}
            self._critic_only = CRITIC_WARMUP
        resumes = super().load(loaded_dict, selected, strict)
        if self.schedule == "fixed":  # an adaptive rate goes on where it was; a fixed one is what is asked for now
            self.learning_rate = self._learning_rates[0]
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate
        self.load_sampler(loaded_dict, load_cfg)
        return resumes


@torch.no_grad()
def mean_kl(actor: MLPModel, storage: RolloutStorage) -> torch.Tensor:
    """Mean KL divergence KL(old || new) of the policy that collected a rollout and the updated one, a scalar tensor.

    For Gaussians the sum over actions of log(s' / s) + (s^2 + (m - m')^2) / (2 s'^2) - 1 / 2. The new policy is the one
    that acts next, with its observation statistics updated. Draws no random numbers.

    Args:
        actor: The updated actor, without memory.
        storage: The rollout; clearing it leaves what is read here.
    """
    stride = math.ceil(storage.num_envs * storage.num_transitions_per_env / MAX_KL_SAMPLES)
    obs = storage.observations.flatten(0, 1)[::stride]
    old = tuple(values.flatten(0, 1)[::stride] for values in storage.distribution_params)
    actor.distribution.update(actor.mlp(actor.get_latent(obs)))
    return actor.get_kl_divergence(old, actor.output_distribution_params).mean()
