"""Which tasks can be imagined, told from their configs before the simulator starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isaaclab.managers import ObservationTermCfg, RewardTermCfg

from whole_body_tracking.names import require_known
from whole_body_tracking.tasks.tracking import mdp
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import TrackingJointPositionActionCfg
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of

OBSERVATIONS = (
    "generated_commands", "motion_anchor_pos_b", "motion_anchor_ori_b", "base_lin_vel", "base_ang_vel",
    "joint_pos_rel", "joint_vel_rel", "last_action", "root_height", "root_up_b", "motion_one_hot",
)  # fmt: skip
"""Functions of the task's ``mdp`` of which :mod:`~.imagining.observing` has a differentiable form."""
KERNELS = {
    "track_anchor_pos_exp": "anchor_pos",
    "track_anchor_ori_exp": "anchor_ori",
    "track_body_pos_exp": "body_pos",
    "track_body_ori_exp": "body_ori",
    "track_body_lin_vel_exp": "body_lin_vel",
    "track_body_ang_vel_exp": "body_ang_vel",
}
"""Rewards of the task with a differentiable form, and the error that each is a kernel of."""
PENALTIES = ("action_rate_l2", "joint_pos_limits")
"""Further rewards with a differentiable form."""
CLIP_ENDS = ("truncate", "hold", "resample")


@dataclass(frozen=True)
class ImaginedTerms:
    """Terms of a task by name, of which imagination has a form of its own."""

    observations: dict[str, ObservationTermCfg]
    """Of the policy's group, in order."""
    rewards: dict[str, RewardTermCfg]
    left_out: tuple[str, ...]
    """Rewards that no gradient can be had of, such as contacts."""


def imagined_terms(env_cfg: Any) -> ImaginedTerms:
    """Check that a task can be imagined and name its terms.

    Raises:
        ValueError: If not; the message names the terms or settings at fault.
    """
    observations = terms_of(env_cfg.observations.policy, ObservationTermCfg)
    rewards = terms_of(env_cfg.rewards, RewardTermCfg)
    known = {name: term for name, term in rewards.items() if _is_one_of(term.func, (*KERNELS, *PENALTIES))}
    _require(_reasons(env_cfg, observations, known))
    return ImaginedTerms(observations, known, tuple(name for name in rewards if name not in known))


def terms_of(group: Any, kind: type) -> dict[str, Any]:
    """Terms of a group of a config that are switched on, by name and in order."""
    return {name: term for name, term in vars(group).items() if isinstance(term, kind)}


def function_name(term: Any) -> str:
    """Name of a term's function in the task's ``mdp``."""
    return term.func.__name__


def _is_one_of(func: Any, names: tuple[str, ...]) -> bool:
    return any(func is getattr(mdp, name) for name in names)


def _reasons(env_cfg: Any, observations: dict[str, Any], rewards: dict[str, Any]) -> list[str]:
    motion = motion_cfg_of(env_cfg)
    if motion is None:
        return ["it tracks no motion"]
    unknown = [
        f"{name} ({function_name(t)})" for name, t in observations.items() if not _is_one_of(t.func, OBSERVATIONS)
    ]
    altered = [
        name
        for name, term in observations.items()
        if term.history_length
        or env_cfg.observations.policy.history_length
        or term.delay_max_lag
        or term.modifiers
        or term.scale is not None
        or term.clip is not None
    ]
    reasons = [f"observation terms without a differentiable form: {', '.join(unknown)}"] if unknown else []
    reasons += (
        [f"observation terms with history, delay, scale, clip or modifiers: {', '.join(altered)}"] if altered else []
    )
    if not any(_is_one_of(term.func, tuple(KERNELS)) for term in rewards.values()):
        reasons.append("none of its rewards is a tracking kernel of this project")
    if any(getattr(term, "func", None) is mdp.tighten_tracking_std for term in _curriculum(env_cfg)):
        reasons.append("kernels that narrow while it trains (presets=reward_tightening)")
    reasons += _reasons_of_motion(env_cfg, motion) + _reasons_of_actions(env_cfg)
    return reasons


def _curriculum(env_cfg: Any) -> list[Any]:
    return list(vars(env_cfg.curriculum).values()) if getattr(env_cfg, "curriculum", None) is not None else []


def _reasons_of_motion(env_cfg: Any, motion: Any) -> list[str]:
    require_known(motion.clip_end, (*CLIP_ENDS, "loop"), "value of commands.motion.clip_end")
    reasons = [] if motion.clip_end in CLIP_ENDS else ["clips that loop (commands.motion.clip_end=loop)"]
    return reasons + (["ground that is not flat (scene.terrain)"] if env_cfg.scene.terrain is not None else [])


def _reasons_of_actions(env_cfg: Any) -> list[str]:
    action = getattr(env_cfg.actions, "joint_pos", None)
    if not isinstance(action, TrackingJointPositionActionCfg):
        return ["actions other than this project's joint targets (actions.joint_pos)"]
    reasons = ["delayed actions (actions.joint_pos.delay_range)"] if tuple(action.delay_range) != (0.0, 0.0) else []
    reasons += ["targets that are clipped (actions.joint_pos.clip)"] if action.clip is not None else []
    return reasons + (["actions of some joints only"] if list(action.joint_names) != [".*"] else [])


def _require(reasons: list[str]) -> None:
    if reasons:
        raise ValueError(
            f"The world model cannot imagine this task: {'; '.join(reasons)}. Known observations:"
            f" {', '.join(OBSERVATIONS)}. Take a task with these alone, or train with PPO (scripts/rsl_rl/train.py)."
        )
