"""Independent coordinates of a body whose joints are coupled.

Knees slide as they bend, shoulder blades follow the arm, vertebrae share the bending of the spine.

A coupling is MuJoCo's joint equality, q_d - q0_d = p(q_m - q0_m) with a polynomial p. Velocities are then q' = G(q) v
with the velocities v of the independent coordinates. Forces that hold the couplings do no work on them, so a
generalized force f acts as G^T f, and neither inverse dynamics nor muscles need to know them.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

NUM_ROOT = 6
"""Coordinates of the root, which no muscle moves against the world."""
ROOT_NAMES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Endings of the names of a free joint's six coordinates."""


@dataclass(frozen=True)
class Couplings:
    """Joints that follow others directly, or stand still; shape [num_followers] each."""

    joint: np.ndarray
    """The followers."""
    master: np.ndarray
    """Joints that they follow; -1: the follower stands still."""
    polynomial: np.ndarray
    """Coefficients p0 ... p4, shape [num_followers, 5]."""


class Coordinates:
    """Which degrees of freedom of a model are independent, and how the others follow."""

    def __init__(self, model: mujoco.MjModel):
        """Read the couplings of a model.

        Raises:
            ValueError: If bodies are held together in other ways, or couplings go round in a circle.
        """
        self.model = model
        self._levels = _levels(model)
        followers = {int(model.jnt_dofadr[joint]) for level in self._levels for joint in level.joint}
        self.dofs = np.array([dof for dof in range(model.nv) if dof not in followers])
        """Independent degrees of freedom, shape [num_coordinates]."""
        names = _dof_names(model)
        self.names = tuple(names[dof] for dof in self.dofs)
        joints = model.dof_jntid[self.dofs]
        limited = joints[model.jnt_limited[joints].astype(bool)]
        self._limited, self._ranges = model.jnt_qposadr[limited], model.jnt_range[limited]

    def __len__(self) -> int:
        return len(self.dofs)

    def expand(self, qpos: np.ndarray) -> np.ndarray:
        """Positions in which the couplings hold; the independent ones are kept.

        Args:
            qpos: MuJoCo's positions [m, rad], shape [..., nq].
        """
        qpos = np.array(qpos, dtype=np.float64)
        for level in self._levels:
            address = self.model.jnt_qposadr[level.joint]
            qpos[..., address] = self.model.qpos0[address] + _value(level.polynomial, self._offset(qpos, level.master))
        return qpos

    def jacobian(self, qpos: np.ndarray) -> np.ndarray:
        """G(q), shape [..., nv, num_coordinates], at positions of shape [..., nq]."""
        result = np.zeros((*qpos.shape[:-1], self.model.nv, len(self.dofs)))
        result[..., self.dofs, np.arange(len(self.dofs))] = 1.0
        for level in self._levels:
            slope = _slope(level.polynomial, self._offset(qpos, level.master)) * (level.master >= 0)
            rows = result[..., self.model.jnt_dofadr[level.master], :]
            result[..., self.model.jnt_dofadr[level.joint], :] = slope[..., None] * rows
        return result

    def clamp(self, qpos: np.ndarray) -> np.ndarray:
        """Positions with the independent joints inside their limits and the couplings held, shape [..., nq]."""
        qpos = np.array(qpos, dtype=np.float64)
        qpos[..., self._limited] = qpos[..., self._limited].clip(*self._ranges.T)
        return self.expand(qpos)

    def _offset(self, qpos: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Distance of joints from where the model is built, zero without a joint, shape [..., num_joints]."""
        address = self.model.jnt_qposadr[joints]
        return (qpos[..., address] - self.model.qpos0[address]) * (joints >= 0)


def _levels(model: mujoco.MjModel) -> list[Couplings]:
    """Active couplings; those of a level follow joints that are independent or of a level before."""
    waiting = {}
    for row in range(model.neq):
        if not model.eq_active0[row]:
            continue
        if model.eq_type[row] != mujoco.mjtEq.mjEQ_JOINT:
            raise ValueError(
                f"The model holds bodies together by the equality '{model.equality(row).name or row}', expected joint"
                " couplings only. Take a model without loops."
            )
        waiting[int(model.eq_obj1id[row])] = row
    levels = []
    while waiting:
        ready = {joint: row for joint, row in waiting.items() if int(model.eq_obj2id[row]) not in waiting}
        if not ready:
            raise ValueError(f"Joints follow each other in a circle: {[model.joint(j).name for j in waiting]}.")
        rows = list(ready.values())
        levels.append(Couplings(np.array(list(ready)), model.eq_obj2id[rows].copy(), model.eq_data[rows, :5].copy()))
        waiting = {joint: row for joint, row in waiting.items() if joint not in ready}
    return levels


def _dof_names(model: mujoco.MjModel) -> list[str]:
    """A name for every degree of freedom: that of its joint, of a free joint with an ending."""
    names = []
    for joint in range(model.njnt):
        name, kind = model.joint(joint).name, model.jnt_type[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            names += [f"{name}_{ending}" for ending in ROOT_NAMES]
        elif kind == mujoco.mjtJoint.mjJNT_BALL:
            names += [f"{name}_{ending}" for ending in ROOT_NAMES[3:]]
        else:
            names.append(name)
    return names


def _value(polynomial: np.ndarray, x: np.ndarray) -> np.ndarray:
    """p(x) of one polynomial per column of x."""
    p0, p1, p2, p3, p4 = polynomial.T
    return p0 + x * (p1 + x * (p2 + x * (p3 + x * p4)))


def _slope(polynomial: np.ndarray, x: np.ndarray) -> np.ndarray:
    """p'(x) of one polynomial per column of x."""
    _, p1, p2, p3, p4 = polynomial.T
    return p1 + x * (2.0 * p2 + x * (3.0 * p3 + x * 4.0 * p4))
