"""Policies that play and evaluate run: that of a checkpoint, or experts, one for each clip."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper
from tensordict import TensorDict
from torch import Tensor

from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .checkpoint_fit import require_policy_of_task
from .experts.ensemble import Ensemble, prepare_experts
from .experts.table import read_experts
from .prior.setup import adopt_prior
from .run.checkpoints import adopt_networks
from .runner import TrackingRunner

Policy = Callable[[TensorDict], Tensor]
"""From observations to actions."""


class CheckpointPolicy:
    """The policy of a checkpoint."""

    def __init__(self, path: Path):
        self.path = path

    def configure(self, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
        """Check the checkpoint against the task, and give the agent config its layers.

        Raises:
            ValueError: If it does not fit.
        """
        adopt_prior(self.path, env_cfg, agent_cfg)
        require_policy_of_task(env_cfg, self.path)
        adopt_networks(agent_cfg, self.path)

    def load(self, env: RslRlVecEnvWrapper, agent_cfg: RslRlBaseRunnerCfg) -> Policy:
        """Load the checkpoint, without noise."""
        runner = TrackingRunner(env, agent_cfg.to_dict(), device=agent_cfg.device)
        runner.load(str(self.path))
        return runner.get_inference_policy(device=env.device)


class ExpertsPolicy:
    """Experts, each on the clips that it is assigned to."""

    def __init__(self, args: argparse.Namespace):
        """Read the table of ``args.experts``.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If it is not a table, or a checkpoint is given beside it.
        """
        if args.checkpoint:
            raise ValueError("Give either --experts or a checkpoint, not both.")
        self.path = read_experts(Path(args.experts)).path
        self._args = args
        self._ensemble: Ensemble | None = None

    def configure(self, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
        """Check the experts against the task and its clips, and add what they observe.

        Raises:
            FileNotFoundError: If an expert is gone.
            ValueError: If they do not fit.
        """
        self._ensemble = prepare_experts(self._args, env_cfg)
        print(self._ensemble.describe())

    def load(self, env: RslRlVecEnvWrapper, agent_cfg: RslRlBaseRunnerCfg) -> Policy:
        """Load all experts."""
        return self._ensemble.load(env)


PolicySource = CheckpointPolicy | ExpertsPolicy
"""Where a policy comes from; ``path`` is the file that identifies it."""
