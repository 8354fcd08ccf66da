"""Torch modules that are exported: the network, the clip as tables, and the mapping of residual actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .spec import PolicySpec

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

    from whole_body_tracking.motion import MotionLibrary

COMMAND_TERM = "command"
LAST_ACTION_TERM = "actions"
REFERENCE_OUTPUTS = ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")


JOINT_TARGET_OUTPUT = "joint_target"
"""Last output of a residual policy about its clip's joint targets."""

STATE_OUTPUT = "next_state"
"""Last output of a policy that follows a RefNN."""


def input_names(spec: PolicySpec) -> list[str]:
    """Names of a file's inputs, in order."""
    if spec.holds_refnn:
        return ["obs", "gait", "state"]
    return ["obs", "time_step"] if spec.reference_in_graph else ["obs"]


def output_names(spec: PolicySpec) -> list[str]:
    """Names of a file's outputs, in order."""
    if spec.holds_refnn:
        return ["actions", *REFERENCE_OUTPUTS, STATE_OUTPUT]
    reference = REFERENCE_OUTPUTS if spec.reference_in_graph else ()
    return ["actions", *reference, *([JOINT_TARGET_OUTPUT] if spec.holds_joint_targets else [])]


def build_graph(actor: MLPModel, spec: PolicySpec, library: MotionLibrary | None) -> nn.Module:
    """Build the module to export, on the CPU.

    Args:
        actor: Trained policy; copied.
        spec: Of the policy; decides what the graph holds.
        library: One clip, or None for a spec without ``reference_in_graph``.

    Raises:
        ValueError: If the actor cannot be exported, or does not fit the spec or the library.
    """
    graph = _unclamped_graph(PolicyNetwork(actor, spec), spec, library)
    return ClampedGraph(graph, spec) if spec.clamp_targets else graph


def _unclamped_graph(network: PolicyNetwork, spec: PolicySpec, library: MotionLibrary | None) -> nn.Module:
    if not spec.reference_in_graph:
        return network
    if library is None or library.num_clips != 1:
        raise ValueError("A graph with a reference holds exactly one clip. Set `reference_in_graph` to false.")
    tables = reference_tables(library, spec)
    if spec.action_kind == "residual":
        return ResidualTrackingGraph(network, tables, spec, center_table(library, spec))
    return TrackingGraph(network, tables)


def reference_tables(library: MotionLibrary, spec: PolicySpec) -> list[Tensor]:
    """Tables of the library's only clip on the CPU, one per name in ``REFERENCE_OUTPUTS``, shape [num_frames, ...].

    Joints and bodies are those of the spec, by name; quaternions are (w, x, y, z).
    """
    frames = torch.arange(int(library.num_frames[0]), device=library.num_frames.device)
    state = library.state_at(torch.zeros_like(frames), frames)
    joints = [library.joint_names.index(name) for name in spec.joint_names]
    bodies = [library.body_names.index(name) for name in spec.body_names]
    fields = [state.joint_pos[:, joints], state.joint_vel[:, joints]]
    fields += [state.body_pos_w[:, bodies], state.body_quat_w[:, bodies][..., [3, 0, 1, 2]]]
    fields += [state.body_lin_vel_w[:, bodies], state.body_ang_vel_w[:, bodies]]
    return [field.detach().cpu().float().contiguous() for field in fields]


def center_table(library: MotionLibrary, spec: PolicySpec) -> Tensor:
    """Joint targets [rad] of zero residual actions for the library's only clip, shape [num_frames, num_joints]."""
    if spec.action_center == "reference":
        return reference_tables(library, spec)[0]
    frames = torch.arange(int(library.num_frames[0]), device=library.num_frames.device)
    joints = [library.joint_names.index(name) for name in spec.joint_names]
    targets = library.channel_at(spec.action_center, torch.zeros_like(frames), frames)
    return targets[:, joints].detach().cpu().float().contiguous()


class PolicyNetwork(nn.Module):
    """Network that maps observations, shape [1, num_observations], to actions as they were in training."""

    def __init__(self, actor: MLPModel, spec: PolicySpec):
        super().__init__()
        if actor.is_recurrent:
            raise ValueError(f"{type(actor).__name__} is recurrent; only policies without memory can be exported.")
        if actor.obs_dim != spec.num_observations:
            raise ValueError(
                f"The network takes {actor.obs_dim} observations, but the task gives {spec.describe_observations()}."
            )
        self.network = actor.as_onnx(verbose=False).cpu().eval().requires_grad_(False)
        self.action_clip = spec.action_clip

    def forward(self, obs: Tensor) -> Tensor:
        actions = self.network(obs)
        return actions if self.action_clip is None else actions.clamp(-self.action_clip, self.action_clip)


class TrackingGraph(nn.Module):
    """Network with the clip inside: outputs actions and the reference at ``time_step``, clamped into the clip."""

    def __init__(self, network: nn.Module, tables: list[Tensor]):
        super().__init__()
        self.network = network
        self.last_frame = len(tables[0]) - 1
        for name, table in zip(REFERENCE_OUTPUTS, tables, strict=True):
            self.register_buffer(name, table)

    def forward(self, obs: Tensor, time_step: Tensor) -> tuple[Tensor, ...]:
        frame = time_step[:, 0].long()
        return (self.actions(obs, frame), *(self.row(getattr(self, name), frame) for name in REFERENCE_OUTPUTS))

    def actions(self, obs: Tensor, frame: Tensor) -> Tensor:
        """Actions to emit, shape [1, num_joints]."""
        return self.network(obs)

    def row(self, table: Tensor, frame: Tensor) -> Tensor:
        """Row of a table at a frame, clamped into the clip, shape [1, ...]."""
        return table.index_select(0, frame.clamp(0, self.last_frame))


class ResidualTrackingGraph(TrackingGraph):
    """Residual policy whose outputs are default-relative actions, for controllers that know only those.

    With target = center_t + s a_t in training, the emitted action is a'_t = (center_t - default) / s + a_t, and the
    last action that the controller feeds back is mapped to what the network saw: a_{t-1} = a'_{t-1} - (center_{t-1} -
    default) / s. The center is the reference, or its joint targets, which are a further output then. Three conventions
    make this hold in any controller:

    - Frame t is the one whose joint positions and velocities are in the observed command: ``time_step`` itself, as in
      training, or the frame before it, as in a controller that builds observations from the previous call's outputs.
    - A last action of exactly zeros is the first step of an episode, in training and here: the network sees the zeros.
    - An observation of exactly zeros only asks for the reference (a controller's call on reset): the action is zero,
      so that the next call is the first step.

    ``time_step`` has to keep counting after the clip's end, so that the frame before it is known. There the two clocks
    look alike and the second is taken: under the first, a clip held after ending in motion sees one last action that
    is off by one frame's motion. They look alike, too, where the clip stands still. There the reference is the same
    under both; joint targets may move by a little, and the first clock is taken.
    """

    def __init__(self, network: nn.Module, tables: list[Tensor], spec: PolicySpec, center: Tensor):
        super().__init__(network, tables)
        default, scale = torch.tensor(spec.default_joint_pos), torch.tensor(spec.action_scale)
        if (scale == 0.0).any():
            raise ValueError("A residual policy with an action scale of zero has no default-relative form.")
        self.register_buffer("command", torch.cat((tables[0], tables[1]), dim=-1))
        self.register_buffer("shift", (center - default) / scale)
        self.register_buffer("center", center)
        self.shows_center = spec.holds_joint_targets
        self.command_slice = plain_slice(spec, COMMAND_TERM, 2 * len(spec.joint_names))
        self.last_action_slice = plain_slice(spec, LAST_ACTION_TERM, len(spec.joint_names))

    def actions(self, obs: Tensor, frame: Tensor) -> Tensor:
        observed = frame - self.lag(obs, frame)
        trained_obs = self.map_last_action(obs, self.row(self.shift, observed - 1))
        actions = self.network(trained_obs) + self.row(self.shift, observed)
        return torch.where((obs != 0.0).any(-1, keepdim=True), actions, torch.zeros_like(actions))

    def forward(self, obs: Tensor, time_step: Tensor) -> tuple[Tensor, ...]:
        outputs = super().forward(obs, time_step)
        return (*outputs, self.row(self.center, time_step[:, 0].long())) if self.shows_center else outputs

    def lag(self, obs: Tensor, frame: Tensor) -> Tensor:
        """Number of frames by which the observed command lags behind ``time_step``: 0 or 1, shape [1]."""
        command = obs[:, self.command_slice]
        now, before = ((command - self.row(self.command, at)).square().sum(-1) for at in (frame, frame - 1))
        behind = (before <= now).long()
        if not self.shows_center:
            return behind
        return torch.where(frame > self.last_frame, behind, (before < now).long())

    def map_last_action(self, obs: Tensor, last_shift: Tensor) -> Tensor:
        """Observations with the last action converted to what the network saw in training."""
        start, stop = self.last_action_slice.start, self.last_action_slice.stop
        given = obs[:, start:stop]
        first_step = (given == 0.0).all(-1, keepdim=True)
        last_action = torch.where(first_step, given, given - last_shift)
        return torch.cat((obs[:, :start], last_action, obs[:, stop:]), dim=-1)


class ClampedGraph(nn.Module):
    """Graph whose actions are clamped so that the joint targets stay within the soft limits.

    A controller that feeds back what was emitted shows the policy the clamped action as its last one; in training it
    saw the action before any limit.
    """

    def __init__(self, graph: nn.Module, spec: PolicySpec):
        super().__init__()
        self.graph = graph
        low, high = action_bounds(spec)
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        outputs = self.graph(*inputs)
        if isinstance(outputs, Tensor):
            return self.limited(outputs)
        return (self.limited(outputs[0]), *outputs[1:])

    def limited(self, actions: Tensor) -> Tensor:
        """Actions within their bounds, shape [1, num_joints]."""
        return torch.minimum(torch.maximum(actions, self.low), self.high)


def action_bounds(spec: PolicySpec) -> tuple[Tensor, Tensor]:
    """Smallest and largest default-relative action whose target is within the soft limits, shape [num_joints] each.

    Raises:
        ValueError: If an action scale is zero: the joint's target is then always the default.
    """
    default = torch.tensor(spec.default_joint_pos, dtype=torch.float64)
    scale = torch.tensor(spec.action_scale, dtype=torch.float64)
    fixed = [name for name, value in zip(spec.joint_names, spec.action_scale, strict=True) if value == 0.0]
    if fixed:
        raise ValueError(f"Targets of {fixed} cannot be clamped: their action scale is zero. Export without clamping.")
    limits = (spec.soft_joint_pos_lower, spec.soft_joint_pos_upper)
    ends = torch.stack([(torch.tensor(limit, dtype=torch.float64) - default) / scale for limit in limits])
    return ends.amin(0).float(), ends.amax(0).float()


def plain_slice(spec: PolicySpec, name: str, dim: int) -> slice:
    """Slice of a term that a graph reads or fills in; it must have ``dim`` values, no history and no scale."""
    place = spec.observation_slice(name)
    term = next(term for term in spec.observations if term.name == name)
    plain = term.dim == dim and term.history_length == 1 and term.clip is None
    if not plain or any(value != 1.0 for value in term.scale or ()):
        raise ValueError(
            f"To export a residual policy with its reference, '{name}' has to be {dim} values without history, scale or"
            f" clip, found {term!r}."
        )
    return place
