"""Comparison of an exported gait policy with torch, on observations and walks of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.gait.network.known_parameters import KnownParameters
from whole_body_tracking.gait.network.reference import BEFORE, NOW, GaitReference

from ..graph import LAST_ACTION_TERM, REFERENCE_OUTPUTS, STATE_OUTPUT, PolicyNetwork
from ..loader import OnnxPolicy
from ..parity import PARITY_TOLERANCE, clamped, worst

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

    from whole_body_tracking.motion import MotionState


@torch.no_grad()
def check_gait_parity(
    policy: OnnxPolicy,
    actor: MLPModel,
    observations: Tensor,
    states: Tensor,
    walk: GaitReference,
    tolerance: float = PARITY_TOLERANCE,
) -> float:
    """Compare an exported gait policy with the torch policy and walk that it was made from.

    Args:
        policy: The exported file, loaded.
        actor: Torch policy.
        observations: As the environment gave them, shape [num_samples, num_observations].
        states: Memory of each env's walk, shape [num_samples, state_size].
        walk: The walk, on the CPU.
        tolerance: Largest accepted difference, relative to max(1, |value|).

    Returns:
        The largest difference found, relative to max(1, |value|).

    Raises:
        ValueError: If a difference is larger; the message names the output.
    """
    spec, obs, states = policy.spec, observations.detach().cpu().float(), states.detach().cpu().float()
    joints = [walk.robot.joint_names.index(name) for name in spec.joint_names]
    default, scale = (torch.tensor(v, dtype=torch.float32) for v in (spec.default_joint_pos, spec.action_scale))
    now, before = ((walk.joint_pos(states, frame)[:, joints] - default) / scale for frame in (NOW, BEFORE))
    fed, place = obs.clone(), spec.observation_slice(LAST_ACTION_TERM)
    is_first = (obs[:, place] == 0.0).all(-1, keepdim=True)
    fed[:, place] = torch.where(is_first, obs[:, place], obs[:, place] + before)
    gait = _gaits(policy, len(obs))
    next_state = walk.advance(states, KnownParameters(walk.model, spec.gait_inputs)(gait))
    expected = reference_outputs(walk.motion_state(next_state, spec.joint_names, spec.body_names))
    actions = (PolicyNetwork(actor, spec)(obs) + now).numpy()
    expected |= {
        "actions": clamped(policy, actions) if spec.clamp_targets else actions,
        STATE_OUTPUT: next_state.numpy(),
    }
    runs = [policy.run_gait(*row) for row in zip(fed.numpy(), gait.numpy(), states.numpy(), strict=True)]
    found = {name: np.concatenate([run[name] for run in runs]) for name in expected}
    return max(worst(policy, name, found[name], expected[name], tolerance) for name in expected)


def reference_outputs(state: MotionState) -> dict[str, np.ndarray]:
    """States by the names of a file's outputs; quaternions become (w, x, y, z)."""
    values = (state.joint_pos, state.joint_vel, state.body_pos_w, state.body_quat_w[..., [3, 0, 1, 2]])
    values += (state.body_lin_vel_w, state.body_ang_vel_w)
    return {name: value.cpu().numpy() for name, value in zip(REFERENCE_OUTPUTS, values, strict=True)}


def _gaits(policy: OnnxPolicy, num: int) -> Tensor:
    """Parameters spread over their ranges, and a little beyond, shape [num, num_inputs]."""
    low, high = torch.tensor(policy.spec.gait_low), torch.tensor(policy.spec.gait_high)
    shares = torch.linspace(-0.1, 1.1, num)[:, None] * torch.ones_like(low)
    return low + (high - low) * torch.stack([column.roll(7 * i) for i, column in enumerate(shares.unbind(-1))], dim=-1)
