"""``replay_npz.py``: replay of clips through a physics engine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from isaaclab_rl.entrypoints.common import apply_env_overrides

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.physics.prepare import prepare_physics
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.session import resolve_checked, resolve_motions
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .viewer.browser import show_in_browser
from .viewer.engine import engine_robot
from .viewer.files import check_target
from .viewer.page import write_page
from .viewer.replay import Replay, clips_track, replay_clip, replay_track
from .viewer.video import check_video, write_video

DEFAULT_TASK = "Tracking-Flat-G1-v0"
"""Task whose robot, ground and engine settings are used."""

GHOST_BESIDE = np.array([0.6, 0.75, 0.0])
"""Where a video shows the clip, relative to the robot [m]: to the right in the picture."""

LARGE_DIFFERENCE = 1e-3
"""Difference from which an engine does not show what the clip stores [m, rad]."""


def replay(argv: list[str], description: str) -> list[Replay]:
    """Replay clips as a command line says, and print how far the engine's bodies are from the clips'.

    Raises:
        FileNotFoundError: If a motion, or the folder of the page, does not exist.
        ValueError: If an argument or a motion is wrong.
    """
    args = parse_arguments(argv, description)
    env_cfg = resolve_env_cfg(args)
    clips = load_clips(args, env_cfg)
    if args.html:
        check_target(args.html)
    if args.video:
        check_video(args.video)
    replays = _play_in_engine(args, env_cfg, clips)
    title = ", ".join(clip.name for clip in clips)
    tracks = [replay_track("robot", get_robot(env_cfg.robot_name), replays)]
    if args.html:
        print(f"[INFO] Page: {write_page(args.html, tracks, clips[0].fps, title)}")
    if args.video:
        beside = clips_track("clip", tracks[0].robot, replays, GHOST_BESIDE)
        print(f"[INFO] Video: {write_video(args.video, [*tracks, beside], clips[0].fps)}")
    elif not args.html and not (args.headless or args.visualizer):
        print("[INFO] Playing in a loop. Stop with Ctrl+C.")
        _show(tracks, clips[0].fps, title, args.port)
    return replays


def parse_arguments(argv: list[str], description: str) -> argparse.Namespace:
    """Parse, and leave Hydra's overrides in ``sys.argv``.

    Raises:
        ValueError: If no motion is named, the task is unknown, or flags contradict each other.
    """
    parser = argparse.ArgumentParser(
        usage="%(prog)s --motion_file PATH ... [--headless | --html FILE | --video FILE] [options] [key=value ...]",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="Write an offline page that plays the motion.")
    parser.add_argument("--video", type=Path, metavar="FILE", help="Write an MP4, the clip as a ghost beside.")
    parser.add_argument("--port", type=int, default=8080, help="Port of the browser view (%(default)s).")
    parser.add_argument("--task", default=DEFAULT_TASK, help="Task whose robot and engine to use (%(default)s).")
    args = parse_args(parser, argv)
    if not (args.motion_file or args.registry_name):
        raise ValueError("Nothing to replay: pass --motion_file PATH or --registry_name NAME.")
    return args


def resolve_env_cfg(args: argparse.Namespace) -> TrackingEnvCfg:
    """Build the task's config with the command line's overrides and prepare its engine.

    Raises:
        OSError: If the engine cannot run here; the message says what to install or choose.
        ValueError: If an override does not name a value of the config.
    """
    env_cfg, _ = resolve_checked(args)
    apply_env_overrides(args, env_cfg)
    prepare_physics(env_cfg.sim.physics)
    return env_cfg


def load_clips(args: argparse.Namespace, env_cfg: TrackingEnvCfg) -> list[MotionClip]:
    """Load the clips that a command line names and check that they are of the task's robot and of one rate.

    Raises:
        FileNotFoundError: If a motion does not exist.
        ValueError: If a file is not a clip, is of another robot, or has another rate than the first.
    """
    robot = get_robot(env_cfg.robot_name)
    clips = [entry.load() for entry in resolve_entries(resolve_motions(args))]
    for clip in clips:
        clip.require_robot(robot)
        if clip.fps != clips[0].fps:
            raise ValueError(
                f"{clip.name} has {clip.fps:g} fps, but {clips[0].name} has {clips[0].fps:g}: clips that are"
                f" replayed one after the other need one rate. Convert {clip.name} again with"
                f" --output_fps {clips[0].fps:g}, or replay it alone."
            )
    return clips


def describe(item: Replay) -> str:
    """Return a line about how far an engine's bodies are from a clip's."""
    pos, ori = item.largest_pos_difference, item.largest_ori_difference
    line = (
        f"{item.clip.name}: {item.clip.num_frames} frames at {item.clip.fps:g} fps. Largest difference between engine"
        f" and clip: position {pos.value:.2e} m ({pos.body_name}, frame {pos.frame}),"
        f" orientation {ori.value:.2e} rad ({ori.body_name}, frame {ori.frame})."
    )
    if max(pos.value, ori.value) > LARGE_DIFFERENCE:
        line += " The clip's body poses do not follow from its joint positions: convert the motion again."
    return line


def _play_in_engine(args: argparse.Namespace, env_cfg: TrackingEnvCfg, clips: Sequence[MotionClip]) -> list[Replay]:
    """Play every clip once and print how it went; with ``--viz``, go on in real time until the viewer is closed."""
    replays = []
    with engine_robot(env_cfg, args) as robot:
        for clip in clips:
            replays.append(replay_clip(robot, clip))
            print(describe(replays[-1]), flush=True)
        if args.visualizer and not args.headless:
            try:
                while robot.sim.is_running():
                    for clip in clips:
                        replay_clip(robot, clip, real_time=True)
            except KeyboardInterrupt:
                print("[INFO] Stopped.")
    return replays


def _show(tracks, fps: float, title: str, port: int) -> None:
    try:
        show_in_browser(tracks, fps, title, port)
    except KeyboardInterrupt:
        print("[INFO] Stopped.")
