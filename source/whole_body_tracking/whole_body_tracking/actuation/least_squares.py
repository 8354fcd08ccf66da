"""Bounded least squares: the slow way to activations, against which MuscleNN is measured."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .muscle_nn import MuscleNN
from .muscle_pairs import MusclePairs
from .muscle_training import held_out_states, torque_errors

NUM_SOLVED = 50
"""States that are solved one after the other."""


def least_squares_activation(torque_per_activation: np.ndarray, torque: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Activations in [0, 1] of one state that minimise MuscleNN's loss, for all joints at once, shape [num_joints, 2].

    It knows nothing of pairs, so it would do the same for muscles that cross several joints.

    Args:
        torque_per_activation: J^T A [N m], shape [num_joints, 2].
        torque: Desired active torque [N m], shape [num_joints].
        limit: Effort limits [N m], shape [num_joints].
    """
    from scipy.optimize import lsq_linear

    num_joints = len(torque)
    rows = np.zeros((num_joints, num_joints, 2))
    rows[np.arange(num_joints), np.arange(num_joints)] = torque_per_activation / limit[:, None]
    # Mean over joints of error^2 + 0.01 mean over muscles of activation^2, times the number of joints.
    regular = np.sqrt(0.01 / 2.0) * np.eye(2 * num_joints)
    system = np.concatenate((rows.reshape(num_joints, -1), regular))
    wanted = np.concatenate((torque / limit, np.zeros(2 * num_joints)))
    return lsq_linear(system, wanted, bounds=(0.0, 1.0)).x.reshape(-1, 2)


def compare_with_least_squares(model: MuscleNN, robot: RobotModel, num_solved: int = NUM_SOLVED) -> dict[str, float]:
    """Errors and times of the network and of least squares on held-out states.

    Args:
        model: The network.
        robot: Its robot.
        num_solved: States that least squares solves; each takes milliseconds.

    Returns:
        ``torque_error`` and ``least_squares_error``, root mean squares over the effort limit; ``network_ms`` and
        ``least_squares_ms``, times of a state, the network's in a batch of all held-out states; ``speedup``, their
        ratio; ``single_state_speedup``, the same with the network on one state at a time.
    """
    pairs = MusclePairs.of_robot(robot)
    states, limit = held_out_states(pairs), pairs.effort_limit
    model.eval()
    with torch.no_grad():
        activation = model(states.torque_per_activation, states.torque)
        batch = _seconds(lambda: model(states.torque_per_activation, states.torque), 5) / len(states.torque)
        single = _seconds(lambda: model(states.torque_per_activation[:1], states.torque[:1]), 50)
    gains, torque, limits = (value.double().numpy() for value in (states.torque_per_activation, states.torque, limit))
    started = time.perf_counter()
    solved = [least_squares_activation(gains[i], torque[i], limits) for i in range(num_solved)]
    oracle = (time.perf_counter() - started) / num_solved
    some = type(states)(states.torque_per_activation[:num_solved], states.torque[:num_solved])
    solved_errors = torque_errors(torch.from_numpy(np.stack(solved)).float(), some, limit)
    return {
        "torque_error": torque_errors(activation, states, limit)["torque_error"],
        "least_squares_error": solved_errors["torque_error"],
        "network_ms": 1e3 * batch,
        "least_squares_ms": 1e3 * oracle,
        "speedup": oracle / batch,
        "single_state_speedup": oracle / single,
    }


def _seconds(call, repetitions: int) -> float:
    call()
    times: list[float] = []
    for _ in range(repetitions):
        started = time.perf_counter()
        _: Tensor = call()
        times.append(time.perf_counter() - started)
    return float(np.median(times))
