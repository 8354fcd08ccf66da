"""A walk that goes on for ever while its parameters change: what the studio shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion.conversion.readers import RawMotion

from .network.layout import NUM_ROOT, RootMotion, decode, encode
from .planning.parameters import GaitParameters

CYCLE_POINTS = 100
"""Phases of the cycle that are stored."""
BLEND_TIME = 0.4
"""Time constant with which one gait becomes another [s]."""


@dataclass(frozen=True)
class CycleTable:
    """One gait cycle as outputs over the phase."""

    outputs: np.ndarray
    """In the heading frame (network/layout.py), shape [CYCLE_POINTS, num_outputs]."""
    cadence: float
    """Steps per minute."""

    @classmethod
    def of(cls, motion: RawMotion, parameters: GaitParameters) -> CycleTable:
        """Cut the second cycle from a motion of constant parameters that begins with the left foot's touchdown.

        Raises:
            ValueError: If the motion is shorter than two cycles and a half.
        """
        period = 120.0 / parameters["cadence"]
        if motion.duration < 2.5 * period:
            raise ValueError(
                f"Two and a half cycles of {period:.2f} s are needed, the motion has {motion.duration:.2f} s."
            )
        time = np.arange(motion.num_frames) / motion.fps
        root = RootMotion(motion.root_pos, motion.root_quat, motion.joint_pos)
        outputs = encode(root, parameters["turn_rate"] * time, motion.fps)
        phases = period * (1.0 + np.arange(CYCLE_POINTS) / CYCLE_POINTS)
        return cls(np.stack([np.interp(phases, time, column) for column in outputs.T], axis=-1), parameters["cadence"])

    def at(self, phase: float) -> np.ndarray:
        """Outputs at a phase, shape [num_outputs]; continuous where the phase wraps."""
        place = phase % 1.0 * CYCLE_POINTS
        below = int(place) % CYCLE_POINTS
        share = place - int(place)
        return (1.0 - share) * self.outputs[below] + share * self.outputs[(below + 1) % CYCLE_POINTS]


class LiveWalk:
    """Root and joints of a robot that walks on, step of time by step of time."""

    def __init__(self, table: CycleTable):
        self._table, self._cadence = table, table.cadence
        self._left = np.zeros(table.outputs.shape[1])
        """What is left of the gait before, added to the outputs; it fades out."""
        self.phase, self.heading, self.place = 0.0, 0.0, np.zeros(2)

    def change(self, table: CycleTable) -> None:
        """Walk on with another gait; the motion goes over into it without a jump."""
        self._left = self._left + self._table.at(self.phase) - table.at(self.phase)
        self._table = table

    def step(self, dt: float) -> RootMotion:
        """The frame ``dt`` seconds after the last; arrays of one row."""
        kept = np.exp(-dt / BLEND_TIME)
        self._cadence = self._table.cadence + kept * (self._cadence - self._table.cadence)
        self._left = kept * self._left
        self.phase = (self.phase + self._cadence / 120.0 * dt) % 1.0
        outputs = self._table.at(self.phase) + self._left
        forward, lateral, turn = outputs[7:NUM_ROOT]
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        self.place = self.place + dt * np.array([forward * cos - lateral * sin, forward * sin + lateral * cos])
        self.heading += dt * turn
        frame = decode(outputs[None], 1.0)
        quat = (Rotation.from_euler("z", self.heading) * Rotation.from_quat(frame.quat)).as_quat()
        return RootMotion(np.array([[*self.place, outputs[0]]]), quat, frame.joint_pos)
