"""``train_sft.py``: from a command line to a policy that was trained by supervision."""

from __future__ import annotations

import math
import time
from pathlib import Path

from whole_body_tracking.export.env_spec import require_no_modifiers
from whole_body_tracking.files import write_json
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.config_check import load_task_clips

from ..cli import parse_args
from ..run.run_folder import choose_run_folder, describe_run, removed_if_empty
from ..session import resolve_configs, tracking_env
from .bridge import require_plain_task
from .command_line import check_arguments, configure, only_clip, refinement, require_same_clip, sft_parser
from .experts import make_expert, refined_clip
from .job import Clock, SftJob
from .progress import RoundProgress, SftResult


def train_sft(argv: list[str]) -> SftResult:
    """Train as a command line says; see ``train_sft.py --help``.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If an argument, config, motion or data set is wrong.
    """
    began = time.monotonic()
    args = parse_args(sft_parser(), argv)
    check_arguments(args)
    clock = Clock(began, began + 60.0 * args.max_minutes if args.max_minutes else math.inf)
    env_cfg, agent_cfg = resolve_configs(args)
    require_plain_task(env_cfg)
    require_no_modifiers(env_cfg.observations)
    clip = only_clip(load_task_clips(env_cfg))
    if args.dataset is not None and args.dataset.exists():
        require_same_clip(args.dataset, clip, env_cfg.robot_name)
    robot, wanted = get_robot(env_cfg.robot_name), refinement(args)
    with RoundProgress() as progress:
        with progress.phase("refining") as report:
            refined = refined_clip(clip, robot, wanted, agent_cfg.seed, report)
        with progress.phase("preparing the expert"):
            chosen = make_expert(args.expert, refined, robot, env_cfg.commands.motion, agent_cfg.seed)
        run_folder = choose_run_folder(args, agent_cfg, None)
        if refined is not clip:
            env_cfg.commands.motion.motion_files = [str(save_beside(run_folder, refined))]
        share = chosen.noise_share if args.noise_share is None else args.noise_share
        print(f"[INFO] Expert: {chosen.name} ({chosen.why}); {share:.0%} of the task's start noise and pushes")
        configure(args, env_cfg, chosen.name, share)
        env_cfg.log_dir = str(run_folder)
        with removed_if_empty(run_folder), tracking_env(args, env_cfg, agent_cfg) as env:
            job = SftJob(args, env, agent_cfg, run_folder, chosen, clock, progress)
            describe_run(run_folder, args.task, args.agent, env, env_cfg, agent_cfg)
            result = job.run()
    if args.json:
        write_json(args.json, result.as_json())
    return result


def save_beside(run_folder: Path, clip: MotionClip) -> Path:
    """Write a refined clip to ``refined/`` of a run folder, under its name."""
    path = run_folder / "refined" / f"{clip.name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    clip.save(path)
    return path
