"""Checkpoints of a world-model training: an ordinary actor, and what continues the training."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path

from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.distributed import decided_by_first
from whole_body_tracking.rl.runner import CENTER_KEY, TrackingRunner
from whole_body_tracking.rl.sampler_state import SAMPLER_KEY
from whole_body_tracking.rl.sft.bridge import supervised_targets
from whole_body_tracking.rl.sft.keys import SUPERVISED_KEY
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.task_reference import motion_of

from .learner import KEY, Learner
from .settings import WorldModelSettings

SETTINGS_KEY = "world_model_settings"
"""In checkpoints: value of every flag of the group "world model"."""


def checkpoint_content(runner: TrackingRunner, learner: Learner, iteration: int) -> dict:
    """What a checkpoint holds: the averaged policy as its actor, without a critic.

    It says what its actions are about, as a supervised policy does, so that ``train.py --load_sft_pretrain`` takes it.
    """
    env, sampler = runner.env.unwrapped, motion_of(runner.env).sampler
    return {
        "actor_state_dict": learner.average.state_dict(),
        "iter": iteration,
        "infos": None,
        "total_steps": runner.logger.tot_timesteps,
        "total_time": runner.logger.tot_time,
        "env_step_counter": env.common_step_counter,
        CENTER_KEY: action_center(env.cfg),
        SAMPLER_KEY: sampler.state_dict(),
        SUPERVISED_KEY: supervised_targets(env),
        KEY: learner.state(),
        SETTINGS_KEY: asdict(learner.settings),
    }


def restore_checkpoint(runner: TrackingRunner, learner: Learner, checkpoint: Path, same_run: bool) -> bool:
    """Continue a training, or start one from a policy that was trained otherwise.

    Args:
        runner: The run's.
        learner: Whose networks to restore.
        checkpoint: Where from; only the first process has to have it.
        same_run: Whether to continue its random numbers, too.

    Returns:
        Whether the checkpoint is of such a training; of others the actor alone is taken.

    Raises:
        ValueError: If it does not fit the task, or its model the settings.
    """
    data = decided_by_first(checkpoint.read_bytes)
    content = load_checkpoint(io.BytesIO(data), runner.device, name=str(checkpoint))
    runner._require_fit(str(checkpoint), content)
    state = content.get(KEY)
    learner.restore(content["actor_state_dict"], state)
    if state is None:
        print(f"[INFO] {checkpoint} has no world model: its policy is taken, the model starts anew.")
        return False
    for line in changed_settings(content.get(SETTINGS_KEY, {}), learner.settings):
        print(f"[INFO] This session changes {line}.")
    runner.current_learning_iteration, runner.run.next_iteration = content["iter"], content["iter"] + 1
    runner.logger.tot_timesteps, runner.logger.tot_time = content["total_steps"], content["total_time"]
    runner.env.unwrapped.common_step_counter = content["env_step_counter"]
    runner.alg.load_sampler(content, None)
    if same_run:
        runner.run.restore_random_numbers(content, runner.gpu_global_rank)
    return True


def changed_settings(before: dict[str, float], settings: WorldModelSettings) -> list[str]:
    """Flags whose value is not that of a checkpoint, each as ``--horizon from 24 to 16``."""
    now = asdict(settings)
    return [f"--{name} from {old} to {now[name]}" for name, old in before.items() if name in now and now[name] != old]
