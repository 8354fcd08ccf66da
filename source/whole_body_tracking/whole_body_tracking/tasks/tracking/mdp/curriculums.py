"""Tracking kernels that tighten while training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


def std_scale(step: int, num_steps: int, start: float, end: float) -> float:
    """Factor on the standard deviations of the kernels: start^(1 - p) * end^p with p = min(step / num_steps, 1).

    It falls by the same share in equal times. The idea, wide kernels while errors are large and narrow ones later, is
    KungfuBot's (arXiv 2506.12851), which follows the measured error; this follows the step, so that every seed and
    every resumed run has the same schedule.

    Args:
        step: Environment steps since the run began, those of earlier sessions included.
        num_steps: Steps after which the factor stays at ``end``.
        start: Factor at step 0, positive.
        end: Last factor, positive.

    Raises:
        ValueError: If a number is not positive.
    """
    if num_steps <= 0 or start <= 0.0 or end <= 0.0:
        raise ValueError(
            f"A schedule of kernels needs positive numbers, found num_steps {num_steps}, start {start}, end {end}."
        )
    progress = min(step / num_steps, 1.0)
    return start ** (1.0 - progress) * end**progress


def tighten_tracking_std(
    env: ManagerBasedRLEnv,
    env_ids: Sequence[int] | slice,
    term_names: list[str],
    num_steps: int,
    start: float,
    end: float,
) -> float:
    """Curriculum: set ``std_scale`` of reward terms by :func:`std_scale` and return it for the log.

    Args:
        env: The environment; its step counter is restored when a run is resumed.
        env_ids: Envs that are reset; the factor is the same for all.
        term_names: Reward terms with a ``std``.
        num_steps: Steps after which the factor stays at ``end``.
        start: Factor at step 0.
        end: Last factor.
    """
    scale = std_scale(env.common_step_counter, num_steps, start, end)
    for name in term_names:
        env.reward_manager.get_term_cfg(name).params["std_scale"] = scale
    return scale
