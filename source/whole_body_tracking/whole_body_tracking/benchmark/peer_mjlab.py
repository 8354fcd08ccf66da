"""Environment steps per second of mjlab's G1 tracking task on the CPU; run by :mod:`.peer` with another interpreter.

Usage: ``python peer_mjlab.py CLIP.npz NUM_ENVS SECONDS``. Nothing of this project is imported. Prints one line,
``RESULT`` and JSON.
"""

import json
import statistics
import sys
import time
from importlib.metadata import version

import torch
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg

TASK = "Mjlab-Tracking-Flat-Unitree-G1"
ACTION_STD = 0.25
STEPS_A_BLOCK = 3


def main(clip: str, num_envs: int, seconds: float) -> None:
    """Step with random actions until the time is up, and print the median rate of short blocks."""
    import mjlab.tasks.tracking.config.g1  # noqa: F401  (registers the task)

    cfg = load_env_cfg(TASK)
    cfg.scene.num_envs, cfg.commands["motion"].motion_file = num_envs, clip
    env = ManagerBasedRlEnv(cfg, device="cpu")
    env.reset()
    block(env)
    rates, deadline = [], time.monotonic() + seconds
    while len(rates) < 3 or time.monotonic() < deadline:
        rates.append(STEPS_A_BLOCK * num_envs / block(env))
    result = {
        "environment_steps_per_s": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "task": TASK,
        "mjlab": version("mjlab"),
    }
    print("RESULT " + json.dumps(result), flush=True)


def block(env: ManagerBasedRlEnv) -> float:
    """Wall time of a few steps [s]."""
    started = time.perf_counter()
    for _ in range(STEPS_A_BLOCK):
        env.step(ACTION_STD * torch.randn(env.num_envs, env.action_manager.total_action_dim))
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
