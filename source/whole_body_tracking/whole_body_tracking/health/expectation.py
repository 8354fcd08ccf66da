"""Tracking score of a run, and the score expected at its number of steps."""

from __future__ import annotations

import numpy as np

from .run_log import RunLog

TRACKING_TERMS = (
    "motion_global_anchor_pos",
    "motion_global_anchor_ori",
    "motion_body_pos",
    "motion_body_ori",
    "motion_body_lin_vel",
    "motion_body_ang_vel",
)
SUM_OF_WEIGHTS = 5.0

EXPECTED_RESIDUAL = ((0.3e6, 0.05), (0.5e6, 0.2), (0.8e6, 0.4), (2.0e6, 0.6))
"""Environment steps and score: about half of what the demo's squat had (256 envs, one run)."""

EXPECTED_DEFAULT_RELATIVE = ((100.0e6, 0.1), (500.0e6, 0.4), (1000.0e6, 0.6))
"""The same for actions about the default pose. A guess that only flags runs which have learnt next to nothing: no run
of that length has been made with this code."""

LAST = 0.1
"""Share of the run over which the score is averaged."""


def tracking_score(run: RunLog) -> float | None:
    """Tracking reward a step as a share of its maximum, times the share of episodes that end well, in [0, 1].

    A step's reward alone misleads: episodes that fail at once are near the reference all their life. None if the run
    does not log what is needed.
    """
    settings, length = run.settings, _late(run, "Train/mean_episode_length")
    terms = [_late(run, f"Episode_Reward/{term}") for term in TRACKING_TERMS]
    endings = [_late(run, f"Episode_Termination/{name}") for name in ("time_out", "clip_ended")]
    if not length or settings.step_dt is None or settings.episode_length_s is None or None in (*terms, *endings):
        return None
    # Isaac Lab logs the sum of reward times step_dt over an episode, divided by the longest episode.
    reward = sum(terms) * settings.episode_length_s / (length * settings.step_dt) / SUM_OF_WEIGHTS
    return float(np.clip(reward, 0.0, 1.0) * np.clip(sum(endings), 0.0, 1.0))


def expected_score(run: RunLog) -> float | None:
    """Smallest score that is in order after the run's environment steps; None early on or if they are unknown."""
    steps = run.curves.get("Train/total_steps")
    if steps is None or run.settings.residual is None:
        return None
    table = EXPECTED_RESIDUAL if run.settings.residual else EXPECTED_DEFAULT_RELATIVE
    reached = [score for threshold, score in table if steps.values[-1] >= threshold]
    return reached[-1] if reached else None


def _late(run: RunLog, name: str) -> float | None:
    curve = run.curves.get(name)
    if curve is None:
        return None
    values = curve.values[np.isfinite(curve.values)]
    return float(values[-max(1, int(LAST * len(values))) :].mean()) if len(values) else None
