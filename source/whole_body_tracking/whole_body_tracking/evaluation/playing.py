"""From a config to rollouts: one engine, started and stopped."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from whole_body_tracking.rl.policies import PolicySource
from whole_body_tracking.rl.session import tracking_env
from whole_body_tracking.robots import RobotModel, get_robot

from .batches import Rollouts, plan_rollouts, run_rollouts
from .early_stop import EarlyStop
from .metrics.measure import RolloutMetrics, measure
from .recording import Recording
from .rollout import Disturbance


def play_clips(
    args: argparse.Namespace,
    env_cfg,
    agent_cfg,
    source: PolicySource,
    num_clips: int,
    terminations,
    disturb: Disturbance | None = None,
) -> tuple[Rollouts, list[str]]:
    """Start the engine, play every clip and stop it.

    Args:
        args: Parsed command line; ``num_envs`` rollouts are made, in at most as many worlds.
        env_cfg: Config from :func:`~.rollout.configure_evaluation`.
        agent_cfg: Agent config that the source has configured.
        source: Policy to play.
        num_clips: Number of clips of the config.
        terminations: Terminations that count as failures.
        disturb: Acts on the environment or the actions before each step.

    Returns:
        The rollouts, and the joints in the order of their recordings.
    """
    clip_ids = plan_rollouts(num_clips, args.num_envs)
    env_cfg.scene.num_envs = len(clip_ids) if num_clips <= args.num_envs else args.num_envs
    robot = get_robot(env_cfg.robot_name)
    judge = judge_of(env_cfg.rewards, terminations, robot)
    early_stop = EarlyStop(terminations, robot.body_names[0])
    with tracking_env(args, env_cfg, agent_cfg) as env:
        policy = source.load(env, agent_cfg)
        rollouts = run_rollouts(env, policy, clip_ids, env_cfg.seed, judge, disturb, early_stop)
        return rollouts, list(env.unwrapped.scene["robot"].joint_names)


def judge_of(rewards, terminations, robot: RobotModel) -> Callable[[Recording], RolloutMetrics]:
    """Function that measures recordings of a robot under a task's rewards and terminations."""
    return lambda recording: measure(recording, rewards, terminations, robot.body_names[0], robot)
