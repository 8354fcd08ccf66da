"""Motors as the firmware drives them: position, velocity and torque commands within what the motor can give."""

from __future__ import annotations

import mujoco
import numpy as np

from ..torque_curve import torque_limits


class Motors:
    """Sets MuJoCo's servos so that each gives tau + kp (q - joint_pos) + kd (dq - joint_vel), within its limits."""

    def __init__(self, model: mujoco.MjModel, effort_limit: np.ndarray, velocity_limit: np.ndarray):
        """Take over all actuators of a model; the arrays are in their order, shape [num_joints]."""
        self._model = model
        self._effort_limit, self._velocity_limit = effort_limit.copy(), velocity_limit.copy()

    def drive(self, data: mujoco.MjData, motor_cmd: np.ndarray, joint_vel: np.ndarray) -> None:
        """Apply the command of every motor until the next call.

        Args:
            data: State of the model.
            motor_cmd: Of type :data:`~..protocol.layout.MOTOR_COMMAND`, shape [num_joints].
            joint_vel: Joint velocities [rad/s], shape [num_joints].
        """
        model, enabled = self._model, motor_cmd["mode"].astype(np.float64)
        stiffness, damping = enabled * motor_cmd["kp"], enabled * motor_cmd["kd"]
        model.actuator_gainprm[:, 0] = stiffness
        model.actuator_biasprm[:, 0] = enabled * motor_cmd["tau"] + damping * motor_cmd["dq"]
        model.actuator_biasprm[:, 1], model.actuator_biasprm[:, 2] = -stiffness, -damping
        limits = torque_limits(joint_vel, self._effort_limit, self._velocity_limit)
        model.actuator_forcerange[:] = np.stack(limits, axis=-1)
        data.ctrl[:] = motor_cmd["q"]
