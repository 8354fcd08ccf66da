"""Rewards and starts from frozen priors: the terms, and their check before any simulator starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from torch import nn

from whole_body_tracking.priors.style.loading import load_predictor, load_score_prior, steps_per_frame
from whole_body_tracking.priors.style.score_prior import LEVELS, NUM_LEVELS
from whole_body_tracking.robots import get_robot

from . import mdp


def score_prior_reward(prior: str = "") -> RewTerm:
    """Reward of windows that a score prior can restore."""
    return RewTerm(func=mdp.score_prior, weight=2.0, params={"prior": prior, "levels": list(LEVELS), "scale": 6.0})


def motion_prior_reward(prior: str = "") -> RewTerm:
    """Reward of states that MotionNN predicts."""
    return RewTerm(func=mdp.motion_prior, weight=2.0, params={"prior": prior, "std": 2.0})


def prior_starts(prior: str = "") -> EventTerm:
    """Starts in the last frames of windows that are drawn from a score prior."""
    return EventTerm(func=mdp.start_from_prior, mode="reset", params={"prior": prior, "share": 0.5, "num_states": 4096})


LOADERS: dict[str, Callable[[str], nn.Module]] = {
    "rewards.score_prior": load_score_prior,
    "rewards.motion_prior": load_predictor,
    "events.prior_starts": load_score_prior,
}
"""Terms with a prior, and how each is read."""
FLAGS = {
    "rewards.score_prior": "score_prior",
    "rewards.motion_prior": "motion_prior_reward",
    "events.prior_starts": "score_prior",
}
"""Flag of ``train.py`` that gives each its prior."""


def term_of(env_cfg: Any, name: str) -> Any | None:
    """A term of :data:`LOADERS` of a task's config; None where the task has none, or it is off."""
    group, term = name.split(".")
    return getattr(getattr(env_cfg, group, None), term, None)


def check_priors(env_cfg: Any) -> None:
    """Check that the priors of a config exist and fit its robot and its control rate.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If none is given, it is another kind of model, of another robot or of a rate that does not divide
            the control rate, or a number of the term is out of its range.
    """
    for name, load in LOADERS.items():
        term = term_of(env_cfg, name)
        if term is None:
            continue
        path = term.params["prior"]
        if not path:
            raise ValueError(f"`{name}` has no prior. Pass --{FLAGS[name]} FILE, or set env.{name}.params.prior=FILE.")
        layout, rate = load(path).layout, 1.0 / (env_cfg.sim.dt * env_cfg.decimation)
        steps_per_frame(path, layout, get_robot(env_cfg.robot_name), rate)
        _check_numbers(name, term.params)


def _check_numbers(name: str, params: dict) -> None:
    for key in ("scale", "std", "num_states"):
        if key in params and not params[key] > 0:
            raise ValueError(f"`{name}.params.{key}` is {params[key]}, expected more than 0.")
    if not 0.0 <= params.get("share", 0.0) <= 1.0:
        raise ValueError(f"`{name}.params.share` is {params['share']}, expected a share from 0 to 1.")
    levels = params.get("levels", [1])
    if isinstance(levels, str) or not levels or not all(1 <= level <= NUM_LEVELS for level in levels):
        raise ValueError(
            f"`{name}.params.levels` is {levels}, expected noise levels from 1 to {NUM_LEVELS} such as [22, 15, 8]."
        )
