"""How far gains can be raised, and how well a clip is followed, with each kind of drive; plain MuJoCo, no Isaac Lab."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np
import torch

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import model_spec

from .stable_pd import stable_pd_torque

DRIVES = ("explicit", "implicit", "spd")
"""PD law at the start of the step, MuJoCo's position servos with ``implicitfast``, and stable PD control."""
FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
LARGEST_ERROR, LARGEST_SPEED = 0.1, 1.0
"""A robot whose joints are farther from their targets after a second than at its start [rad], or faster [rad/s], is not
stable."""


class HungRobot:
    """A robot that hangs by its root, its joints driven towards targets; no limits: only the law counts."""

    def __init__(self, robot: RobotModel, drive: str, timestep: float, factor: float = 1.0):
        """Build it.

        Args:
            robot: The facts.
            drive: One of :data:`DRIVES`.
            timestep: Physics step [s].
            factor: On the robot's own gains.
        """
        self.drive, self.timestep, self.num_joints = drive, timestep, robot.num_joints
        self._stiffness, self._damping = factor * robot.stiffness, factor * robot.damping
        self._tensors = torch.from_numpy(np.stack((self._stiffness, self._damping)))
        drives = SimpleNamespace(
            joint_names=robot.joint_names, joint_stiffness=self._stiffness, joint_damping=self._damping,
            joint_effort_limit=np.full(robot.num_joints, 1e9), joint_armature=robot.armature,
        )  # fmt: skip
        spec = model_spec(robot, drives)
        spec.option.timestep = timestep
        spec.delete(spec.joint("root"))
        spec.body(robot.body_names[0]).pos = (0.0, 0.0, 3.0)
        if drive != "implicit":
            spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
            for servo in list(spec.actuators):
                spec.delete(servo)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        for kind in ("mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC"):
            self.data.warning[int(getattr(mujoco.mjtWarning, kind))].number = 1  # said by the result, not on stderr

    def step(self, target: np.ndarray) -> None:
        """One physics step towards joint targets [rad]."""
        if self.drive == "implicit":
            self.data.ctrl[:] = target
            mujoco.mj_step(self.model, self.data)
            return
        mujoco.mj_step1(self.model, self.data)
        self.data.qfrc_applied[:] = self._torque(target)
        mujoco.mj_step2(self.model, self.data)

    def is_alive(self) -> bool:
        """Whether its joints are within a thousand turns."""
        return bool(np.isfinite(self.data.qpos).all() and np.abs(self.data.qpos).max() < 6e3)

    def _torque(self, target: np.ndarray) -> np.ndarray:
        data = self.data
        if self.drive == "explicit":
            return self._stiffness * (target - data.qpos) - self._damping * data.qvel
        mass = np.zeros((self.num_joints, self.num_joints))
        mujoco.mj_fullM(self.model, data, mass)
        values = (mass, data.qfrc_bias - data.qfrc_passive, data.qpos, data.qvel, target)
        tensors = (torch.from_numpy(np.array(value, dtype=np.float64)) for value in values)
        return stable_pd_torque(*tensors, *self._tensors, self.timestep).numpy()


def stable_gain_factor(robot: RobotModel, drive: str, timestep: float = 0.02) -> float:
    """Largest of :data:`FACTORS` on the gains up to which all leave the robot at rest at its target; 0 if none does."""
    largest = 0.0
    for factor in FACTORS:
        if not _comes_to_rest(HungRobot(robot, drive, timestep, factor), np.array(robot.default_joint_pos)):
            break
        largest = factor
    return largest


def tracking_error(robot: RobotModel, clip: MotionClip, drive: str, timestep: float, factor: float = 1.0) -> float:
    """Root mean square distance of the joints from a clip whose positions are the targets [rad]; inf if it diverges.

    Gravity pulls and nothing is fed forward, so soft gains lag and sag.
    """
    hung = HungRobot(robot, drive, timestep, factor)
    order = [clip.joint_names.index(name) for name in robot.joint_names]
    hung.data.qpos[:], errors = clip.joint_pos[0, order], []
    for frame in clip.joint_pos[1:, order]:
        for _ in range(round(1.0 / (clip.fps * timestep))):
            hung.step(frame)
        if not hung.is_alive():
            return float("inf")
        errors.append(hung.data.qpos - frame)
    return float(np.sqrt(np.square(errors).mean()))


def _comes_to_rest(hung: HungRobot, target: np.ndarray) -> bool:
    """One second from a tenth of a radian off, without gravity."""
    hung.model.opt.gravity[:] = 0.0
    hung.data.qpos[:] = target + np.random.default_rng(0).uniform(-0.1, 0.1, len(target))
    for _ in range(round(1.0 / hung.timestep)):
        hung.step(target)
        if not hung.is_alive():
            return False
    is_there = np.abs(hung.data.qpos - target).max() < LARGEST_ERROR
    return bool(is_there and np.abs(hung.data.qvel).max() < LARGEST_SPEED)
