"""The robot in native MuJoCo, many at a time: the model of sim2sim on every core, with the robot's own drives."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import mujoco
import numpy as np
from mujoco.rollout import Rollout

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT, model_spec

logger = logging.getLogger(__name__)

PLANNING_DT = 0.01
"""Physics step of planners [s]: twice sim2sim's, 1.7 times as fast, and 7 mm apart after half a second of walking."""

FULL_STATE = int(mujoco.mjtState.mjSTATE_FULLPHYSICS)


@dataclass(frozen=True)
class RobotDrives:
    """The drives that the robot's facts give it, as an exported policy would hold them."""

    joint_names: tuple[str, ...]
    joint_stiffness: np.ndarray
    joint_damping: np.ndarray
    joint_effort_limit: np.ndarray
    joint_armature: np.ndarray
    control_dt: float
    """Time that a joint target is held [s]."""


def drives_of(robot: RobotModel, control_dt: float) -> RobotDrives:
    """Drives with the robot's own gains, effort limits and armature."""
    return RobotDrives(
        robot.joint_names, robot.stiffness, robot.damping, robot.effort_limit, robot.armature, control_dt
    )


def planning_step(control_dt: float) -> float:
    """Physics step of planners [s]: :data:`PLANNING_DT` where a control step is a whole number of them."""
    whole = abs(round(control_dt / PLANNING_DT) * PLANNING_DT - control_dt) < 1e-9
    return PLANNING_DT if whole else PHYSICS_DT


@dataclass(frozen=True)
class Trajectories:
    """What batches of robots did, at the ends of control steps."""

    qpos: np.ndarray
    """MuJoCo's positions, shape [num_envs, num_steps, nq]."""
    qvel: np.ndarray
    """MuJoCo's velocities, shape [num_envs, num_steps, nv]."""
    body_pos_w: np.ndarray
    """Positions of the tracked bodies [m], shape [num_envs, num_steps, num_tracked, 3]."""


class NativePhysics:
    """Batches of one robot on flat ground, stepped by threads of native MuJoCo.

    The result does not depend on the number of threads.
    """

    def __init__(
        self, robot: RobotModel, control_dt: float, num_threads: int | None = None, physics_dt: float = PHYSICS_DT
    ):
        """Build the model and start the threads.

        Args:
            robot: Its facts.
            control_dt: Time that a joint target is held [s].
            num_threads: Threads; None takes one for each available core.
            physics_dt: Physics step [s]; a planner may take a longer one than sim2sim's.
        """
        mujoco.set_mju_user_warning(logger.debug)  # a sample may blow up: that is a cost, not a message
        spec = model_spec(robot, drives_of(robot, control_dt))
        for name in robot.tracked_body_names:
            spec.add_sensor(type=mujoco.mjtSensor.mjSENS_FRAMEPOS, objtype=mujoco.mjtObj.mjOBJ_XBODY, objname=name)
        spec.option.timestep = physics_dt
        self.robot, self.model = robot, spec.compile()
        self.substeps = round(control_dt / physics_dt)
        num_threads = len(os.sched_getaffinity(0)) if num_threads is None else num_threads
        self._data = [mujoco.MjData(self.model) for _ in range(max(1, num_threads))]
        self._pool = Rollout(nthread=num_threads if num_threads > 1 else 0)
        self._num_states = mujoco.mj_stateSize(self.model, FULL_STATE)
        self.num_control_steps = 0
        """Control steps made so far, over all robots."""

    def roll_out(
        self, qpos: np.ndarray, qvel: np.ndarray, targets: np.ndarray, warm_start: np.ndarray | None = None
    ) -> Trajectories:
        """Hold joint targets one after another, each for a control step.

        Args:
            qpos: MuJoCo's positions at the start, shape [num_envs, nq].
            qvel: MuJoCo's velocities, shape [num_envs, nv].
            targets: Joint targets [rad], shape [num_envs, num_steps, num_joints].
            warm_start: Accelerations that the contact solver starts from, shape [num_envs, nv]; None for zeros.
        """
        num_envs, num_steps = targets.shape[:2]
        initial = np.zeros((num_envs, self._num_states))
        nq, nv = self.model.nq, self.model.nv
        initial[:, 1 : 1 + nq], initial[:, 1 + nq : 1 + nq + nv] = qpos, qvel
        # Sensors are read before a physics step: one more shows the bodies where the last control step ends.
        held = np.repeat(targets, self.substeps, axis=1)
        held = np.concatenate([held, held[:, -1:]], axis=1)
        states, sensors = self._pool.rollout(self.model, self._data, initial, held, initial_warmstart=warm_start)
        self.num_control_steps += num_envs * num_steps
        ends = states[:, self.substeps - 1 : -1 : self.substeps]
        bodies = sensors[:, self.substeps :: self.substeps].reshape(num_envs, num_steps, -1, 3)
        return Trajectories(ends[..., 1 : 1 + nq], ends[..., 1 + nq : 1 + nq + nv], bodies)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.close()

    def __enter__(self) -> NativePhysics:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
