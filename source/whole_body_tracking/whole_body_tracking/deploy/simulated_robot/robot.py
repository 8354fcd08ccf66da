"""The simulated G1: commands in, states out, one physics step per message."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field

import mujoco
import numpy as np

from whole_body_tracking.robots import G1, RobotModel

from ..protocol.checks import command_inbox
from ..protocol.checksum import seal
from ..protocol.encoding import encode
from ..protocol.layout import LOW_COMMAND, LOW_STATE, MODE_MACHINE, MOTOR_ENABLED, new_message
from ..protocol.readings import WXYZ, XYZW, Readings
from .gantry import Gantry, Pull
from .model import ACCELEROMETER, build_robot
from .motors import Motors
from .sensors import NoisySensors, SensorNoise

logger = logging.getLogger(__name__)

DT = 0.002
"""Physics step and time between two messages [s]."""

COMMAND_TIMEOUT = 0.05
"""Time without an accepted command after which the motors only damp [s]."""

DAMPING = 3.0
"""Velocity gain of all motors while they only damp [N m s/rad]."""

STEADY_ERROR = 0.15
"""How far joints may be from constant targets and count as held [rad]."""

HANGING_CLEARANCE = 0.08
"""Height at which the robot starts above standing [m]."""


@dataclass
class RobotOptions:
    """What is not ideal about the robot and its wires."""

    motor_delay: float = 0.0
    """Time from a command's arrival until it acts [s]."""
    noise: SensorNoise | None = None
    packet_loss: float = 0.0
    """Share of messages that get lost, in each direction."""
    gantry: bool = True
    """Whether the robot hangs until a controller holds it; else it starts on its feet in the default pose."""
    seed: int = 0


@dataclass(order=True)
class _Pending:
    """A command on its way to the motors."""

    due: float
    message: np.ndarray = field(compare=False)


class SimulatedRobot:
    """The G1 as its low-level protocol shows it."""

    def __init__(self, options: RobotOptions | None = None, robot: RobotModel = G1):
        """Build the robot and hang it up, or put it down.

        Args:
            options: Delays, noise, losses.
            robot: The facts; motors are in the order of its joints.
        """
        mujoco.set_mju_user_warning(logger.warning)
        self.options, self.robot = options or RobotOptions(), robot
        self.model = build_robot(robot, DT)
        self.data = mujoco.MjData(self.model)
        self.inbox = command_inbox(robot.num_joints)
        self.lost = 0
        self._rng = np.random.default_rng(self.options.seed)
        noise = self.options.noise
        self._sensors = NoisySensors(noise, robot.num_joints, self._rng) if noise else None
        self._motors = Motors(self.model, robot.effort_limit, robot.velocity_limit)
        self._dof = np.array([self.model.joint(name).dofadr[0] for name in robot.joint_names])
        self._qpos = np.array([self.model.joint(name).qposadr[0] for name in robot.joint_names])
        self._torso = self.model.body(robot.anchor_body_name).id
        self._pending: deque[_Pending] = deque()
        self._damping = _damping_command(robot.num_joints)
        self._acting, self._last_command, self._targets_changed = self._damping, -np.inf, -np.inf
        self._place()
        weight = robot.total_mass * 9.81
        self.gantry = Gantry(self.data.xpos[self._torso], weight, DT) if self.options.gantry else None

    @property
    def time(self) -> float:
        """The robot's clock [s]."""
        return self.data.time

    @property
    def is_damping(self) -> bool:
        """Whether the motors only damp, because no command has come lately."""
        return self.silence > COMMAND_TIMEOUT

    @property
    def silence(self) -> float:
        """Time since the last accepted command [s]."""
        return self.time - self._last_command

    def receive(self, data: bytes) -> bool:
        """Take a command off the wire, and say whether it counts."""
        if self.options.packet_loss and self._rng.random() < self.options.packet_loss:
            self.lost += 1
            return False
        message = self.inbox.take(data)
        if message is None:
            return False
        self._pending.append(_Pending(self.time + self.options.motor_delay, message))
        self._last_command = self.time
        return True

    def step(self) -> None:
        """Let :data:`DT` pass."""
        while self._pending and self._pending[0].due <= self.time + 1e-9:
            message = self._pending.popleft().message
            if np.abs(message["motor_cmd"]["q"] - self._acting["motor_cmd"]["q"]).max() > 1e-4:
                self._targets_changed = self.time
            self._acting = message
        acting = self._damping if self.is_damping else self._acting
        motor_cmd = acting["motor_cmd"][: self.robot.num_joints]
        self._motors.drive(self.data, motor_cmd, self.data.qvel[self._dof])
        if self.gantry is not None and self.gantry.phase != "released":
            self._hang(motor_cmd)
        mujoco.mj_step(self.model, self.data)

    def state(self) -> bytes | None:
        """What the robot reports now, or None if that gets lost."""
        if self.options.packet_loss and self._rng.random() < self.options.packet_loss:
            self.lost += 1
            return None
        return encode(self._message())

    def readings(self) -> Readings:
        """What perfect sensors would report."""
        data = self.data
        return Readings(
            quat_xyzw=data.qpos[3:7][XYZW],
            gyro=data.qvel[3:6].copy(),
            accelerometer=data.sensor(ACCELEROMETER).data.copy(),
            joint_pos=data.qpos[self._qpos],
            joint_vel=data.qvel[self._dof],
            joint_torque=data.actuator_force.copy(),
        )

    def _message(self) -> np.ndarray:
        truth = self.readings()
        readings = truth if self._sensors is None else self._sensors.read(truth)
        message = new_message(LOW_STATE)
        message["mode_machine"], message["tick"] = MODE_MACHINE, round(self.time * 1000.0)
        imu, motors = message["imu_state"], message["motor_state"][: self.robot.num_joints]
        imu["quaternion"] = readings.quat_xyzw[WXYZ]
        imu["gyroscope"], imu["accelerometer"] = readings.gyro, readings.accelerometer
        imu["rpy"] = _roll_pitch_yaw(readings.quat_xyzw)
        motors["mode"] = MOTOR_ENABLED
        motors["q"], motors["dq"], motors["tau_est"] = readings.joint_pos, readings.joint_vel, readings.joint_torque
        return seal(message)

    def _place(self) -> None:
        robot, data = self.robot, self.data
        height = robot.default_root_height + (HANGING_CLEARANCE if self.options.gantry else 0.0)
        data.qpos[:7] = [0.0, 0.0, height, 1.0, 0.0, 0.0, 0.0]
        data.qpos[self._qpos] = robot.default_joint_pos
        mujoco.mj_forward(self.model, data)

    def _hang(self, motor_cmd: np.ndarray) -> None:
        data, torso, velocity = self.data, self._torso, np.zeros(6)
        mujoco.mj_objectVelocity(self.model, data, mujoco.mjtObj.mjOBJ_XBODY, torso, velocity, 0)
        pull = self.gantry.pull(data.xpos[torso], data.xquat[torso][XYZW], velocity[3:], velocity[:3])
        self._apply(pull)
        errors = np.abs(motor_cmd["q"] - data.qpos[self._qpos])
        is_constant = self.time - self._targets_changed > 0.1
        self.gantry.watch(bool(is_constant and (motor_cmd["kp"] > 0).all() and errors.max() < STEADY_ERROR))

    def _apply(self, pull: Pull) -> None:
        data, torso = self.data, self._torso
        data.xfrc_applied[torso, :3] = pull.force_w
        # MuJoCo applies forces at the centre of mass; the rope is at the body's origin.
        arm = data.xpos[torso] - data.xipos[torso]
        data.xfrc_applied[torso, 3:] = pull.torque_w + np.cross(arm, pull.force_w)


def _damping_command(num_joints: int) -> np.ndarray:
    message = new_message(LOW_COMMAND)
    message["motor_cmd"]["mode"][:num_joints] = MOTOR_ENABLED
    message["motor_cmd"]["kd"][:num_joints] = DAMPING
    return message


def _roll_pitch_yaw(quat_xyzw: np.ndarray) -> np.ndarray:
    x, y, z, w = quat_xyzw
    return np.array(
        [
            np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y)),
            np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0)),
            np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)),
        ]
    )
