"""Delays of a task: of actions on their way to the drives, and of what the policy observes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg

from whole_body_tracking.physics.mujoco_cpu_cfg import MujocoCpuSolverCfg

if TYPE_CHECKING:
    from .tracking_env_cfg import TrackingEnvCfg

NO_DELAY = (0.0, 0.0)


def set_action_delay(cfg: TrackingEnvCfg, delay_range: tuple[float, float]) -> None:
    """Delay the actions of a task whose presets are resolved, and let its engine step as finely as that needs.

    Args:
        cfg: The task; changed in place.
        delay_range: Smallest and largest delay [control steps].
    """
    had_delay, cfg.actions.joint_pos.delay_range = has_action_delay(cfg), delay_range
    has_delay = has_action_delay(cfg)
    if _is_native(cfg) and has_delay != had_delay:
        cfg.sim.physics.solver_cfg.fold_decimation = not has_delay
        cfg.scene.contact_forces.history_length = 3 if has_delay else 1


def remove_observation_delays(group: ObservationGroupCfg) -> None:
    """Let a group observe the present."""
    for term in vars(group).values():
        if isinstance(term, ObservationTermCfg):
            term.delay_min_lag = term.delay_max_lag = 0


def has_action_delay(cfg: TrackingEnvCfg) -> bool:
    """Whether actions reach the drives late; not known, and said to be False, while presets are not resolved."""
    delay_range = getattr(cfg.actions.joint_pos, "delay_range", NO_DELAY)
    return isinstance(delay_range, (tuple, list)) and tuple(delay_range) != NO_DELAY


def check_delays(cfg: TrackingEnvCfg) -> None:
    """Check the range of delays, and that the engine applies targets at every physics step.

    Raises:
        ValueError: If they do not fit; the message says what to change.
    """
    if not has_action_delay(cfg):
        return
    delay_range = cfg.actions.joint_pos.delay_range
    if len(delay_range) != 2 or not 0.0 <= delay_range[0] <= delay_range[1]:
        raise ValueError(
            f"`actions.joint_pos.delay_range` is {delay_range}, expected a smallest and a largest delay in control"
            " steps, such as [0.0, 2.0]."
        )
    if _is_native(cfg) and cfg.sim.physics.solver_cfg.fold_decimation:
        raise ValueError(
            f"`actions.joint_pos.delay_range` is {delay_range}, and physics=mujoco_cpu runs whole control steps with"
            " constant targets. Take presets=rand_delay, or set env.sim.physics.solver_cfg.fold_decimation=false and"
            " env.scene.contact_forces.history_length=3."
        )


def _is_native(cfg: TrackingEnvCfg) -> bool:
    return isinstance(getattr(cfg.sim.physics, "solver_cfg", None), MujocoCpuSolverCfg)
