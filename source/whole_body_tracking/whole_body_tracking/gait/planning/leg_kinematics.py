"""Legs that put both feet exactly where they should be while the centre of mass is where it should be.

Fourteen unknowns, the root's place on the ground and twelve leg joints, against fourteen equations: position and
orientation of both feet and the centre of mass' projection. Newton's method for all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import NUM_ROOT, BodyPoses, Chain, Poses, log_matrix
from whole_body_tracking.robots import RobotModel

LARGEST_STEP = 0.3
"""Of one iteration [m, rad]."""
EXACT = 1e-7
"""Residual at which a frame is solved [m, rad]."""
AT_ONCE = 2048
"""Frames whose Jacobians are in memory at a time."""
DAMPING = 1e-9
"""Added to the diagonal of the normal equations: a straight knee leaves them singular."""


@dataclass(frozen=True)
class LegTargets:
    """What the legs must reach. Tensors are float64."""

    foot_pos: Tensor
    """Foot frames [m], shape [num_frames, 2, 3], left first."""
    foot_rot: Tensor
    """Their orientations, shape [num_frames, 2, 3, 3]."""
    com_xy: Tensor
    """Centre of mass' projection [m], shape [num_frames, 2]."""


class LegSolver:
    """Solves the legs of a robot with two legs of six joints.

    Raises:
        ValueError: If the robot does not have such legs.
    """

    def __init__(self, robot: RobotModel):
        self.robot, self.chain = robot, Chain(robot)
        legs = [leg_bodies(robot, name) for name in robot.foot_body_names]
        if [len(leg) for leg in legs] != [6, 6]:
            raise ValueError(
                f"A gait is planned for two legs of 6 joints; {robot.name} has legs of {[len(leg) for leg in legs]}."
            )
        self.leg_joints = torch.tensor([body - 1 for leg in legs for body in leg])
        self._legs = torch.tensor([body for leg in legs for body in leg])
        self._feet = self.chain.body_indices(robot.foot_body_names)
        bodies = [robot.facts["bodies"][name] for name in robot.body_names]
        mass = torch.tensor([body["mass"] for body in bodies]).double()
        self._share = mass / mass.sum()
        self._com_b = torch.tensor([body["com"] for body in bodies]).double()
        self._columns = torch.cat((torch.arange(2), NUM_ROOT + self.leg_joints))

    def solve(self, poses: Poses, targets: LegTargets, num_iterations: int) -> tuple[Poses, Tensor]:
        """Move the root on the ground and the legs until feet and centre of mass are where they should be.

        Args:
            poses: Where to start; everything but the unknowns stays.
            targets: What to reach.
            num_iterations: Newton steps at most.

        Returns:
            The poses, and the largest residual that each frame has left [m, rad], shape [num_frames].
        """
        parts = [
            self._solve_part(
                poses[part], LegTargets(*(values[part] for values in vars(targets).values())), num_iterations
            )
            for part in torch.arange(len(poses)).split(AT_ONCE)
        ]
        solved, rest = zip(*parts, strict=True)
        return Poses(*(torch.cat([getattr(p, k) for p in solved]) for k in vars(poses))), torch.cat(rest)

    def _solve_part(self, poses: Poses, targets: LegTargets, num_iterations: int) -> tuple[Poses, Tensor]:
        for _ in range(num_iterations):
            bodies = self.chain.body_poses(poses)
            residual = self._residual(bodies, targets)
            if residual.abs().max() < EXACT:
                break
            jacobian = self._jacobian(bodies)
            normal = jacobian.mT @ jacobian
            normal.diagonal(dim1=-2, dim2=-1).add_(DAMPING)
            step = torch.linalg.solve(normal, jacobian.mT @ residual[..., None]).squeeze(-1)
            step = step * (LARGEST_STEP / step.abs().amax(-1, keepdim=True).clamp(min=LARGEST_STEP))
            unknowns = torch.zeros(len(poses), self.chain.num_unknowns, dtype=torch.float64)
            unknowns[:, self._columns] = -step
            poses = poses.moved(unknowns)
        return poses, self._residual(self.chain.body_poses(poses), targets).abs().amax(-1)

    def _residual(self, bodies: BodyPoses, targets: LegTargets) -> Tensor:
        com = (self._share[:, None] * self._com_w(bodies)).sum(1)
        turn = log_matrix(bodies.rot[:, self._feet] @ targets.foot_rot.mT)
        place = bodies.pos[:, self._feet] - targets.foot_pos
        return torch.cat((place.flatten(1), turn.flatten(1), com[:, :2] - targets.com_xy), dim=-1)

    def _com_w(self, bodies: BodyPoses) -> Tensor:
        return bodies.pos + (bodies.rot @ self._com_b[..., None]).squeeze(-1)

    def _jacobian(self, bodies: BodyPoses) -> Tensor:
        feet = self.chain.point_jacobians(bodies, self._feet, bodies.pos[:, self._feet]).flatten(1, 2)
        turns = self.chain.turn_jacobians(bodies, self._feet).flatten(1, 2)
        com = self.chain.point_jacobians(bodies, self._legs, self._com_w(bodies)[:, self._legs])[:, :, :2]
        com = (com * self._share[self._legs, None, None]).sum(1)
        com[:, 0, 0] = com[:, 1, 1] = 1.0  # the whole robot moves with its root
        return torch.cat((feet, turns, com), dim=1)[..., self._columns]


def leg_bodies(robot: RobotModel, foot: str) -> list[int]:
    """Bodies from the root's child to a foot."""
    found, body = [], robot.body_names.index(foot)
    while body > 0:
        found.insert(0, body)
        body = int(robot.parent_idx[body])
    return found
