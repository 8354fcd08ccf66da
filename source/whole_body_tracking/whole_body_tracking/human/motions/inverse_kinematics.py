"""Poses of a human body that reach targets: damped least squares over its independent coordinates, frame by frame.

cost = |w_p (point - target)|^2 + |w_o log(R R*^-1)|^2 + |w_s (q - q_before)|^2 + |w_r (q - q_rest)|^2
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.mocap.targets import Targets

from ..model.body import HumanBody
from .motion import HumanMotion

FRAMES = ("pelvis", "chest", "left_foot", "right_foot")


@dataclass(frozen=True)
class InverseKinematicsSettings:
    """How much residuals count, per metre or radian, and how long to iterate."""

    point: tuple[tuple[str, float], ...] = (
        *(("pelvis", 6.0), ("head", 2.0), ("shoulder", 2.0), ("elbow", 4.0), ("wrist", 8.0), ("hand", 2.0)),
        *(("knee", 4.0), ("heel", 10.0), ("toe", 10.0)),
    )
    """Points by the end of their name."""
    contact: float = 30.0
    """Heels and toes that stand."""
    frame: tuple[tuple[str, float], ...] = (("pelvis", 3.0), ("chest", 3.0), ("foot", 0.6))
    """Orientations by the end of their name."""
    smoothness: float = 0.3
    """Distance from the frame before."""
    calm: float = 1.5
    """The same for the coordinates that the body's table calls calm."""
    rest: float = 0.12
    """Distance of joints from the rest pose; it decides where no target does."""
    iterations: int = 5
    """Steps per frame."""
    first_iterations: int = 60
    """Steps of the first frame, which starts from the rest pose."""
    largest_step: float = 0.5
    """Of a coordinate in an iteration [m, rad]."""


def solve_poses(
    body: HumanBody, targets: Targets, name: str, settings: InverseKinematicsSettings | None = None
) -> HumanMotion:
    """A motion whose points and frames follow targets; joint limits and couplings hold.

    Args:
        body: The body.
        targets: Scaled to it; see :func:`~whole_body_tracking.mocap.targets.build_targets`.
        name: What to call the motion.
        settings: Weights and iterations.
    """
    settings = settings or InverseKinematicsSettings()
    solver = _FrameSolver(body, targets, settings)
    qpos, poses = body.rest_qpos.copy(), np.empty((targets.num_frames, body.model.nq))
    qpos[:3] = targets.pos["pelvis"][0].numpy()
    x, y, z, w = targets.quat["pelvis"][0].tolist()
    mujoco.mju_mulQuat(qpos[3:7], np.array([w, x, y, z]), body.rest_qpos[3:7])
    for frame in range(targets.num_frames):
        steps = settings.iterations if frame else settings.first_iterations
        qpos = poses[frame] = solver.solve(frame, qpos, steps)
    return HumanMotion(name, targets.fps, poses)


class _FrameSolver:
    """Residuals of one frame and the steps that shrink them."""

    def __init__(self, body: HumanBody, targets: Targets, settings: InverseKinematicsSettings):
        self._body, self._settings = body, settings
        self._data = mujoco.MjData(body.model)
        self._names = [name for name in targets.pos if name in body.points]
        self._pos = np.stack([targets.pos[name].numpy() for name in self._names], axis=1)
        quats = np.stack([targets.quat[name].numpy() for name in FRAMES], axis=1)
        self._rot = Rotation.from_quat(quats.reshape(-1, 4)).as_matrix().reshape(*quats.shape[:2], 3, 3)
        self._point_weight = _point_weights(self._names, targets, settings)
        self._frame_weight = np.array([_by_ending(settings.frame, name) for name in FRAMES])
        count = len(body.coordinates)
        self._smooth = np.full(count, settings.smoothness)
        self._smooth[[name.startswith(body.table.calm) for name in body.coordinates.names]] = settings.calm
        self._rest = np.full(count, settings.rest)
        self._rest[:6] = 0.0

    def solve(self, frame: int, qpos: np.ndarray, steps: int) -> np.ndarray:
        """The pose of a frame, from the one before."""
        body, before = self._body, qpos.copy()
        for _ in range(steps):
            residual, jacobian = self._linearize(frame, qpos)
            hessian = jacobian.T @ jacobian
            gradient = jacobian.T @ residual
            smooth = self._smooth if frame else np.full(len(gradient), 1e-2)
            hessian[np.diag_indices_from(hessian)] += smooth**2 + self._rest**2
            gradient += smooth**2 * self._difference(before, qpos)
            gradient += self._rest**2 * self._difference(body.rest_qpos, qpos)
            step = -np.linalg.solve(hessian, gradient)
            step *= min(1.0, self._settings.largest_step / max(np.abs(step).max(), 1e-12))
            moved = qpos.copy()
            full = np.zeros(body.model.nv)
            full[body.coordinates.dofs] = step
            mujoco.mj_integratePos(body.model, moved, full, 1.0)
            qpos = body.coordinates.clamp(moved)
            if np.abs(step).max() < 1e-4:
                break
        return qpos

    def _difference(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Way from one pose to another in independent coordinates."""
        way = np.zeros(self._body.model.nv)
        mujoco.mj_differentiatePos(self._body.model, way, 1.0, start, end)
        return way[self._body.coordinates.dofs]

    def _linearize(self, frame: int, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        body, data = self._body, self._data
        data.qpos[:] = qpos
        mujoco.mj_kinematics(body.model, data)
        mujoco.mj_comPos(body.model, data)
        reduction = body.coordinates.jacobian(qpos)
        count = len(self._names) + len(FRAMES)
        residual, rows = np.empty((count, 3)), np.zeros((count, 3, body.model.nv))
        for place, name in enumerate(self._names):
            point = body.place(name, data)
            mujoco.mj_jac(body.model, data, rows[place], None, point, body.points[name].body)
            residual[place] = point - self._pos[frame, place]
        turned = np.stack([body.frame_matrix(name, data) for name in FRAMES]) @ self._rot[frame].swapaxes(1, 2)
        residual[len(self._names) :] = Rotation.from_matrix(turned).as_rotvec()
        for place, name in enumerate(FRAMES, start=len(self._names)):
            mujoco.mj_jacBody(body.model, data, None, rows[place], body.frames[name])
        weight = np.concatenate((self._point_weight[frame], self._frame_weight)).repeat(3)
        return weight * residual.ravel(), (rows.reshape(-1, body.model.nv) @ reduction) * weight[:, None]


def _point_weights(names: list[str], targets: Targets, settings: InverseKinematicsSettings) -> np.ndarray:
    """Weight of every point in every frame, shape [num_frames, num_points]."""
    weights = np.tile([_by_ending(settings.point, name) for name in names], (targets.num_frames, 1))
    for place, name in enumerate(names):
        if name in targets.contact:
            weights[targets.contact[name].numpy(), place] = settings.contact
    return weights


def _by_ending(weights: tuple[tuple[str, float], ...], name: str) -> float:
    return next(weight for ending, weight in weights if name.endswith(ending))
