"""Checked configs and running environment from parsed arguments, shared by train, play and evaluate."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isaaclab.app import launch_simulation
from isaaclab.utils import validate
from isaaclab_rl.entrypoints.backends import cli_args_rsl_rl
from isaaclab_rl.entrypoints.common import apply_env_overrides, close_env, create_isaaclab_env
from isaaclab_rl.rsl_rl import (
    RslRlBaseRunnerCfg,
    RslRlVecEnvWrapper,
    check_rsl_rl_version,
    handle_deprecated_rsl_rl_cfg,
)
from isaaclab_tasks.utils import resolve_task_config

from whole_body_tracking.motion.sources.motion_entries import registry_paths, resolve_items
from whole_body_tracking.tasks.locomotion.mode_check import use_modes
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of, motion_cfg_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .overrides import CONFIG_PATH, require_known_paths
from .prior.reward import lacks_priors, use_kept_priors, use_reward_priors
from .run.checkpoints import resolve_checkpoint
from .run.distributed import decided_by_first
from .run.run_folder import kept_refnn

logger = logging.getLogger(__name__)


def resolve_configs(args: argparse.Namespace, play: bool = False) -> tuple[TrackingEnvCfg, RslRlBaseRunnerCfg]:
    """Build the task and agent configs of a command line and check them, before any simulator starts.

    Args:
        args: Arguments from :func:`~whole_body_tracking.rl.cli.parse_args`.
        play: Whether to apply the play configuration.

    Raises:
        FileNotFoundError: If a motion does not exist.
        ValueError: If a config value, a motion or the registry is wrong.
    """
    env_cfg, agent_cfg = resolve_checked(args, play)
    agent_cfg = cli_args_rsl_rl.update_rsl_rl_cfg(agent_cfg, args)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    apply_env_overrides(args, env_cfg)
    agent_cfg.device = env_cfg.sim.device
    env_cfg.seed = agent_cfg.seed
    motion_files = resolve_motions(args)
    if motion_files:
        motion = motion_cfg_of(env_cfg)
        if motion is None:
            raise ValueError(f"{args.task} tracks no motion; leave out {motion_files[:3]}.")
        motion.motion_files = motion_files
    name_refnn(args, env_cfg, agent_cfg)
    use_reward_priors(args, env_cfg)
    if getattr(args, "checkpoint", None) is not None and lacks_priors(env_cfg):
        use_kept_priors(decided_by_first(lambda: resolve_checkpoint(args, agent_cfg)), env_cfg)
    use_modes(args, env_cfg)
    validate(env_cfg)
    return env_cfg, agent_cfg


def name_refnn(args: argparse.Namespace, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Tell a gait task which RefNN it follows: that of ``--gait_model``, else the one beside the checkpoint.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If a RefNN is given and the task follows none.
    """
    gait, given = gait_cfg_of(env_cfg), getattr(args, "gait_model", None)
    if gait is None:
        if given:
            raise ValueError(f"{args.task} follows no RefNN; leave out --gait_model, or take --task Gait-Flat-G1-v0.")
        return
    if given:
        gait.model_file = str(Path(given).absolute())
    elif not gait.model_file and getattr(args, "checkpoint", None) is not None:
        gait.model_file = kept_refnn(decided_by_first(lambda: resolve_checkpoint(args, agent_cfg)))


def resolve_checked(args: argparse.Namespace, play: bool = False) -> tuple[TrackingEnvCfg, RslRlBaseRunnerCfg]:
    """Resolve a task's configs with the overrides in ``sys.argv``, each of which must name a value that exists.

    Raises:
        ValueError: If an override does not; Isaac Lab would silently add a new value.
    """
    selectors = [token for token in sys.argv[1:] if not CONFIG_PATH.match(token)]
    with contextlib.redirect_stdout(io.StringIO()):
        defaults = resolve_task_config(args.task, args.agent, play_mode=play, overrides=selectors)
    if len(selectors) == len(sys.argv[1:]):
        return defaults
    require_known_paths(sys.argv[1:], *defaults)
    return resolve_task_config(args.task, args.agent, play_mode=play)


def resolve_motions(args: argparse.Namespace) -> list[str]:
    """Motions that a command line names, as clip files and manifests by absolute path; empty if it does not name any.

    Registry artifacts are downloaded.
    """
    if args.registry_name:
        return [str(path) for name in args.registry_name for path in registry_paths(name)]
    return resolve_items(args.motion_file or [])


@contextlib.contextmanager
def tracking_env(
    args: argparse.Namespace, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg
) -> Iterator[RslRlVecEnvWrapper]:
    """Launch the simulation and create the environment, wrapped for rsl_rl; close both at the end."""
    with launch_simulation(env_cfg, args):
        env: Any = create_isaaclab_env(args.task, env_cfg, args, convert_marl_to_single_agent=False)
        try:
            yield RslRlVecEnvWrapper(env, clip_actions=agent_cfg.clip_actions)
        finally:
            close_env(env)
