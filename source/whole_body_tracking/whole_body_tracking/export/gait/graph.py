"""Graph of a gait policy: the network with the RefNN inside, so that a controller says how to walk and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from whole_body_tracking.gait.network.known_parameters import KnownParameters
from whole_body_tracking.gait.network.reference import AFTER, BEFORE, NOW, GaitReference

from ..graph import COMMAND_TERM, LAST_ACTION_TERM, ClampedGraph, PolicyNetwork, plain_slice
from ..spec import PolicySpec

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

PARAMS_TERM, PHASE_TERM = "gait_params", "gait_phase"


class GaitGraph(nn.Module):
    """Residual policy about a RefNN's walk, with default-relative actions.

    Inputs are ``obs``, ``gait``, the steered parameters, and ``state``, the walk's memory that the call before gave as
    ``next_state``. Outputs are the actions for the state that came in, then the reference of ``next_state``, from which
    the next observation is made, and ``next_state``. Three calls begin a walk:

    - ``state`` of zeros begins one: the reference is the pose to start in.
    - ``obs`` of zeros only asks for the reference, here the first to reach: the actions are zero.
    - From then on every call has the last one's ``next_state`` and an observation of its reference.

    The terms ``command``, ``gait_params`` and ``gait_phase`` of the observation are filled in from ``state``. With
    target = reference + s a in training, the emitted action is a' = (reference - default) / s + a, and the last action
    is mapped back with the frame before, which ``state`` holds. A last action of zeros is the first of a walk.
    """

    def __init__(self, network: PolicyNetwork, walk: GaitReference, spec: PolicySpec):
        super().__init__()
        self.network, self.walk = network, walk
        self.known = KnownParameters(walk.model, spec.gait_inputs)
        scale = torch.tensor(spec.action_scale, dtype=torch.float32)
        if (scale == 0.0).any():
            raise ValueError("A residual policy with an action scale of zero has no default-relative form.")
        self.register_buffer("default", torch.tensor(spec.default_joint_pos, dtype=torch.float32))
        self.register_buffer("scale", scale)
        self.joint_names, self.body_names = spec.joint_names, spec.body_names
        self.joints = [walk.robot.joint_names.index(name) for name in spec.joint_names]
        num = len(spec.joint_names)
        self.widths = [term.dim for term in spec.observations]
        self.names = [term.name for term in spec.observations]
        filled = {COMMAND_TERM: 2 * num, LAST_ACTION_TERM: num, PARAMS_TERM: walk.num_params, PHASE_TERM: 2}
        for name, dim in filled.items():
            plain_slice(spec, name, dim)

    def forward(self, obs: Tensor, gait: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        wanted = self.known(gait)
        is_new = (state == 0.0).all(-1, keepdim=True)
        begun = self.walk.start(wanted, torch.zeros_like(wanted[:, 0]))
        next_state = torch.where(is_new, begun, self.walk.advance(state, wanted))
        ref = self.walk.motion_state(next_state, self.joint_names, self.body_names)
        quat_wxyz = torch.cat((ref.body_quat_w[..., 3:], ref.body_quat_w[..., :3]), dim=-1)
        reference = (ref.joint_pos, ref.joint_vel, ref.body_pos_w, quat_wxyz, ref.body_lin_vel_w, ref.body_ang_vel_w)
        return (self.actions(obs, state), *reference, next_state)

    def actions(self, obs: Tensor, state: Tensor) -> Tensor:
        """Actions to emit, shape [1, num_joints]."""
        actions = self.network(self.trained_obs(obs, state)) + self.shift(state, NOW)
        return torch.where((obs != 0.0).any(-1, keepdim=True), actions, torch.zeros_like(actions))

    def trained_obs(self, obs: Tensor, state: Tensor) -> Tensor:
        """The observation as it was in training, shape [1, num_observations]."""
        terms = dict(zip(self.names, obs.split(self.widths, dim=-1), strict=True))
        given = terms[LAST_ACTION_TERM]
        is_first = (given == 0.0).all(-1, keepdim=True)
        terms[LAST_ACTION_TERM] = torch.where(is_first, given, given - self.shift(state, BEFORE))
        after, before = (self.walk.joint_pos(state, frame)[:, self.joints] for frame in (AFTER, BEFORE))
        velocity = (after - before) * (0.5 / self.walk.dt)
        terms[COMMAND_TERM] = torch.cat((self.walk.joint_pos(state)[:, self.joints], velocity), dim=-1)
        terms[PARAMS_TERM], terms[PHASE_TERM] = self.walk.scaled_params(state), self.walk.phase_vector(state)
        return torch.cat([terms[name] for name in self.names], dim=-1)

    def shift(self, state: Tensor, frame: int) -> Tensor:
        """Default-relative action whose target is a frame of the window, shape [1, num_joints]."""
        return (self.walk.joint_pos(state, frame)[:, self.joints] - self.default) / self.scale


def build_gait_graph(actor: MLPModel, spec: PolicySpec, walk: GaitReference) -> nn.Module:
    """Build the module to export, on the CPU.

    Args:
        actor: Trained policy; copied.
        spec: Of the policy, with ``gait_inputs``.
        walk: The walk that it follows, on the CPU.

    Raises:
        ValueError: If the actor cannot be exported, or does not fit the spec.
    """
    graph = GaitGraph(PolicyNetwork(actor, spec), walk, spec)
    return ClampedGraph(graph, spec) if spec.clamp_targets else graph
