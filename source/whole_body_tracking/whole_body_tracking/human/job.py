"""From mocap, or from a made-up motion, to activations: what ``scripts/muscle/play_human.py`` calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from .activations import bounded_activations
from .inverse_dynamics import HumanDynamics, inverse_dynamics
from .measuring import GroupError, Residual, as_json, group_errors, residuals, torque_scale
from .model.body import HumanBody
from .motions.motion import HumanMotion
from .muscle_nn import (
    BodyMuscleFacts,
    BodyMuscleNN,
    crossings_of,
    load_body_muscle_nn,
    network_scale,
    sample_states,
    save_body_muscle_nn,
    states_of,
    train_body_muscle_nn,
)

LEAST_SQUARES, NETWORK = "least squares", "MuscleNN"
MODEL_FILE = "muscle_nn.safetensors"
CHUNK = 16
"""Frames that are solved at once: their moment arms, 4 MB, stay in the cache."""


@dataclass(frozen=True)
class HumanJob:
    """What to play, and where results go."""

    output_dir: Path
    muscle_model: Path | None = None
    """A MuscleNN of an earlier job; None trains one."""
    train_minutes: float = 2.0
    """How long; 0 goes without a network."""
    seed: int = 0

    def __post_init__(self):
        if not 0.0 <= self.train_minutes <= 600.0:
            raise ValueError(f"--train_minutes is {self.train_minutes:g}, expected 0 to 600.")
        if self.muscle_model is not None and not self.muscle_model.is_file():
            raise FileNotFoundError(f"--muscle_model: there is no file {self.muscle_model}.")


@dataclass(frozen=True)
class HumanResult:
    """A motion and its activations."""

    body: HumanBody
    motion: HumanMotion
    dynamics: HumanDynamics
    activation: np.ndarray
    """By least squares, in [0, 1], shape [num_frames, num_muscles]."""
    errors: dict[str, list[GroupError]]
    """Errors by the way that activations were found."""
    residuals: list[Residual]
    """Of least squares."""
    frames_per_s: dict[str, float] = field(default_factory=dict)
    """Speed of each stage."""
    network: BodyMuscleNN | None = None

    def as_json(self) -> dict:
        """Numbers about torques and speeds."""
        content = {"frames_per_s": dict(self.frames_per_s)}
        content["least_squares"] = as_json(self.errors[LEAST_SQUARES], self.residuals)
        if NETWORK in self.errors:
            content["muscle_nn"] = as_json(self.errors[NETWORK], [])
            content["muscle_nn"].pop("residuals")
        return content


def explain(
    body: HumanBody, motion: HumanMotion, job: HumanJob, report: Callable[[str], None] = lambda line: None
) -> HumanResult:
    """Inverse dynamics, activations by least squares, and by a network, which is written to the output folder.

    Args:
        body: The body.
        motion: Its motion.
        job: Which network; its output folder exists.
        report: Called with a line before each slow stage.

    Raises:
        ValueError: If the network is another body's.
    """
    network = None if job.muscle_model is None else load_body_muscle_nn(job.muscle_model, body)
    clock = _Clock(motion.num_frames)
    dynamics = clock("inverse_dynamics", lambda: inverse_dynamics(body, motion))
    report(f"inverse dynamics: {motion.num_frames} frames")
    activation = clock("least_squares", lambda: least_squares(dynamics))
    errors = {LEAST_SQUARES: group_errors(body, dynamics, activation)}
    if network is None and job.train_minutes > 0.0:
        report(f"training MuscleNN for {job.train_minutes:g} min")
        network = train(body, motion, dynamics, activation, job)
        save_body_muscle_nn(job.output_dir / MODEL_FILE, network)
    if network is not None:
        states = states_of(network.facts, dynamics)
        with torch.no_grad():
            found = clock("muscle_nn", lambda: network(states)).double().numpy()
        errors[NETWORK] = group_errors(body, dynamics, found)
    missing = residuals(body, dynamics, activation)
    return HumanResult(body, motion, dynamics, activation, errors, missing, clock.speeds, network)


def least_squares(dynamics: HumanDynamics, rest: float = 0.0) -> np.ndarray:
    """Activations of all frames by bounded least squares, shape [num_frames, num_muscles].

    Args:
        dynamics: Of the motion.
        rest: Activation of muscles that are not needed.
    """
    scale = torch.from_numpy(torque_scale(dynamics))
    wanted = dynamics.torque - dynamics.passive_torque
    parts = []
    for start in range(0, len(wanted), CHUNK):
        rows = slice(start, start + CHUNK)
        gains, torque = (torch.from_numpy(values[rows]) for values in (dynamics.torque_per_activation, wanted))
        parts.append(bounded_activations(gains, torque, scale, rest=rest).activation.numpy())
    return np.concatenate(parts)


def train(
    body: HumanBody, motion: HumanMotion, dynamics: HumanDynamics, activation: np.ndarray, job: HumanJob
) -> BodyMuscleNN:
    """A network for the states around a motion, whose activations by least squares it starts from."""
    facts = BodyMuscleFacts(body.moved_names, body.muscles.names, crossings_of(dynamics))
    scale = network_scale(dynamics)
    states = sample_states(body, motion, dynamics, facts, scale, seed=job.seed)
    return train_body_muscle_nn(facts, states, scale, activation.mean(0), job.train_minutes, job.seed)


class _Clock:
    """Calls things and keeps their speed in frames per second."""

    def __init__(self, num_frames: int):
        self._num_frames, self.speeds = num_frames, {}

    def __call__(self, name: str, call: Callable):
        started = time.perf_counter()
        result = call()
        self.speeds[name] = self._num_frames / (time.perf_counter() - started)
        return result
