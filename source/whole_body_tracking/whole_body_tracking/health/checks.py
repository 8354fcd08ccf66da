"""Checks of a training run: pure functions of its curves. What to try is also in docs/troubleshooting.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .expectation import expected_score, tracking_score
from .run_log import RunLog

MIN_ITERATIONS = 30
"""Shorter runs are not judged by their trends."""

WINDOW = 0.2
"""Share of a run that counts as its beginning and as its end."""

LEARNING_RATE_BOUNDS = (1.0e-5, 1.0e-2)
"""Where rsl_rl's adaptive schedule stops."""

GOOD_ENDINGS = ("Episode_Termination/time_out", "Episode_Termination/clip_ended")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong."""

    name: str
    """Short name of the check, stable for other programs."""
    found: str
    """What was found, with numbers."""
    advice: str
    """What to try."""


def check_run(run: RunLog) -> list[Finding]:
    """Every check that finds something, the most serious first."""
    findings = [check(run) for check in CHECKS]
    return [finding for finding in findings if finding is not None]


def check_finite(run: RunLog) -> Finding | None:
    """NaN or Inf in a curve. A curve may begin with NaN: no episode has ended yet."""
    bad = {}
    for name, curve in run.curves.items():
        started = np.maximum.accumulate(np.isfinite(curve.values))
        places = np.flatnonzero(~np.isfinite(curve.values) & (started | ~started.any()))
        if places.size:
            bad[name] = int(curve.iterations[places[0]])
    if not bad:
        return None
    first = min(bad, key=bad.get)
    return Finding(
        "non_finite",
        f"NaN or Inf in {len(bad)} curve(s), first in {first} at iteration {bad[first]}.",
        "Go back to a checkpoint before that iteration. Lower the learning rate, and look for non_finite_*.npz in the"
        " run folder.",
    )


def check_state_dumps(run: RunLog) -> Finding | None:
    """States that were written because a simulation blew up."""
    if not run.state_dumps:
        return None
    return Finding(
        "state_dumps",
        f"The simulation blew up at least {len(run.state_dumps)} time(s): {', '.join(run.state_dumps)}.",
        "If it recurs: look at the clip's quality report (jumps, penetration), lower the push or friction ranges.",
    )


def check_reward_rises(run: RunLog) -> Finding | None:
    """Mean reward at the end no better than at the beginning, unless most episodes already end well."""
    ends = _ends(run, "Train/mean_reward")
    if ends is None or _mostly_good_endings(run):
        return None
    early, late = ends
    if late.mean() > early.mean() + max(early.std(), 0.05 * abs(early.mean())):
        return None
    return Finding(
        "reward_not_rising",
        f"Mean reward {early.mean():.3g} in the first iterations, {late.mean():.3g} in the last.",
        "Negative from the start: agent.actor.distribution_cfg.init_std=0.25 (the action-rate penalty of the first"
        " noise exceeds the rewards). Otherwise try the residual task, more envs, or an easier motion first.",
    )


def check_kl(run: RunLog) -> Finding | None:
    """KL divergence of the updates far above its target, where it is logged."""
    name = next((key for key in run.curves if key.lower() in ("loss/kl", "loss/mean_kl", "policy/kl")), None)
    target, ends = run.settings.desired_kl, _ends(run, name) if name else None
    if ends is None or target is None or ends[1].mean() <= 4.0 * target:
        return None
    return Finding(
        "kl_above_target",
        f"{name} is {ends[1].mean():.3g} at the end, the target {target:g}.",
        "agent.algorithm.schedule=adaptive, or a smaller agent.algorithm.learning_rate; fewer epochs with few envs.",
    )


def check_action_std(run: RunLog) -> Finding | None:
    """Action noise that vanished before the policy tracks, or that grew."""
    ends = _ends(run, "Policy/mean_std")
    if ends is None:
        return None
    start, end = run.settings.init_std or float(ends[0][0]), float(ends[1].mean())
    if end > 2.0 * start:
        return Finding(
            "action_std_grows",
            f"Standard deviation of the actions grew from {start:.3g} to {end:.3g}.",
            "Lower agent.algorithm.entropy_coef: its bonus exceeds what precise actions earn.",
        )
    if end < 0.2 * start and not _mostly_good_endings(run):
        return Finding(
            "action_std_collapsed",
            f"Standard deviation of the actions fell from {start:.3g} to {end:.3g} before most episodes end well.",
            "Raise agent.algorithm.entropy_coef, or start again with a larger agent.actor.distribution_cfg.init_std.",
        )
    return None


def check_episode_length(run: RunLog) -> Finding | None:
    """Episodes that stay short and mostly end in failures."""
    ends = _ends(run, "Train/mean_episode_length")
    if ends is None or _mostly_good_endings(run) or ends[1].mean() > 1.2 * ends[0].mean():
        return None
    return Finding(
        "episode_length_stuck",
        f"Mean episode length {ends[0].mean():.3g} steps in the first iterations, {ends[1].mean():.3g} in the last;"
        f" {_worst_termination(run)}.",
        "The first second is too hard: lower pose_range and velocity_range, try the residual task.",
    )


def check_learning_rate(run: RunLog) -> Finding | None:
    """Adaptive learning rate that stays at one of its bounds."""
    ends = _ends(run, "Loss/learning_rate")
    if ends is None or run.settings.schedule == "fixed":
        return None
    low, high = LEARNING_RATE_BOUNDS
    late = ends[1]
    if (late <= 1.01 * low).mean() > 0.8:
        return Finding(
            "learning_rate_low",
            f"Learning rate at its lower bound {low:g} at the end.",
            "agent.algorithm.schedule=fixed with a few hundred envs; otherwise more envs or a larger desired_kl.",
        )
    if (late >= 0.99 * high).mean() > 0.8:
        return Finding(
            "learning_rate_high",
            f"Learning rate at its upper bound {high:g} at the end.",
            "The policy hardly changes in an update: look at the rewards, and at the action noise.",
        )
    return None


def check_expectation(run: RunLog) -> Finding | None:
    """Tracking score below what the same number of environment steps should give."""
    score, expected = tracking_score(run), expected_score(run)
    if score is None or expected is None or score >= expected:
        return None
    steps = run.curves["Train/total_steps"].values[-1]
    return Finding(
        "below_expectation",
        f"Tracking score {score:.2f} after {steps / 1e6:.3g} million environment steps, expected at least"
        f" {expected:.2f}.",
        "A hard motion needs more: go on, or try the residual task, more envs, an easier motion. Replay the clip and"
        " look at its quality report.",
    )


CHECKS: tuple[Callable[[RunLog], Finding | None], ...] = (
    check_finite,
    check_state_dumps,
    check_kl,
    check_reward_rises,
    check_episode_length,
    check_action_std,
    check_learning_rate,
    check_expectation,
)


def _ends(run: RunLog, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Finite values of the first and the last window of a curve, or None if the run is too short to judge."""
    curve = run.curves.get(name)
    if curve is None or run.num_iterations < MIN_ITERATIONS:
        return None
    values = curve.values[np.isfinite(curve.values)]
    window = max(1, int(WINDOW * len(values)))
    return (values[:window], values[-window:]) if len(values) >= 2 else None


def _mostly_good_endings(run: RunLog) -> bool:
    """Whether more than half of the last episodes ended at a time-out or the clip's end."""
    shares = [ends[1].mean() for name in GOOD_ENDINGS if (ends := _ends(run, name)) is not None]
    return sum(shares) > 0.5


def _worst_termination(run: RunLog) -> str:
    shares = {
        name.removeprefix("Episode_Termination/"): ends[1].mean()
        for name in run.curves
        if name.startswith("Episode_Termination/") and name not in GOOD_ENDINGS and (ends := _ends(run, name))
    }
    if not shares:
        return "why is not logged"
    worst = max(shares, key=shares.get)
    return f"most failures end by {worst} ({shares[worst]:.0%})"
