"""mjlab on the same machine, run with the interpreter of an environment that has it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE

PROGRAM = Path(__file__).with_name("peer_mjlab.py")

MARK = "RESULT "
"""What the line with the peer's JSON starts with."""


def require_peer(python: Path) -> None:
    """Check that an interpreter finds mjlab.

    Raises:
        ChildProcessError: If it does not.
    """
    search = "import importlib.util, sys; sys.exit(importlib.util.find_spec('mjlab') is None)"
    if subprocess.run([str(python), "-P", "-c", search], capture_output=True, check=False).returncode != 0:
        raise ChildProcessError(
            f"{python} cannot find the module mjlab. --peer_python takes the Python of an environment in which"
            " `import mjlab` works."
        )


def measure_peer(python: Path, num_envs: int, seconds: float = 20.0) -> dict:
    """Environment steps per second of mjlab's G1 tracking task on the CPU, tracking the shipped clip.

    Args:
        python: Interpreter of an environment with mjlab.
        num_envs: Number of envs.
        seconds: Time to measure, start-up not included [s].

    Raises:
        ChildProcessError: If the program fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.npz")
        write_mjlab_clip(clip)
        command = [str(python), "-P", str(PROGRAM), str(clip), str(num_envs), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not lines:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ChildProcessError(f"mjlab could not be measured with {python}: {reason[0]}")
    return json.loads(lines[-1].removeprefix(MARK))


def write_mjlab_clip(path: Path) -> None:
    """Write the shipped clip in mjlab's layout: nameless arrays, bodies depth first, quaternions (w, x, y, z)."""
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    fields = ("joint_pos", "joint_vel", "body_pos_w", "body_lin_vel_w", "body_ang_vel_w")
    arrays = {name: getattr(clip, name) for name in fields}
    np.savez(path, fps=[clip.fps], body_quat_w=np.roll(clip.body_quat_w, 1, axis=-1), **arrays)
