"""Comparison of an exported policy with the torch policy on recorded observations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .graph import (
    JOINT_TARGET_OUTPUT,
    LAST_ACTION_TERM,
    REFERENCE_OUTPUTS,
    PolicyNetwork,
    center_table,
    reference_tables,
)
from .loader import OnnxPolicy

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

    from whole_body_tracking.motion import MotionLibrary

PARITY_TOLERANCE = 1e-4
"""Largest accepted difference, relative to max(1, |value|). Single precision alone gives some 1e-6, and about ten times
that for a residual policy, whose last action is recovered as a difference of numbers around 10 and then amplified by
the normaliser; a wrong term, joint or frame gives 1e-2 and more."""


def check_parity(
    policy: OnnxPolicy,
    actor: MLPModel,
    observations: Tensor,
    library: MotionLibrary | None = None,
    frames: Tensor | None = None,
    tolerance: float = PARITY_TOLERANCE,
) -> float:
    """Compare an exported policy with the torch policy that it was made from.

    Args:
        policy: The exported file, loaded.
        actor: Torch policy.
        observations: As the environment gave them, shape [num_samples, num_observations].
        library: The clip; needed if the file holds one.
        frames: Frame that each observation's command shows, shape [num_samples]; needed if the file holds a clip.
        tolerance: Largest accepted difference, relative to max(1, |value|).

    Returns:
        The largest difference found, relative to max(1, |value|).

    Raises:
        ValueError: If a difference is larger; the message names output, joint or body, and sample.
    """
    frames = torch.zeros(len(observations)) if frames is None else frames
    times = frames.cpu().numpy().astype(int)
    obs = observations.detach().cpu().float()
    expected, fed = _expected(policy, actor, obs, library, times)
    runs = [policy.run(row, time) for row, time in zip(fed, times, strict=True)]
    found = {name: np.concatenate([run[name] for run in runs]) for name in expected}
    return max(worst(policy, name, found[name], expected[name], tolerance) for name in expected)


def _expected(
    policy: OnnxPolicy, actor: MLPModel, obs: Tensor, library: MotionLibrary | None, times: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Outputs of torch by name, and the observations to feed to the file."""
    with torch.no_grad():
        actions = PolicyNetwork(actor, policy.spec)(obs).numpy()
    expected, fed = {"actions": actions}, obs.numpy()
    if policy.spec.reference_in_graph:
        tables = dict(zip(REFERENCE_OUTPUTS, (t.numpy() for t in reference_tables(library, policy.spec)), strict=True))
        last_frame = len(tables["joint_pos"]) - 1
        expected |= {name: table[times.clip(0, last_frame)] for name, table in tables.items()}
        if policy.spec.action_kind == "residual":
            center = center_table(library, policy.spec).numpy()
            expected |= (
                {JOINT_TARGET_OUTPUT: center[times.clip(0, last_frame)]} if policy.spec.holds_joint_targets else {}
            )
            shift = _shift(policy, center)
            expected["actions"] = actions + shift[times.clip(0, last_frame)]
            fed = _with_emitted_last_action(policy, fed, shift[(times - 1).clip(0, last_frame)])
    if policy.spec.clamp_targets:
        expected["actions"] = clamped(policy, expected["actions"])
    return expected, fed


def _shift(policy: OnnxPolicy, center: np.ndarray) -> np.ndarray:
    """Default-relative action whose joint target is the center of residual ones, shape [num_frames, num_joints]."""
    default, scale = np.array(policy.spec.default_joint_pos), np.array(policy.spec.action_scale)
    return ((center - default) / scale).astype(np.float32)


def _with_emitted_last_action(policy: OnnxPolicy, obs: np.ndarray, last_shift: np.ndarray) -> np.ndarray:
    """Observations with the last action that the file emitted, as a controller has it; zeros stay zeros."""
    place = policy.spec.observation_slice(LAST_ACTION_TERM)
    fed, last_action = obs.copy(), obs[:, place]
    fed[:, place] = np.where((last_action == 0.0).all(-1, keepdims=True), last_action, last_action + last_shift)
    return fed


def clamped(policy: OnnxPolicy, actions: np.ndarray) -> np.ndarray:
    """Actions whose joint targets were clipped to the soft limits, shape [num_samples, num_joints]."""
    spec = policy.spec
    default, scale = np.array(spec.default_joint_pos), np.array(spec.action_scale)
    targets = np.clip(default + scale * actions, spec.soft_joint_pos_lower, spec.soft_joint_pos_upper)
    return ((targets - default) / scale).astype(np.float32)


def worst(policy: OnnxPolicy, output: str, found: np.ndarray, expected: np.ndarray, tolerance: float) -> float:
    """Largest difference of an output, relative to max(1, |value|).

    Raises:
        ValueError: If it exceeds the tolerance.
    """
    error = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    place = np.unravel_index(np.nan_to_num(error, nan=np.inf).argmax(), error.shape)
    if not error[place] <= tolerance:
        names = policy.spec.body_names if output.startswith("body") else policy.spec.joint_names
        names = [f"value {index}" for index in range(found.shape[1])] if output == "next_state" else names
        raise ValueError(
            f"The exported policy differs from torch: {output} of {names[place[1]]} in sample {place[0]} is"
            f" {found[place]:.7g}, expected {expected[place]:.7g} (relative difference {error[place]:.2g}, tolerance"
            f" {tolerance:g}). The export is wrong; do not deploy it."
        )
    return float(error[place])
