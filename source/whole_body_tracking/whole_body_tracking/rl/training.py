"""``train.py``: from a command line to a trained policy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isaaclab.utils.seed import configure_seed
from isaaclab_rl.entrypoints.common import (
    add_common_train_args,
    apply_video_recording,
    pre_launch_video_config,
)
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.export import export_run
from whole_body_tracking.export.env_spec import require_no_modifiers
from whole_body_tracking.tasks.tracking.task_reference import clips_of, motion_cfg_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .amp.settings import check_amp
from .checkpoint_fit import require_policy_of_task
from .cli import add_export_args, parse_args
from .distillation import TrackingDistillation, TrackingDistillationRunner
from .learning.budget import TrainingBudget
from .learning.symmetry import require_mirror_images
from .learning.until import SCORED_EVERY, ScoredTraining, add_until_args, check_until
from .muscle.settings import check_muscle_learning
from .ppo import TrackingPPO
from .prior.reward import adopt_reward_priors, keep_reward_priors
from .prior.setup import add_prior_args, adopt_prior, configure_prior, keep_prior
from .run import distributed
from .run.checkpoints import newest_checkpoint, require_resumable, resolve_checkpoint
from .run.continuation import has_other_clips, note_session, require_same_control
from .run.run_folder import choose_run_folder, describe_run, keep_refnn, removed_if_empty
from .run.service import StopTraining
from .runner import TrackingRunner
from .session import resolve_configs, tracking_env
from .sft.fine_tuning import prepare_fine_tuning
from .video import require_recorder

CPU_NUM_ENVS = 256
"""Envs on a machine without CUDA when the command line does not give a number."""

Prepare = Callable[[TrackingEnvCfg, RslRlBaseRunnerCfg], None]
"""Completes the configs of a training in place."""


@dataclass(frozen=True)
class Start:
    """Start of a training session: checkpoint and run folder."""

    run_folder: Path
    checkpoint: Path | None
    num_done: int
    """Iterations that the checkpoint has."""


@dataclass
class TrainingResult:
    """Result of a training session."""

    run_folder: Path
    num_iterations: int
    """Iterations of the run in all, earlier sessions included."""
    exit_code: int = 0
    """0, or 143 after SIGTERM."""


def train(argv: list[str]) -> TrainingResult:
    """Train as a command line says; see ``train.py --help``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config or motion is wrong.
    """
    parser = train_parser("Train a policy that tracks motions, with RSL-RL's PPO.")
    parser.add_argument(
        "--load_sft_pretrain",
        metavar="PATH",
        help="Checkpoint or run of train_sft.py or world_model/train.py to start from: docs/refinement.md.",
    )
    add_until_args(parser)
    args = parse_args(parser, argv)
    return train_with(args, lambda env_cfg, agent_cfg: prepare_fine_tuning(args, agent_cfg))


def train_parser(description: str, agent: str = "rsl_rl_cfg_entry_point") -> argparse.ArgumentParser:
    """Flags of every training script, but for those that :func:`~.cli.parse_args` adds."""
    parser = argparse.ArgumentParser(description=description)
    add_common_train_args(parser, agent_default=agent, agent_help="Agent config entry point.")
    parser.add_argument("--max_minutes", type=float, default=None, help="Stop, with a checkpoint, after this long.")
    add_prior_args(parser)
    add_export_args(parser)
    return parser


def train_with(args: argparse.Namespace, prepare: Prepare | None = None) -> TrainingResult:
    """Train as parsed arguments say.

    Args:
        args: From :func:`train_parser` and :func:`~.cli.parse_args`.
        prepare: Completes the task and agent configs before they are used.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config or motion is wrong.
    """
    require_recorder(args)
    member = distributed.join(args)
    if args.num_envs is None and args.device == "cpu":
        args.num_envs = CPU_NUM_ENVS
        print(f"[INFO] No CUDA device: training with {CPU_NUM_ENVS} envs. Choose another number with --num_envs.")
    env_cfg, agent_cfg = resolve_configs(args)
    if prepare is not None:
        prepare(env_cfg, agent_cfg)
    configure_prior(args, env_cfg, agent_cfg)
    check_amp(env_cfg, agent_cfg)
    check_muscle_learning(env_cfg, agent_cfg)
    check_until(args, env_cfg)
    if not member.is_alone:
        use_share_of(member, args.device, env_cfg, agent_cfg)
    if args.max_iterations is not None:
        agent_cfg.max_iterations = args.max_iterations
    if agent_cfg.max_iterations < 1:
        raise ValueError(f"--max_iterations is {agent_cfg.max_iterations}, expected at least 1.")
    start = distributed.decided_by_first(lambda: choose_start(args, env_cfg, agent_cfg))
    if start.checkpoint is not None:
        adopt_prior(start.checkpoint, env_cfg, agent_cfg)  # the first process has done so already
        adopt_reward_priors(start.checkpoint, env_cfg)
    if start.num_done >= agent_cfg.max_iterations:
        total = agent_cfg.max_iterations
        print(f"[INFO] {start.checkpoint} already has {start.num_done} of {total} iterations: nothing to train.")
        distributed.leave()
        return TrainingResult(start.run_folder, start.num_done)
    pre_launch_video_config(env_cfg, args)
    env_cfg.log_dir = str(start.run_folder if member.is_first else start.run_folder / f"rank_{member.rank}")
    apply_video_recording(env_cfg, env_cfg.log_dir, args)
    with removed_if_empty(start.run_folder), tracking_env(args, env_cfg, agent_cfg) as env:
        return run_training(args, env, env_cfg, agent_cfg, start)


def choose_start(args: argparse.Namespace, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> Start:
    """Find the checkpoint of a command line and choose the run's folder.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If it does not fit the task or the agent config, or the task's policy could not be exported.
    """
    require_no_modifiers(env_cfg.observations)
    if getattr(agent_cfg.algorithm, "symmetry_cfg", None):
        require_mirror_images(env_cfg)
    checkpoint, num_done = resolve_checkpoint(args, agent_cfg), 0
    if checkpoint is not None:
        adopt_prior(checkpoint, env_cfg, agent_cfg)
        require_same_control(checkpoint, env_cfg, accepts_other_motions(env_cfg))
        require_policy_of_task(env_cfg, checkpoint)
        num_done = require_resumable(agent_cfg, checkpoint)
    if num_done >= agent_cfg.max_iterations:
        return Start(checkpoint.parent, checkpoint, num_done)
    return Start(choose_run_folder(args, agent_cfg, checkpoint), checkpoint, num_done)


def accepts_other_motions(env_cfg: TrackingEnvCfg) -> bool:
    """Whether a checkpoint may be continued with other motions than its run's."""
    return bool(getattr(motion_cfg_of(env_cfg), "transfer", False))


def use_share_of(
    member: distributed.Member, device: str, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg
) -> None:
    """Give a process its device and a seed of its own: the first one's plus the process's number."""
    env_cfg.sim.device = agent_cfg.device = device
    agent_cfg.seed += member.rank
    env_cfg.seed = agent_cfg.seed


def run_training(
    args: argparse.Namespace,
    env: RslRlVecEnvWrapper,
    env_cfg: TrackingEnvCfg,
    agent_cfg: RslRlBaseRunnerCfg,
    start: Start,
) -> TrainingResult:
    """Train in an environment that exists, writing to the run's folder, which appears once the run can start."""
    distributed.require_same("motions", [f"{clip['name']} {clip['sha256'][:8]}" for clip in clips_of(env)])
    is_first, run_folder = distributed.Member.from_environment().is_first, start.run_folder
    continues = start.checkpoint is not None and start.checkpoint.parent == run_folder
    runner = make_runner(args.task, env, agent_cfg, run_folder if is_first else None, not args.no_clips)
    configure_seed(env_cfg.seed, torch_deterministic=args.device == "cpu" or args.deterministic)
    if start.checkpoint is not None:
        restore(runner, start.checkpoint, env_cfg, same_run=continues)
    if is_first and continues:
        note_session(run_folder, start.checkpoint, clips_of(env), env_cfg, agent_cfg)
    elif is_first:
        describe_run(run_folder, args.task, args.agent, env, env_cfg, agent_cfg)
        keep_prior(run_folder, agent_cfg)
        keep_refnn(run_folder, env_cfg)
        keep_reward_priors(run_folder, env_cfg)
    until = getattr(args, "until", None)
    scored = None if until is None else ScoredTraining(runner, until, args.score_every or SCORED_EVERY)
    runner.after_iteration = keep_to(TrainingBudget(agent_cfg.max_iterations, args.max_minutes), runner.alg, scored)
    runner.learn_until(agent_cfg.max_iterations, init_at_random_ep_len=agent_cfg.init_at_random_ep_len)
    if scored is not None:
        scored.finish()
        if args.json is not None:
            scored.write(args.json, newest_checkpoint(run_folder))
    distributed.leave()
    exit_code = runner.stop_reason.exit_code if runner.stop_reason else 0
    return TrainingResult(run_folder, runner.num_iterations_done, exit_code)


def restore(runner: TrackingRunner, checkpoint: Path, env_cfg: TrackingEnvCfg, same_run: bool) -> None:
    """Restore a checkpoint, without the sampler's statistics if the clips are others and that is accepted.

    Raises:
        ValueError: If the clips are others, or the checkpoint does not fit the task.
    """
    print(f"[INFO] Continuing from {checkpoint}")
    differs = has_other_clips(checkpoint, clips_of(runner.env), accepts_other_motions(env_cfg))
    runner.resume(str(checkpoint), same_run=same_run)
    if differs:
        runner.alg.sampler.forget()


def keep_to(
    budget: TrainingBudget, algorithm: TrackingPPO | TrackingDistillation, scored: ScoredTraining | None = None
) -> Callable[[int, dict], None]:
    """A hook that anneals what the algorithm anneals, and ends training once the budget's wall time has passed.

    It also scores the policy, if asked to, and ends training once that is good enough.
    """

    def check(iteration: int, row: dict[str, float]) -> None:
        if isinstance(algorithm, TrackingPPO) and algorithm.anneals:
            algorithm.anneal(distributed.decided_by_first(lambda: budget.used(iteration + 1)))
        if budget.is_over:
            raise StopTraining(f"the budget of {budget.max_minutes:g} minutes is used up")
        if scored is not None:
            scored.check(iteration)

    return check


def make_runner(
    task: str,
    env: RslRlVecEnvWrapper,
    agent_cfg: RslRlBaseRunnerCfg,
    run_folder: Path | None,
    export_clips: bool = True,
) -> TrackingRunner:
    """A runner that writes to ``run_folder`` and exports the policy at every save; None writes nothing."""
    log_dir = None if run_folder is None else str(run_folder)
    runner_class = TrackingDistillationRunner if agent_cfg.class_name == "DistillationRunner" else TrackingRunner
    runner = runner_class(env, agent_cfg.to_dict(), log_dir=log_dir, device=agent_cfg.device)
    runner.export = lambda runner, path: export_run(runner, path, task=task, with_clips=export_clips)
    return runner
