"""How fast the standing feet of a prediction slide, as something to differentiate: a term of RefNN's loss."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.ground import foot_points
from whole_body_tracking.motion.geometry.kinematics import kinematic_chain
from whole_body_tracking.motion.geometry.level_kinematics import level_kinematics
from whole_body_tracking.robots import RobotModel

from ..planning.parameters import PARAMETERS
from .layout import NUM_ROOT
from .planting import toe_points
from .reference import quat_of_axes

CADENCE, DOUBLE_SUPPORT = (list(PARAMETERS).index(name) for name in ("cadence", "double_support"))
STEP = 0.02
"""Time between the two frames that are compared [s]: a step of control."""


class StandingFeet:
    """Velocities of standing toes between two frames of a prediction.

    With r the toes relative to the root in the heading frame, v the root's velocity in it and w the turn rate, toes
    that stand move in a time h by

        d = h (v + R(hw) v') / 2 + R(hw) r' - r

    where a dash marks the frame h later and R turns about the vertical; root velocities are integrated as
    :func:`.layout.decode` does. Heights count as well: r_z contains the root's.
    """

    def __init__(self, robot: RobotModel):
        self._chain = kinematic_chain(robot, robot.foot_body_names)
        self._joints = [NUM_ROOT + robot.joint_names.index(name) for name in self._chain.joint_names]
        self._toe = torch.from_numpy(toe_points(robot))

    @staticmethod
    def later(params: Tensor, phase: Tensor) -> Tensor:
        """Phase of the second frame, shape [batch]."""
        return (phase + STEP / 120.0 * params[:, CADENCE]) % 1.0

    def velocities(self, first: Tensor, second: Tensor) -> Tensor:
        """Velocity of every toe point if it stands [m/s], shape [batch, num_feet, num_points, 3].

        Args:
            first: Outputs of a network in their units, shape [batch, num_outputs].
            second: Outputs at the phase of :meth:`later`.
        """
        toes, toes_later = self._toes(torch.cat((first, second))).split(len(first))
        turn = 0.5 * STEP * (first[:, NUM_ROOT - 1] + second[:, NUM_ROOT - 1])
        way = 0.5 * STEP * (first[:, 7:9] + _turned(second[:, 7:9], turn))
        turned = _turned(toes_later[..., :2], turn[:, None, None])
        moved = torch.cat((turned + way[:, None, None], toes_later[..., 2:]), dim=-1)
        return (moved - toes) / STEP

    def mean_square(self, params: Tensor, phase: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Mean squared velocity of the toes that stand in both frames [m^2/s^2]."""
        stands = standing(phase, params[:, DOUBLE_SUPPORT]) & standing(
            self.later(params, phase), params[:, DOUBLE_SUPPORT]
        )
        squared = self.velocities(first, second).square().sum(-1).mean(-1)
        return (squared * stands).sum() / stands.sum().clamp(min=1)

    def _toes(self, outputs: Tensor) -> Tensor:
        """Toe points of both feet in the heading frame below the root [m], shape [batch, 2, num_points, 3]."""
        quat = quat_of_axes(outputs[:, 1:4], outputs[:, 4:7])
        root = torch.cat((torch.zeros_like(outputs[:, :2]), outputs[:, :1]), dim=-1)
        poses = level_kinematics(self._chain, root, quat, outputs[:, self._joints])
        return foot_points(self._chain, *poses)[:, :, self._toe]


def standing(phase: Tensor, double_support: Tensor) -> Tensor:
    """Whether the left and the right foot's toes stand, shape [batch, 2].

    Both do for half of ``double_support`` from each touchdown, at the phases 0 (left) and 0.5 (right).
    """
    both = 0.5 * double_support
    return torch.stack((phase < 0.5 + both, (phase >= 0.5) | (phase < both)), dim=-1)


def _turned(vector: Tensor, angle: Tensor) -> Tensor:
    """Horizontal vectors, shape [..., 2], turned about the vertical by angles [rad], shape [...]."""
    cos, sin = angle.cos(), angle.sin()
    x, y = vector.unbind(-1)
    return torch.stack((cos * x - sin * y, sin * x + cos * y), dim=-1)
