"""``check_isaacsim.py``: from a command line to a table of what an engine does as it should."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.benchmark.measuring.machine import describe_machine
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .judging import judge, table
from .measuring import measure
from .record import RECORD_FILE, EngineRecord

TASK = "Tracking-Flat-G1-v0"
ENGINE = "physics=isaacsim_physx"
"""What is checked unless the command line names another engine."""
NUM_ENVS = 64


def check_engine(argv: list[str], description: str) -> int:
    """Run the check that a command line asks for, print its table and return the exit status: 1 if a check failed.

    Raises:
        OSError: If the engine is not installed; the message says what to install.
        SystemExit: With status 1, if a check failed.
        ValueError: If an argument is wrong.
    """
    args = parse_arguments(argv, description)
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    machine = describe_machine(args.device)
    print(f"[INFO] {machine['processor']}, {machine['accelerator'] or 'no accelerator'}, {machine['versions']}")
    clip = MotionClip.load(args.motion_file[0])
    with tracking_env(args, env_cfg, agent_cfg) as env:
        failed = _conclude(args, measure(env, clip, args.task), env_cfg)
        if failed:
            sys.exit(1)  # in here: Kit ends the process while it closes
    return 0


def _conclude(args: argparse.Namespace, record: EngineRecord, env_cfg: TrackingEnvCfg) -> int:
    """Write the record, or compare it and print the table; number of checks that failed."""
    if args.record is not None:
        record.save(args.record)
        print(f"[INFO] Recorded to {args.record}. Nothing was compared.", flush=True)
        return 0
    same_engine = isinstance(env_cfg.sim.physics, (OvPhysxCfg, PhysxCfg))
    lines = judge(record, EngineRecord.load(), same_engine)
    failed = sum(line.status == "FAIL" for line in lines)
    print(table(lines))
    print(f"{failed} of {len(lines)} checks failed." if failed else "Nothing failed.", flush=True)
    return failed


def parse_arguments(argv: list[str], description: str) -> argparse.Namespace:
    """Parse, with Isaac Sim as the engine unless one is named, and leave Hydra's overrides in ``sys.argv``.

    Raises:
        ValueError: If an argument is unknown.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--record", type=Path, nargs="?", const=RECORD_FILE, metavar="FILE", help="Write the record, compare nothing."
    )
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.set_defaults(task=TASK, num_envs=NUM_ENVS)
    named = any(token.startswith("physics=") for token in argv)
    args = parse_args(parser, argv if named else [*argv, ENGINE])
    args.motion_file = [str(DEFAULT_MOTION_FILE)]
    return args
