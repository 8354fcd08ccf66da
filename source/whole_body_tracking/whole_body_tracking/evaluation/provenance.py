"""Provenance of an evaluation: task, engine, seed, versions and digests."""

from __future__ import annotations

import argparse
import hashlib
from importlib import metadata
from pathlib import Path

from whole_body_tracking.code_version import code_commit
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.rl.run.run_folder import PACKAGES


def describe_evaluation(args: argparse.Namespace, env_cfg, checkpoint: Path, clips: list[MotionClip]) -> dict:
    """Task, engine, seed, versions, and digests of checkpoint and clips; nothing that differs between two runs."""
    return {
        "task": args.task,
        "engine": engine_name(env_cfg.sim.physics),
        "seed": env_cfg.seed,
        "exact_start": args.exact_start,
        "start_frames": args.start_frames,
        "versions": {name: installed_version(name) for name in PACKAGES},
        "commit": code_commit(),
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "clips": {clip.name: clip.digest for clip in clips},
    }


def engine_name(physics: object) -> str:
    """Name of a physics config as reports give it."""
    return type(getattr(physics, "solver_cfg", physics)).__name__.removesuffix("Cfg").removesuffix("Solver")


def installed_version(package: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
