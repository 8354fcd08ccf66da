"""Data sets of gaits on disk: 60 frames of each, with their parameters and phases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.motion.npz import read_arrays
from whole_body_tracking.robots import RobotModel

from .layout import output_names

FPS, NUM_FRAMES = 30.0, 60
"""Rate and length of a sample."""
DESCRIPTION = "dataset.json"


@dataclass(frozen=True)
class GaitSample:
    """One gait of the data set."""

    outputs: np.ndarray
    """shape [60, num_outputs]."""
    params: np.ndarray
    """In the order of :data:`PARAMETERS`, shape [num_params]."""
    phase: np.ndarray
    """shape [60]."""


@dataclass(frozen=True)
class DataSet:
    """A data set on disk; its files are read one after the other."""

    folder: Path
    description: dict
    files: list[Path]

    @classmethod
    def open(cls, folder: Path, robot: RobotModel) -> DataSet:
        """Check a folder.

        Raises:
            FileNotFoundError: If it holds no data set.
            ValueError: If the data set is of another robot or has other outputs.
        """
        path = folder / DESCRIPTION
        if not path.is_file():
            raise FileNotFoundError(f"{folder} holds no {DESCRIPTION}. Make a data set with scripts/gait/augment.py.")
        try:
            description = json.loads(path.read_text())
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}. Make the data set again with augment.py.") from None
        missing = {"robot", "outputs", "parameters", "num_gaits", "num_frames"} - set(description)
        if missing:
            raise ValueError(f"{path} lacks {sorted(missing)}. Make the data set again with augment.py.")
        if description.get("robot") != robot.name or description.get("outputs") != output_names(robot):
            raise ValueError(f"{folder} is a data set of {description.get('robot')}, and the robot is {robot.name}.")
        files = sorted(folder.glob("gaits_*.npz"))
        if not files:
            raise FileNotFoundError(f"{folder} holds no gaits_*.npz.")
        return cls(folder, description, files)

    @property
    def ranges(self) -> np.ndarray:
        """Low and high end of every parameter, shape [num_params, 2]."""
        return np.array([item["range"] for item in self.description["parameters"].values()])

    def read(self, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Motions, params and phase of one file.

        Raises:
            ValueError: If an array is missing, misshapen or not finite.
        """
        arrays = read_arrays(path)
        missing = [name for name in ("motions", "params", "phase") if name not in arrays]
        if missing:
            raise ValueError(f"{path} lacks the arrays {missing}; it has {sorted(arrays)}. Make it with augment.py.")
        motions, params, phase = arrays["motions"], arrays["params"], arrays["phase"]
        count, outputs = len(params), len(self.description["outputs"])
        expected = [(count, NUM_FRAMES, outputs), (count, len(self.ranges)), (count, NUM_FRAMES)]
        if [motions.shape, params.shape, phase.shape] != expected:
            found = [motions.shape, params.shape, phase.shape]
            raise ValueError(f"{path}: motions, params and phase have the shapes {found}, expected {expected}.")
        if not all(np.isfinite(values).all() for values in (motions, params, phase)):
            raise ValueError(f"{path} holds values that are not finite. Make it again with augment.py.")
        return motions, params, phase
