"""PPO from a policy that was trained by supervision, without unlearning it: ``train.py --load_sft_pretrain``.

A fresh critic gives random advantages, and exploration noise as for an untrained policy makes the robot fall: either
destroys a good policy within a few updates. So the critic learns alone first, the noise is small, steps are small, and
the policy is held to the one it came from, less and less.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg
from torch import Tensor

from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center

from ..ppo import TrackingPPO
from ..run.checkpoint_file import load_checkpoint
from ..run.checkpoints import adopt_networks, newest_checkpoint, resolve_checkpoint
from ..run.distributed import decided_by_first
from .bridge import supervised_targets
from .keys import FINE_TUNING_KEY, SUPERVISED_KEY

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv
    from rsl_rl.models import MLPModel
    from tensordict import TensorDict

ALGORITHM = f"{__name__}:FineTunedPPO"


def prepare_fine_tuning(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Set an agent config up for fine-tuning, if the command line starts one or continues one.

    The actor gets the layers of the policy, so that any task with its observations and actions can go on with it.

    Args:
        args: Of ``train.py``; ``load_sft_pretrain`` becomes its checkpoint.
        agent_cfg: PPO's; changed in place.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If it is not one of ``train_sft.py``, or another checkpoint is given beside it.
    """
    if args.load_sft_pretrain is None:
        if decided_by_first(lambda: _continues_fine_tuning(args, agent_cfg)):
            apply_settings(agent_cfg)
        return
    if args.checkpoint:
        raise ValueError("Give either --load_sft_pretrain, which starts a training, or a checkpoint to continue.")
    path = decided_by_first(lambda: supervised_checkpoint(Path(args.load_sft_pretrain)))
    apply_settings(agent_cfg)
    adopt_networks(agent_cfg, path)
    args.checkpoint = str(path)


def _continues_fine_tuning(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg) -> bool:
    if args.checkpoint is None or args.checkpoint.startswith("wandb:"):
        return False
    return FINE_TUNING_KEY in load_checkpoint(resolve_checkpoint(args, agent_cfg))


def supervised_checkpoint(path: Path) -> Path:
    """The checkpoint that a path names, or the newest of a run folder.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it was not trained by supervision.
    """
    if path.is_dir():
        path = newest_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Checkpoint {path} does not exist. Give a file or run folder of train_sft.py or world_model/train.py."
        )
    if SUPERVISED_KEY not in load_checkpoint(path):
        raise ValueError(
            f"{path} was not trained by train_sft.py or world_model/train.py, so --load_sft_pretrain does not know how"
            " to go on with it. Continue it with --checkpoint."
        )
    return path.absolute()


def apply_settings(agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Take over the settings of fine-tuning that the algorithm of rsl_rl knows.

    Raises:
        ValueError: If the agent has none, or one is out of range.
    """
    settings = getattr(agent_cfg, "fine_tuning", None)
    if settings is None:
        raise ValueError(f"The agent {type(agent_cfg).__name__} has no `fine_tuning` settings. Use PPO's of the task.")
    for name in ("init_std", "learning_rate", "warmup_learning_rate"):
        if not getattr(settings, name) > 0.0:
            raise ValueError(f"agent.fine_tuning.{name} is {getattr(settings, name)}, expected more than 0.")
    for name in ("value_warmup", "anchor", "anchor_iterations", "entropy_coef"):
        if not getattr(settings, name) >= 0:
            raise ValueError(f"agent.fine_tuning.{name} is {getattr(settings, name)}, expected at least 0.")
    algorithm = agent_cfg.algorithm
    algorithm.class_name, algorithm.schedule, algorithm.final_learning_rate = ALGORITHM, "fixed", None
    algorithm.learning_rate, algorithm.final_learning_rate = settings.learning_rate, None
    algorithm.entropy_coef = settings.entropy_coef


class FineTunedPPO(TrackingPPO):
    """PPO that starts from a supervised policy; settings are those of ``agent.fine_tuning``."""

    settings: dict[str, Any]
    _student: MLPModel
    """The policy that training started from, frozen."""
    _num_updates = 0
    """Updates of the policy so far, the critic's warm-up not counted."""

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> FineTunedPPO:
        """Build the algorithm; the policy comes with :meth:`load`."""
        algorithm: FineTunedPPO = TrackingPPO.construct_algorithm(obs, env, cfg, device)
        algorithm.settings = cfg["fine_tuning"]
        algorithm._action_sha256 = None
        if action_center(env.unwrapped.cfg) == JOINT_TARGET:
            algorithm._action_sha256 = supervised_targets(env.unwrapped)["action_sha256"]
        return algorithm

    @property
    def anchor(self) -> float:
        """Weight of the divergence from the student: falls linearly to 0 over ``anchor_iterations``."""
        iterations = self.settings["anchor_iterations"]
        return self.settings["anchor"] * max(0.0, 1.0 - self._num_updates / iterations) if iterations else 0.0

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Start from a supervised policy, or continue a fine-tuning.

        Raises:
            ValueError: If the actions of the policy are about other joint targets than the task's.
        """
        resumes = super().load(loaded_dict, load_cfg, strict)
        self._student = copy.deepcopy(self._raw_actor)
        if FINE_TUNING_KEY in loaded_dict:
            state = loaded_dict[FINE_TUNING_KEY]
            self._student.load_state_dict(state["student_state_dict"])
            self._num_updates, self._critic_only = state["num_updates"], state["critic_only"]
        else:
            self._require_same_targets(loaded_dict.get(SUPERVISED_KEY, {}))
            self._raw_actor.distribution.std_param.data.fill_(self.settings["init_std"])
            self._critic_only = self.settings["value_warmup"]
        self._student.eval().requires_grad_(False)
        self._student.mlp.train()  # rounds as the policy's does in an update, if that is in bfloat16
        return resumes

    def save(self) -> dict:
        """Return everything a checkpoint stores, the frozen student included."""
        state = {
            "student_state_dict": self._student.state_dict(),
            "num_updates": self._num_updates,
            "critic_only": self._critic_only,
        }
        return super().save() | {FINE_TUNING_KEY: state}

    def train_mode(self) -> None:
        """Set train mode, but for the policy's observation statistics, which are part of the policy.

        The student has seen observations without noise. Statistics of noisy ones are several times as wide, and would
        weaken the policy's feedback by as much within a few iterations.
        """
        super().train_mode()
        self._raw_actor.obs_normalizer.eval()

    def _update_networks(self) -> dict[str, float]:
        warms_up, clips = self._critic_only > 0, self.use_clipped_value_loss
        self._divergences: list[Tensor] = []
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings["warmup_learning_rate"] if warms_up else self.settings["learning_rate"]
        # A clipped loss lets a value move by 0.2 an update, and those of a good policy are far from a fresh critic's.
        self.use_clipped_value_loss = clips and not warms_up
        hook = self._raw_actor.register_forward_hook(self._pull, with_kwargs=True)
        try:
            losses = super()._update_networks()
        finally:
            hook.remove()
            self.use_clipped_value_loss = clips
        self._num_updates += not warms_up
        divergence = torch.stack(self._divergences).mean().item() if self._divergences else 0.0
        return losses | {"anchor_kl": divergence}

    def _pull(self, actor: MLPModel, args: tuple, kwargs: dict, output: Tensor) -> None:
        """Add the gradient of ``anchor * KL(student || policy)`` to the action means of a batch.

        Both have the initial noise s in this: KL = sum over actions of (m - m')^2 / (2 s^2), averaged over the batch.
        """
        mean = actor.output_mean
        # Not where the policy is fixed, nor in a second pass of the same batch, such as that of a symmetry loss.
        if not mean.requires_grad or not kwargs.get("stochastic_output"):
            return
        with torch.no_grad():
            off = (mean - self._student(args[0])) / self.settings["init_std"]
            self._divergences.append(0.5 * off.square().sum(-1).mean())
            pull = self.anchor * off / self.settings["init_std"] / len(off)
        mean.register_hook(lambda gradient: gradient + pull.to(gradient.dtype))

    def _require_same_targets(self, supervised: dict) -> None:
        found = supervised.get("action_sha256")
        if self._action_sha256 in (None, found) or found is None or self.transfers:
            return
        raise ValueError(
            "The policy acts about other joint targets than this task's clips have. Pass the clips that it was"
            " trained with as --motion_file, in the same order: train_sft.py wrote its clip to `refined/` in its run"
            " folder."
        )
