"""Which messages are believed. A message that is not has no effect but on the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from .checksum import is_sealed
from .encoding import decode
from .layout import LOW_COMMAND, LOW_STATE, MODE_MACHINE, MODE_PR, MOTOR_ENABLED, NUM_SLOTS

REFUSALS = ("format", "checksum", "machine", "joints", "numbers", "clock")
"""Why a message can be refused, in the order of the checks."""

LARGEST_GAINS = (1000.0, 100.0)
"""Position and velocity gain that no command may exceed [N m/rad], [N m s/rad]."""

LARGEST_POSITION = 6.0
"""Angle that no joint of the robot reaches or is sent to [rad]."""


class Inbox:
    """Decodes messages of one type, refuses what is wrong with them, and counts."""

    def __init__(self, dtype: np.dtype, checks: dict[str, Callable[[np.ndarray], bool]]):
        """Set the checks.

        Args:
            dtype: Type of the messages.
            checks: Beyond format and checksum, by the reason that a failed one is counted under.
        """
        self._dtype, self._checks = dtype, checks
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.last_refusal = ""

    def take(self, data: bytes) -> np.ndarray | None:
        """The message in an encoding, or None if it is refused."""
        try:
            message = decode(data, self._dtype)
        except ValueError as error:
            return self._refuse("format", str(error))
        if not is_sealed(message):
            return self._refuse("checksum", f"the checksum is {int(message['crc']):08x}")
        for reason, check in self._checks.items():
            if not check(message):
                return self._refuse(reason, _describe(reason, message))
        self.accepted += 1
        return message

    def _refuse(self, reason: str, text: str) -> None:
        self.refused[reason] += 1
        self.last_refusal = f"{reason}: {text}"


def state_inbox(num_joints: int) -> Inbox:
    """Inbox of a controller: states of the 29-joint G1 whose clock goes on.

    Args:
        num_joints: Motors that have to be there, from the first slot on; the other slots have to be empty.
    """
    clock = _Clock()
    checks = {
        "machine": _is_machine,
        "joints": lambda message: _enabled(message["motor_state"]) == num_joints,
        "numbers": _has_plausible_state,
        "clock": clock.goes_on,
    }
    return Inbox(LOW_STATE, checks)


def command_inbox(num_joints: int) -> Inbox:
    """Inbox of a robot: commands for its motors alone, with finite targets and gains that it allows."""

    def fits(message: np.ndarray) -> bool:
        return _enabled(message["motor_cmd"]) in (0, num_joints)

    return Inbox(LOW_COMMAND, {"machine": _is_machine, "joints": fits, "numbers": _has_allowed_command})


class _Clock:
    """The robot's clock, which has to advance from one state to the next; it wraps after 49 days."""

    def __init__(self):
        self._last: int | None = None

    def goes_on(self, message: np.ndarray) -> bool:
        tick, last = int(message["tick"]), self._last
        if last is not None and not 0 < (tick - last) % 2**32 < 2**31:
            return False
        self._last = tick
        return True


def _is_machine(message: np.ndarray) -> bool:
    return message["mode_machine"] == MODE_MACHINE and message["mode_pr"] == MODE_PR


def _enabled(motors: np.ndarray) -> int:
    """Number of motors that are enabled if those are the first ones, else one that fits no robot."""
    count = int((motors["mode"] == MOTOR_ENABLED).sum())
    return count if (motors["mode"][:count] == MOTOR_ENABLED).all() else NUM_SLOTS + 1


def _has_plausible_state(message: np.ndarray) -> bool:
    imu, motors = message["imu_state"], message["motor_state"]
    values = (imu["quaternion"], imu["gyroscope"], imu["accelerometer"], motors["q"], motors["dq"], motors["tau_est"])
    if not all(np.isfinite(value).all() for value in values):
        return False
    is_unit = abs(float(np.linalg.norm(imu["quaternion"])) - 1.0) < 0.01
    return is_unit and float(np.abs(motors["q"]).max()) < LARGEST_POSITION


def _has_allowed_command(message: np.ndarray) -> bool:
    motors, (stiffest, most_damped) = message["motor_cmd"], LARGEST_GAINS
    if not all(np.isfinite(motors[name]).all() for name in ("q", "dq", "tau", "kp", "kd")):
        return False
    gains_fit = (motors["kp"] >= 0).all() and (motors["kp"] <= stiffest).all()
    gains_fit &= (motors["kd"] >= 0).all() and (motors["kd"] <= most_damped).all()
    return bool(gains_fit) and float(np.abs(motors["q"]).max()) < LARGEST_POSITION


def _describe(reason: str, message: np.ndarray) -> str:
    motors = message["motor_state" if "tick" in message.dtype.names else "motor_cmd"]
    if reason == "machine":
        return f"mode_machine {message['mode_machine']} and mode_pr {message['mode_pr']}, expected {MODE_MACHINE}, 0"
    if reason == "joints":
        return f"{int((motors['mode'] == MOTOR_ENABLED).sum())} motors are enabled"
    if reason == "clock":
        return f"tick {message['tick']} is not later than the one before"
    return "a value is not finite or outside what the robot can do"
