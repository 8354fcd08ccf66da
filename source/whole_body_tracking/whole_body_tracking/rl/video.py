"""``--video`` of each script: its plan, and checks that this machine can do it before a simulator starts."""

from __future__ import annotations

import argparse
import ctypes.util
import importlib.util
import os
from pathlib import Path

from whole_body_tracking.viewer.video import require_encoder

STREAMING_VIEWERS = {"viser", "rerun"}
"""Viewers of Isaac Lab that give no pictures back."""


def add_video_env_arg(parser: argparse.ArgumentParser) -> None:
    """Add ``--video_env``, and its older name ``--video_world``."""
    parser.add_argument(
        "--video_env", "--video_world", type=int, default=0, metavar="N", help="Env that --video shows (0)."
    )  # fmt: skip


def plan_video(args: argparse.Namespace, checkpoint: Path) -> Path | None:
    """Path of the video that ``play.py`` draws itself; its folder is created.

    None if there is none to make, or Isaac Lab's recorder makes it from a viewer that ``--viz`` names.

    Raises:
        ValueError: If there is no such env, or a video cannot be made here.
    """
    if not args.video:
        return None
    if set(args.visualizer or ()) - STREAMING_VIEWERS:
        require_recorder(args)
        return None
    if not 0 <= args.video_env < args.num_envs:
        raise ValueError(f"--video_env {args.video_env} is not one of the {args.num_envs} envs of --num_envs.")
    check_video_length(args)
    require_encoder()
    path = checkpoint.parent / "videos" / "play" / f"{checkpoint.stem}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def check_video_length(args: argparse.Namespace) -> None:
    """Check ``--video_length``.

    Raises:
        ValueError: If it is not positive.
    """
    if args.video_length is not None and args.video_length < 1:
        raise ValueError(f"--video_length is {args.video_length} steps, expected at least 1.")


def require_recorder(args: argparse.Namespace) -> None:
    """Check that Isaac Lab's own recorder can work, which films what one of its viewers shows.

    Raises:
        ValueError: If a package or library is missing; the message names it.
    """
    if not args.video:
        return
    if importlib.util.find_spec("moviepy") is None or importlib.util.find_spec("moviepy.editor") is None:
        raise ValueError(
            "Here --video uses Isaac Lab's recorder, which needs the Python package moviepy: install 'moviepy<2'. Or"
            " play or evaluate a checkpoint with --video and without --viz, which needs no viewer."
        )
    if not args.visualizer and importlib.util.find_spec("isaacsim") is None:
        raise ValueError(
            "Here --video films what a viewer of Isaac Lab shows: by default that of Isaac Sim, which is not installed."
            " Add --viz newton_gl. Or play or evaluate a checkpoint with --video and without --viz, which needs no"
            " viewer."
        )
    has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if "newton_gl" in (args.visualizer or []) and not has_display and ctypes.util.find_library("EGL") is None:
        raise ValueError("--video with --viz newton_gl needs OpenGL: install the system package libegl1.")
