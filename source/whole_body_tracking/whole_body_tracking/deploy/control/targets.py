"""What the motors are to do, and how one such wish fades into another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..protocol.checksum import seal
from ..protocol.encoding import encode
from ..protocol.layout import LOW_COMMAND, MODE_MACHINE, MODE_PR, MOTOR_ENABLED, new_message


@dataclass(frozen=True)
class MotorTargets:
    """Position targets and gains of all motors; each of shape [num_joints], in the order of the motors."""

    joint_pos: np.ndarray
    """[rad]"""
    stiffness: np.ndarray
    """[N m/rad]"""
    damping: np.ndarray
    """[N m s/rad]"""

    def faded(self, other: MotorTargets, share: float) -> MotorTargets:
        """Targets that give (1 - share) of these torques and ``share`` of the other's, at any joint state.

        Gains are mixed, and positions are weighed with their stiffness; without any stiffness they are mixed too.
        """
        mine, theirs = (1.0 - share) * self.stiffness, share * other.stiffness
        stiffness = mine + theirs
        plain = (1.0 - share) * self.joint_pos + share * other.joint_pos
        weighed = (mine * self.joint_pos + theirs * other.joint_pos) / np.where(stiffness > 0.0, stiffness, 1.0)
        damping = (1.0 - share) * self.damping + share * other.damping
        return MotorTargets(np.where(stiffness > 0.0, weighed, plain), stiffness, damping)

    def encoded(self) -> bytes:
        """The command message."""
        message = new_message(LOW_COMMAND)
        message["mode_pr"], message["mode_machine"] = MODE_PR, MODE_MACHINE
        motors = message["motor_cmd"][: len(self.joint_pos)]
        motors["mode"] = MOTOR_ENABLED
        motors["q"], motors["kp"], motors["kd"] = self.joint_pos, self.stiffness, self.damping
        return encode(seal(message))


def damping_targets(joint_pos: np.ndarray, damping: float) -> MotorTargets:
    """Motors that resist motion and hold nothing.

    Args:
        joint_pos: Where the joints are [rad], shape [num_joints].
        damping: Velocity gain of all [N m s/rad].
    """
    zeros = np.zeros(len(joint_pos))
    return MotorTargets(joint_pos, zeros, zeros + damping)
