"""``play.py``: run a trained policy without noise, pushes or random starts."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from isaaclab_rl.entrypoints.common import add_common_play_args, apply_video_recording, pre_launch_video_config

from whole_body_tracking.export import export_run
from whole_body_tracking.export.env_spec import require_no_modifiers
from whole_body_tracking.robots import get_robot
from whole_body_tracking.viewer.recorder import EnvRecorder
from whole_body_tracking.viewer.video import write_video

from .cli import add_export_args, parse_args
from .experts.ensemble import add_expert_args
from .policies import CheckpointPolicy, ExpertsPolicy, Policy, PolicySource
from .run.checkpoints import experiment_folder, newest_checkpoint, resolve_checkpoint
from .session import resolve_configs, tracking_env
from .training import make_runner
from .video import add_video_env_arg, plan_video

PLAY_NUM_ENVS = 2


@dataclass
class PlayResult:
    """Result of playing a policy."""

    checkpoint: Path
    num_steps: int
    num_episodes: int
    """Episodes that ended while playing."""
    num_failures: int
    """Episodes that ended in a termination rather than at the clip's end."""
    policy_file: Path | None
    """Exported ONNX policy; None without ``--export``."""
    video: Path | None = None
    """Video of one env, if one was asked for."""


def play(argv: list[str]) -> PlayResult:
    """Play a policy as a command line says; see ``play.py --help``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config, motion or checkpoint is wrong.
    """
    parser = argparse.ArgumentParser(description="Play a trained policy from the first frame of its motion.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--max_steps", type=int, default=None, help="Steps to play; default: until interrupted.")
    parser.add_argument("--export", metavar="DIR", help="Export the policy with the motion that it plays to DIR.")
    parser.add_argument("--clamp_targets", action="store_true", help="Export targets clamped to the soft limits.")
    add_export_args(parser)
    add_expert_args(parser)
    add_video_env_arg(parser)
    args = parse_args(parser, argv)
    args.num_envs = args.num_envs or PLAY_NUM_ENVS
    _check_export(args)
    env_cfg, agent_cfg = resolve_configs(args, play=not args.train_env_cfg)
    if args.export:
        require_no_modifiers(env_cfg.observations)
    source = _policy_source(args, agent_cfg)
    checkpoint = source.path
    source.configure(env_cfg, agent_cfg)
    env_cfg.log_dir = str(checkpoint.parent)
    video = plan_video(args, checkpoint)
    if video is None:
        pre_launch_video_config(env_cfg, args)
        apply_video_recording(env_cfg, env_cfg.log_dir, args, subdir="play", checkpoint_path=str(checkpoint))
    with tracking_env(args, env_cfg, agent_cfg) as env:
        print(f"[INFO] Playing {checkpoint}")
        robot = get_robot(env_cfg.robot_name)
        recorder = EnvRecorder(env.unwrapped, robot, args.video_env, args.video_length) if video else None
        policy, policy_file = _load(args, env, agent_cfg, source)
        result = _roll_out(args, env, policy, PlayResult(checkpoint, 0, 0, 0, policy_file), recorder)
    if recorder is not None:
        print(f"[INFO] Drawing {recorder.num_frames} steps of env {recorder.env_id}")
        result.video = write_video(video, recorder.tracks(), recorder.fps)
    return result


def _check_export(args: argparse.Namespace) -> None:
    if args.export and args.experts:
        raise ValueError("--export writes one policy, and --experts are several. Distil them first with distil.py.")
    given = [flag for flag in ("--clamp_targets", "--no_clips") if getattr(args, flag.removeprefix("--"))]
    if given and not args.export:
        raise ValueError(f"{', '.join(given)}: only for exported files. Add --export DIR, or leave it out.")


def _policy_source(args: argparse.Namespace, agent_cfg) -> PolicySource:
    if args.experts:
        return ExpertsPolicy(args)
    return CheckpointPolicy(resolve_checkpoint(args, agent_cfg) or _newest_anywhere(agent_cfg))


def _load(args: argparse.Namespace, env, agent_cfg, source: PolicySource) -> tuple[Policy, Path | None]:
    """The policy, and its exported file if one was asked for."""
    if isinstance(source, ExpertsPolicy):
        return source.load(env, agent_cfg), None
    runner = make_runner(args.task, env, agent_cfg, None)
    runner.load(str(source.path))
    policy_file = None
    if args.export:
        policy_file = export_run(runner, source.path, args.task, args.clamp_targets, not args.no_clips, args.export)
    return runner.get_inference_policy(device=env.device), policy_file


def _roll_out(
    args: argparse.Namespace, env, policy: Policy, result: PlayResult, recorder: EnvRecorder | None
) -> PlayResult:
    """Play until ``--max_steps``, else until the video is complete, else until interrupted."""
    obs = env.get_observations()
    try:
        while not _is_over(args, result, recorder):
            started = time.monotonic()
            if recorder is not None:
                recorder.before_step()
            with torch.inference_mode():
                obs, _, dones, extras = env.step(policy(obs))
            if recorder is not None:
                recorder.after_step(bool(dones[recorder.env_id]))
            result.num_steps += 1
            result.num_episodes += int(dones.sum())
            result.num_failures += int(dones.sum() - extras["time_outs"].sum())
            if args.real_time:
                time.sleep(max(0.0, env.unwrapped.step_dt - (time.monotonic() - started)))
    except KeyboardInterrupt:
        print("[INFO] Stopped.")
    return result


def _is_over(args: argparse.Namespace, result: PlayResult, recorder: EnvRecorder | None) -> bool:
    if args.max_steps is not None:
        return result.num_steps >= args.max_steps
    return recorder is not None and recorder.is_complete


def _newest_anywhere(agent_cfg) -> Path:
    folder = experiment_folder(agent_cfg)
    runs = sorted(path.parent for path in folder.glob("*/run.json") if any(path.parent.glob("model_*.pt")))
    if not runs:
        raise FileNotFoundError(f"{folder} contains no run with a checkpoint. Train first, or pass --checkpoint PATH.")
    return newest_checkpoint(runs[-1])
