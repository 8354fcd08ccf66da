"""Distillation of experts into one policy (DAgger): the student acts, the experts say what they would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from rsl_rl.algorithms import Distillation
from rsl_rl.runners import DistillationRunner

from .run.checkpoint_file import CRITIC_KEY, OPTIMIZER_KEY
from .runner import TrackingRunner
from .sampler_state import CarriesSampler, set_num_motions

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict


class TrackingDistillation(CarriesSampler, Distillation):
    """Distillation of rsl_rl, whose checkpoints hold the student as the actor that train, play and export know."""

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> TrackingDistillation:
        """Build the algorithm with a teacher that is complete, and remember the environment's sampler."""
        set_num_motions(env, cfg["student"])
        algorithm: TrackingDistillation = Distillation.construct_algorithm(obs, env, cfg, device)
        algorithm.teacher_loaded = True
        algorithm.take_sampler(env)
        return algorithm

    def save(self) -> dict:
        """Return everything a checkpoint stores; the experts stay in their own files."""
        content = super().save()
        del content["teacher_state_dict"]
        return {"actor_state_dict": content.pop("student_state_dict")} | content

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore a student; of a checkpoint of another training the policy alone, as the start of a new one."""
        self._raw_student.load_state_dict(loaded_dict["actor_state_dict"], strict=strict)
        resumes = CRITIC_KEY not in loaded_dict and OPTIMIZER_KEY in loaded_dict
        if resumes:
            self.optimizer.load_state_dict(loaded_dict[OPTIMIZER_KEY])
        self.load_sampler(loaded_dict, load_cfg)
        return resumes


class TrackingDistillationRunner(TrackingRunner, DistillationRunner):
    """The runner of tracking for :class:`TrackingDistillation`: the same checkpoints, continuation and export."""

    alg: TrackingDistillation

    @property
    def _networks(self) -> dict[str, torch.nn.Module]:
        return {"actor": self.alg.student}
