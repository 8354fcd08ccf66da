"""Small synthetic runs, and points of a real one."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.health import Curve, RunLog, RunSettings

SETTINGS = RunSettings("adaptive", 0.01, 1.0, 10.0, 0.02, False)
NUM_ITERATIONS = 100


def curve(values) -> Curve:
    """Values evenly spread over a run."""
    values = np.asarray(values, dtype=float)
    return Curve(np.linspace(0, NUM_ITERATIONS - 1, len(values)).astype(int), values)


def healthy_run(settings: RunSettings = SETTINGS, state_dumps=(), **changes) -> RunLog:
    """A run that learns; keyword ``a__b`` replaces the curve ``a/b`` and None removes it."""
    rise = np.linspace(0.0, 1.0, NUM_ITERATIONS)
    curves = {
        "Train/mean_reward": -1.0 + 20.0 * rise,
        "Train/mean_episode_length": 20.0 + 200.0 * rise,
        "Train/total_steps": 1e5 * (1.0 + np.arange(NUM_ITERATIONS)),
        "Policy/mean_std": 1.0 - 0.6 * rise,
        "Loss/learning_rate": 1e-3 - 5e-4 * rise,
        "Episode_Termination/ee_body_pos": 0.9 - 0.5 * rise,
        "Episode_Termination/clip_ended": 0.1 + 0.3 * rise,
        "Episode_Termination/time_out": 0.0 * rise,
    }
    curves |= {name.replace("__", "/"): values for name, values in changes.items()}
    named = {name: curve(values) for name, values in curves.items() if values is not None}
    return RunLog(named, settings, tuple(state_dumps))


REAL_SETTINGS = RunSettings("fixed", 0.01, 0.25, 10.0, 0.02, True)
REAL_ITERATIONS = (0, 20, 41, 62, 83, 104, 125)
REAL_CURVES = {
    "Train/mean_reward": (1.0517, 2.3666, 2.638, 4.4967, 9.5315, 9.9009, 10.294),
    "Train/mean_episode_length": (14.0, 33.59, 35.62, 62.12, 120.04, 117.77, 114.35),
    "Train/total_steps": (6144, 129024, 258048, 387072, 516096, 645120, 774144),
    "Episode_Reward/motion_global_anchor_pos": (0.0106, 0.0276, 0.033, 0.0529, 0.1107, 0.1019, 0.1255),
    "Episode_Reward/motion_global_anchor_ori": (0.0096, 0.0238, 0.0287, 0.0452, 0.0928, 0.0875, 0.1214),
    "Episode_Reward/motion_body_pos": (0.0209, 0.0584, 0.0698, 0.1144, 0.223, 0.2035, 0.251),
    "Episode_Reward/motion_body_ori": (0.0184, 0.0469, 0.058, 0.0906, 0.1905, 0.1846, 0.2326),
    "Episode_Reward/motion_body_lin_vel": (0.0178, 0.0525, 0.0648, 0.1108, 0.2212, 0.2014, 0.2504),
    "Episode_Reward/motion_body_ang_vel": (0.0156, 0.047, 0.0572, 0.099, 0.1872, 0.1752, 0.2302),
    "Episode_Termination/time_out": (0.0208, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "Episode_Termination/clip_ended": (0.0387, 0.321, 0.3216, 0.3403, 0.8123, 0.9922, 1.0),
    "Episode_Termination/ee_body_pos": (0.2332, 0.6785, 0.606, 0.5184, 0.1862, 0.0078, 0.0),
    "Loss/learning_rate": (0.001,) * 7,
    "Policy/mean_std": (0.2503, 0.2459, 0.239, 0.2339, 0.229, 0.2104, 0.1772),
}
"""Tracking-Flat-G1-Demo-v0 on the squat, 256 envs on a CPU: every twentieth iteration or so."""


def real_run(num_points: int = 7) -> RunLog:
    """The first points of the real run."""
    iterations = np.array(REAL_ITERATIONS[:num_points])
    curves = {name: Curve(iterations, np.array(values[:num_points])) for name, values in REAL_CURVES.items()}
    return RunLog(curves, REAL_SETTINGS)
