"""``scripts/world_model/train.py``: from a command line to a policy that was trained through a world model."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg

from whole_body_tracking.export.env_spec import require_no_modifiers
from whole_body_tracking.files import write_json
from whole_body_tracking.rl.checkpoint_fit import require_policy_of_task
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.run import distributed
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.checkpoints import adopt_networks, resolve_checkpoint, trained_networks
from whole_body_tracking.rl.run.continuation import has_other_clips, note_session, require_same_control
from whole_body_tracking.rl.run.run_folder import choose_run_folder, describe_run, removed_if_empty
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.rl.training import (
    CPU_NUM_ENVS,
    Start,
    accepts_other_motions,
    train_parser,
    use_share_of,
)
from whole_body_tracking.tasks.tracking.task_reference import clips_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .job import WorldModelJob
from .learner import KEY
from .progress import TrainingProgress, WorldModelResult
from .settings import WorldModelSettings, add_settings, settings_of
from .task_check import ImaginedTerms, imagined_terms

SETTINGS_FILE = "world_model.json"
"""In ``params/`` of a run: value of every flag of the group "world model" when it began."""
EXPERIMENT_SUFFIX = "_world_model"
"""Runs lie in a folder of their own beside PPO's, so that ``--checkpoint latest`` of one is not the other's."""
UNUSED = ("motion_prior", "video", "ray_proc_id")


def train_world_model(argv: list[str]) -> WorldModelResult:
    """Train as a command line says; see ``scripts/world_model/train.py --help``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config or motion is wrong, or the task cannot be imagined.
    """
    args = parse_args(world_model_parser(), argv)
    check_arguments(args)
    settings = settings_of(args)
    member = distributed.join(args)
    if args.num_envs is None and args.device == "cpu":
        args.num_envs = CPU_NUM_ENVS
        print(f"[INFO] No CUDA device: training with {CPU_NUM_ENVS} envs. Choose another number with --num_envs.")
    env_cfg, agent_cfg = resolve_configs(args)
    terms = configure(args, env_cfg, agent_cfg, settings)
    if not member.is_alone:
        use_share_of(member, args.device, env_cfg, agent_cfg)
    start = distributed.decided_by_first(lambda: choose_start(args, env_cfg, agent_cfg))
    share_layer_sizes(agent_cfg)
    if start.num_done >= agent_cfg.max_iterations:
        print(f"[INFO] {start.checkpoint} already has {start.num_done} iterations: nothing to train.")
        distributed.leave()
        return WorldModelResult(start.run_folder, start.checkpoint, why_ended="nothing to train")
    env_cfg.log_dir = str(start.run_folder if member.is_first else start.run_folder / f"rank_{member.rank}")
    with (
        removed_if_empty(start.run_folder),
        tracking_env(args, env_cfg, agent_cfg) as env,
        TrainingProgress(quiet=not member.is_first) as bar,
    ):
        job = WorldModelJob(args, env, agent_cfg, start.run_folder, terms, settings, bar)
        result = run_job(job, start, member.is_first)
    distributed.leave()
    if args.json and member.is_first:
        write_json(args.json, result.as_json())
    return result


def run_job(job: WorldModelJob, start: Start, is_first: bool) -> WorldModelResult:
    """Restore the checkpoint that a training starts from, describe the run in its folder, and train."""
    env_cfg, agent_cfg, clips = job.env.unwrapped.cfg, job.agent_cfg, clips_of(job.env)
    distributed.require_same("motions", [f"{clip['name']} {clip['sha256'][:8]}" for clip in clips])
    continues = start.checkpoint is not None and start.checkpoint.parent == start.run_folder
    if start.checkpoint is not None:
        print(f"[INFO] Continuing from {start.checkpoint}")
        differs = has_other_clips(start.checkpoint, clips, accepts_other_motions(env_cfg))
        job.restore(start.checkpoint, same_run=continues, other_clips=differs)
    if is_first and continues:
        note_session(start.run_folder, start.checkpoint, clips, env_cfg, agent_cfg)
    elif is_first:
        describe_run(start.run_folder, job.args.task, job.args.agent, job.env, env_cfg, agent_cfg)
        write_json(start.run_folder / "params" / SETTINGS_FILE, asdict(job.settings))
    return job.run()


def world_model_parser() -> argparse.ArgumentParser:
    """Flags of the script, but for those that :func:`~whole_body_tracking.rl.cli.parse_args` adds."""
    parser = train_parser("Train a policy through a learned model of the robot: docs/world_model.md.")
    parser.add_argument(
        "--until", type=float, metavar="SHARE", help="Stop once this share of rollouts finishes, in (0, 1]."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers of the training as JSON.")
    add_settings(parser)
    return parser


def check_arguments(args: argparse.Namespace) -> None:
    """Check what the command line alone can say.

    Raises:
        FileNotFoundError: If the folder of ``--json`` does not exist.
        ValueError: If a value is out of range, or a flag is not for this trainer.
    """
    if args.until is not None and not 0.0 < args.until <= 1.0:
        raise ValueError(f"--until is {args.until:g}, expected more than 0 and at most 1.")
    if args.max_minutes is not None and args.max_minutes <= 0:
        raise ValueError(f"--max_minutes is {args.max_minutes:g}, expected more than 0.")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"{args.json.absolute().parent}, the folder of {args.json.name}, does not exist.")
    given = [f"--{name}" for name in UNUSED if getattr(args, name, None) not in (None, False, -1)]
    if given:
        raise ValueError(
            f"The world-model trainer has neither cameras nor a motion prior: leave out {', '.join(given)}."
        )


def configure(
    args: argparse.Namespace,
    env_cfg: TrackingEnvCfg,
    agent_cfg: RslRlBaseRunnerCfg,
    settings: WorldModelSettings,
) -> ImaginedTerms:
    """Check that the task can be imagined, and set the agent config up.

    Raises:
        ValueError: If the task cannot be imagined or a number is out of range.
    """
    terms = imagined_terms(env_cfg)
    require_no_modifiers(env_cfg.observations)
    if agent_cfg.clip_actions is not None:
        raise ValueError("agent.clip_actions cuts the gradient through the actions: leave it at None.")
    if terms.left_out:
        print(f"[INFO] Imagined costs are without {', '.join(terms.left_out)}: no gradient can be had of them.")
    if args.max_iterations is not None:
        agent_cfg.max_iterations = args.max_iterations
    if agent_cfg.max_iterations < 1:
        raise ValueError(f"--max_iterations is {agent_cfg.max_iterations}, expected at least 1.")
    agent_cfg.experiment_name += EXPERIMENT_SUFFIX
    agent_cfg.num_steps_per_env = settings.collect_steps
    return terms


def share_layer_sizes(agent_cfg: RslRlBaseRunnerCfg) -> None:
    """Give every process the layers that the first one has, which alone may have the checkpoint they come from."""
    networks = trained_networks(agent_cfg)
    sizes = distributed.decided_by_first(lambda: {name: list(model.hidden_dims) for name, model in networks.items()})
    for name, model in networks.items():
        model.hidden_dims = sizes[name]


def choose_start(args: argparse.Namespace, env_cfg: TrackingEnvCfg, agent_cfg: RslRlBaseRunnerCfg) -> Start:
    """Find the checkpoint of a command line and choose the run's folder.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If it does not fit the task.
    """
    checkpoint, num_done = resolve_checkpoint(args, agent_cfg), 0
    if checkpoint is not None:
        require_same_control(checkpoint, env_cfg, accepts_other_motions(env_cfg))
        require_policy_of_task(env_cfg, checkpoint)
        adopt_networks(agent_cfg, checkpoint)
        content = load_checkpoint(checkpoint)
        num_done = content["iter"] + 1 if KEY in content else 0
    if num_done >= agent_cfg.max_iterations:
        return Start(checkpoint.parent, checkpoint, num_done)
    return Start(choose_run_folder(args, agent_cfg, checkpoint), checkpoint, num_done)
