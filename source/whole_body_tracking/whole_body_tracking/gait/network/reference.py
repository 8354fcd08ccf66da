"""The motion of a RefNN step of control by step, for many robots at once: what the gait task tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from whole_body_tracking.motion import MotionState
from whole_body_tracking.motion.geometry.kinematics import kinematic_chain
from whole_body_tracking.motion.geometry.level_kinematics import level_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_log, quat_mul
from whole_body_tracking.robots import RobotModel

from ..planning.parameters import PARAMETERS
from .known_parameters import CADENCE
from .layout import NUM_ROOT
from .refnn import RefNN

BLEND_TIME = 0.5
"""Time constant with which parameters follow what is wanted [s]."""
BEFORE, NOW, AFTER = range(3)
"""Frames of the window: the one before the frame that is tracked, that one, and the one after it."""


class GaitReference(nn.Module):
    """Advances a walk by one control step, and gives the state of the frame that is tracked.

    A walk's memory is one row of numbers, so that an exported policy can take it and give it back: the parameters, the
    heading, and a window of three frames, each of phase, root position, root orientation and joint positions.
    Velocities are central differences over the window, as those of clips are. With the step h and wanted parameters p*,

        p += (1 - exp(-h / blend_time)) (p* - p),      phase += h cadence / 120,
        heading += h turn_rate,      place += h R(heading) (forward, lateral velocity).

    The reference begins at the origin with heading 0; ``start`` takes another place.
    """

    def __init__(self, model: RefNN, robot: RobotModel, dt: float, blend_time: float = BLEND_TIME):
        super().__init__()
        self.model, self.robot, self.dt = model, robot, dt
        self._chains: dict[tuple[str, ...], RobotModel] = {}
        self.share = 1.0 - math.exp(-dt / blend_time)
        limits = torch.as_tensor(robot.joint_pos_limits, dtype=torch.float32)
        self.register_buffer("lower", limits[:, 0].clone())
        self.register_buffer("upper", limits[:, 1].clone())
        self.num_params, self.frame_size = len(PARAMETERS), 8 + robot.num_joints
        self.state_size = self.num_params + 1 + 3 * self.frame_size

    def start(self, params: Tensor, phase: Tensor) -> Tensor:
        """Walks at a phase, at the origin with heading 0, shape [num, state_size].

        Args:
            params: Gait parameters, shape [num, num_params].
            phase: In [0, 1), shape [num].
        """
        zeros, step = torch.zeros_like(phase), self._phase_step(params)
        outputs = [self._outputs(params, (phase + shift * step) % 1.0) for shift in (-1.0, 0.0, 1.0)]
        place = torch.stack((zeros, zeros), dim=-1)
        before = self._frame(
            outputs[0],
            (phase - step) % 1.0,
            -self.dt * outputs[1][:, NUM_ROOT - 1],
            place - self.dt * outputs[1][:, 7:9],
        )
        now = self._frame(outputs[1], phase, zeros, place)
        return torch.cat((params, *self._after(outputs[2], (phase + step) % 1.0, zeros, place, [before, now])), dim=-1)

    def advance(self, state: Tensor, wanted: Tensor) -> Tensor:
        """Walks one control step later.

        Args:
            state: Shape [num, state_size].
            wanted: Parameters to go over to, shape [num, num_params].
        """
        params, heading, *frames = state.split([self.num_params, 1, *[self.frame_size] * 3], dim=-1)
        params = params + self.share * (wanted - params)
        phase = (frames[AFTER][:, 0] + self._phase_step(params)) % 1.0
        outputs = self._outputs(params, phase)
        return torch.cat(
            (params, *self._after(outputs, phase, heading[:, 0], frames[AFTER][:, 1:3], frames[NOW:])), dim=-1
        )

    def params(self, state: Tensor) -> Tensor:
        """Parameters of the frame after the tracked one, shape [num, num_params]."""
        return state[:, : self.num_params]

    def scaled_params(self, state: Tensor) -> Tensor:
        """The same, -1 to 1 over the network's ranges: what a policy sees, shape [num, num_params]."""
        return self.model.scaled(self.params(state))

    def phase_vector(self, state: Tensor) -> Tensor:
        """Sine and cosine of 2 pi times the phase of the tracked frame, shape [num, 2]."""
        angle = 2.0 * torch.pi * self.phase(state)
        return torch.stack((angle.sin(), angle.cos()), dim=-1)

    def window(self, state: Tensor) -> Tensor:
        """Phase, root position, root orientation and joints of the three frames, shape [num, 3, 8 + num_joints]."""
        return state[:, self.num_params + 1 :].unflatten(-1, (3, self.frame_size))

    def phase(self, state: Tensor) -> Tensor:
        """Phase of the tracked frame, shape [num]."""
        return self.window(state)[:, NOW, 0]

    def joint_pos(self, state: Tensor, frame: int = NOW) -> Tensor:
        """Joint positions of a frame of the window [rad], shape [num, num_joints]."""
        return self.window(state)[:, frame, 8:]

    def motion_state(self, state: Tensor, joint_names: Sequence[str], body_names: Sequence[str]) -> MotionState:
        """State of the tracked frame, with joints and bodies in this order.

        In torch alone, for exported policies; the gait task has the same from one kernel.
        """
        names = tuple(body_names)
        if names not in self._chains:
            self._chains[names] = kinematic_chain(self.robot, names)
        chain = self._chains[names]
        in_chain = [self.robot.joint_names.index(name) for name in chain.joint_names]
        joints = [self.robot.joint_names.index(name) for name in joint_names]
        bodies = [chain.body_names.index(name) for name in body_names]
        window, rate = self.window(state), 0.5 / self.dt
        rows = window.transpose(0, 1).flatten(0, 1)  # all frames in one pass: an exported graph is a third as long
        pose = level_kinematics(chain, rows[:, 1:4], rows[:, 4:8], rows[:, 8:][:, in_chain])
        pos, quat = (values[:, bodies].unflatten(0, (3, -1)) for values in pose)
        turn = quat_log(quat_mul(quat[AFTER], quat_conjugate(quat[BEFORE])))
        joint_pos = window[:, :, 8:][:, :, joints]
        return MotionState(
            joint_pos[:, NOW],
            (joint_pos[:, AFTER] - joint_pos[:, BEFORE]) * rate,
            pos[NOW],
            quat[NOW],
            (pos[AFTER] - pos[BEFORE]) * rate,
            turn * rate,
        )

    def _phase_step(self, params: Tensor) -> Tensor:
        return self.dt / 120.0 * params[:, CADENCE]

    def _outputs(self, params: Tensor, phase: Tensor) -> Tensor:
        outputs = self.model(params, phase)
        joints = torch.minimum(torch.maximum(outputs[:, NUM_ROOT:], self.lower), self.upper)
        return torch.cat((outputs[:, :NUM_ROOT], joints), dim=-1)

    def _after(
        self, outputs: Tensor, phase: Tensor, heading: Tensor, place: Tensor, kept: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Heading and window after one more frame; ``kept`` are the two before it."""
        heading = heading + self.dt * outputs[:, NUM_ROOT - 1]
        cos, sin = heading.cos(), heading.sin()
        forward, lateral = outputs[:, 7], outputs[:, 8]
        moved = torch.stack((forward * cos - lateral * sin, forward * sin + lateral * cos), dim=-1)
        return heading[:, None], *kept, self._frame(outputs, phase, heading, place + self.dt * moved)

    def _frame(self, outputs: Tensor, phase: Tensor, heading: Tensor, place: Tensor) -> Tensor:
        """One frame of the window: phase, root position and orientation, joints, shape [num, frame_size]."""
        half = 0.5 * heading
        zeros = torch.zeros_like(half)
        turn = torch.stack((zeros, zeros, half.sin(), half.cos()), dim=-1)
        quat = quat_mul(turn, quat_of_axes(outputs[:, 1:4], outputs[:, 4:7]))
        return torch.cat((phase[:, None], place, outputs[:, :1], quat, outputs[:, NUM_ROOT:]), dim=-1)


def quat_of_axes(x: Tensor, y: Tensor) -> Tensor:
    """Orientation (x, y, z, w) of which the first axis is along x and the second in the plane of both, shape [num, 4].

    For a rotation matrix R with a positive 1 + trace(R) = 4 w^2, as every root that leans by less than a right angle
    from its heading has it: w = sqrt(1 + trace) / 2, and the vector part is that of R - R^T over 4 w.
    """
    x = x / x.norm(dim=-1, keepdim=True)
    y = y - (x * y).sum(-1, keepdim=True) * x
    y = y / y.norm(dim=-1, keepdim=True)
    z = torch.stack(
        (
            x[:, 1] * y[:, 2] - x[:, 2] * y[:, 1],
            x[:, 2] * y[:, 0] - x[:, 0] * y[:, 2],
            x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0],
        ),
        dim=-1,
    )
    w = 0.5 * (1.0 + x[:, 0] + y[:, 1] + z[:, 2]).clamp(min=1e-6).sqrt()
    vector = torch.stack((y[:, 2] - z[:, 1], z[:, 0] - x[:, 2], x[:, 1] - y[:, 0]), dim=-1) / (4.0 * w[:, None])
    quat = torch.cat((vector, w[:, None]), dim=-1)
    return quat / quat.norm(dim=-1, keepdim=True)
