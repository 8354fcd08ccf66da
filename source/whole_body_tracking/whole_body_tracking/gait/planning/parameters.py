"""Gait parameters: names, units, ranges, and how they change over time."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.names import require_known


@dataclass(frozen=True)
class Parameter:
    """What one parameter means."""

    unit: str
    low: float
    high: float
    default: float
    meaning: str


PARAMETERS = {
    "speed": Parameter("m/s", -0.3, 0.9, 0.5, "forward speed"),
    "cadence": Parameter("steps/min", 70.0, 140.0, 100.0, "steps per minute"),
    "step_width": Parameter("m", 0.14, 0.30, 0.20, "distance of the feet across the heading"),
    "clearance": Parameter("m", 0.02, 0.15, 0.06, "greatest height of the swinging sole"),
    "double_support": Parameter("share", 0.10, 0.50, 0.24, "share of the time in which both feet stand"),
    "pelvis_height": Parameter("m", 0.60, 0.76, math.nan, "height of the pelvis; left out: as high as the steps allow"),
    "torso_pitch": Parameter("rad", -0.2, 0.4, 0.05, "lean of the torso forwards"),
    "pelvis_yaw": Parameter("rad", 0.0, 0.2, 0.05, "amplitude of the pelvis' turn with the steps"),
    "arm_swing": Parameter("rad", 0.0, 1.2, 0.4, "range of the shoulders' swing"),
    "turn_rate": Parameter("rad/s", -0.5, 0.5, 0.0, "turn of the heading, to the left positive"),
    "lateral_speed": Parameter("m/s", -0.2, 0.2, 0.0, "speed to the left"),
}
"""Every parameter of a planned gait, in the order of arrays."""

STRIDE = "stride_length"
"""Two steps [m]: another way to give the speed, speed = stride_length * cadence / 120."""
LONGEST_STRIDE = 1.1
"""[m]; longer ones need more of the ankles than they have, with feet that land flat."""
AGREEMENT = 1e-3
"""Relative difference of a speed from stride_length * cadence / 120 that is rounding."""
SMOOTHING = 0.3
"""Standard deviation of the Gaussian over parameters that change over time [s]."""


@dataclass(frozen=True)
class GaitParameters:
    """One value of every parameter.

    Raises:
        ValueError: If a value is not a number or out of its range, or the stride is too long.
    """

    values: dict[str, float]
    """By the names of :data:`PARAMETERS`; ``pelvis_height`` may be NaN."""
    given: frozenset[str] = frozenset(PARAMETERS)
    """Those that somebody asked for; the others have their defaults, which a network need not take."""

    def __post_init__(self):
        for name, value in self.values.items():
            _check_range(name, value, PARAMETERS[name])
        stride = abs(self.stride_length)
        if stride > LONGEST_STRIDE + 1e-9:
            cadence, speed = self.values["cadence"], self.values["speed"]
            raise ValueError(
                f"speed {speed:g} m/s at cadence {cadence:g} steps/min is a stride of {stride:.2f} m (speed * 120 /"
                f" cadence), and strides reach {LONGEST_STRIDE} m. Raise the cadence to"
                f" {math.ceil(120.0 * abs(speed) / LONGEST_STRIDE)}, or lower the speed to"
                f" {math.floor(100.0 * LONGEST_STRIDE * cadence / 120.0) / 100.0:g}."
            )

    @classmethod
    def of(cls, given: Mapping[str, float]) -> GaitParameters:
        """Fill in what is not given.

        Args:
            given: Some of :data:`PARAMETERS` and ``stride_length`` by name. Of speed, cadence and stride length two
                are enough.

        Raises:
            ValueError: If a name is unknown, a value is not a number or out of range, or the three contradict each
                other.
        """
        require_known(given, [*PARAMETERS, STRIDE], "gait parameter")
        given = {name: float(value) for name, value in given.items() if value is not None}
        for name, value in given.items():
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}, expected a finite number.")
        stride = given.pop(STRIDE, None)
        if stride is not None:
            given |= _without_stride(stride, given)
        return cls({name: given.get(name, item.default) for name, item in PARAMETERS.items()}, frozenset(given))

    @property
    def stride_length(self) -> float:
        """[m]"""
        return 120.0 * self.values["speed"] / self.values["cadence"]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def _check_range(name: str, value: float, item: Parameter) -> None:
    if math.isnan(value) and math.isnan(item.default):
        return
    if not item.low - 1e-9 <= value <= item.high + 1e-9:
        raise ValueError(
            f"{name} is {value:g} {item.unit}, allowed are {item.low:g} to {item.high:g} ({item.meaning})."
        )


def _without_stride(stride: float, given: dict[str, float]) -> dict[str, float]:
    """The speed and cadence that a stride length stands for."""
    if "speed" in given and "cadence" in given:
        speed = stride * given["cadence"] / 120.0
        if abs(speed - given["speed"]) > AGREEMENT * max(abs(speed), abs(given["speed"])):
            raise ValueError(
                f"speed {given['speed']:g} m/s, cadence {given['cadence']:g} steps/min and stride_length {stride:g} m"
                f" contradict each other: speed = stride_length * cadence / 120 would be {speed:.4g} m/s."
                " Leave one of the three out."
            )
        return {}
    if "speed" in given:
        if stride * given["speed"] <= 0.0:
            raise ValueError(
                f"speed {given['speed']:g} m/s and stride_length {stride:g} m must both be forwards or both be"
                " backwards, and not zero: their quotient is the cadence. Give the cadence instead."
            )
        return {"cadence": 120.0 * given["speed"] / stride}
    return {"speed": stride * given.get("cadence", PARAMETERS["cadence"].default) / 120.0}


@dataclass(frozen=True)
class ParameterSchedule:
    """Parameters at some times; between them they change linearly, before and after they stay."""

    times: np.ndarray
    """Increasing [s], shape [num_times]."""
    points: tuple[GaitParameters, ...]

    def __post_init__(self):
        if len(self.times) != len(self.points) or not len(self.times):
            raise ValueError(f"A schedule has one time per row, got {len(self.times)} and {len(self.points)}.")
        if not np.isfinite(self.times).all():
            raise ValueError(f"A schedule's times are finite numbers [s], got {self.times.tolist()}.")
        if (np.diff(self.times) <= 0.0).any():
            later = int(np.argmax(np.diff(self.times) <= 0.0))
            raise ValueError(f"Times of a schedule increase, but {self.times[later + 1]} follows {self.times[later]}.")

    @classmethod
    def constant(cls, parameters: GaitParameters) -> ParameterSchedule:
        """The same parameters all the time."""
        return cls(np.zeros(1), (parameters,))

    @classmethod
    def read_csv(cls, path: Path, others: Mapping[str, float] | None = None) -> ParameterSchedule:
        """Read a table with a header: the column ``time`` [s] and one column per parameter that changes.

        Args:
            path: The file.
            others: Parameters that stay the same.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If a column is unknown or given twice, a cell is not a number, or a row is out of range.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no UTF-8 text: {error.reason} at byte {error.start}.") from None
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row] or [[]]
        if "time" not in header or not rows:
            raise ValueError(f"{path}: expected a header with the column time and at least one row, found {header}.")
        others = dict(others or {})
        require_known([name for name in header if name != "time"], [*PARAMETERS, STRIDE], f"column of {path.name}")
        twice = [name for name in header if header.count(name) > 1 or name in others]
        if twice:
            raise ValueError(f"{path}: {twice[0]} is given twice. Keep it either as one column or as an option.")
        times, points = [], []
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise ValueError(f"{path}, line {number}: {len(row)} cells, and the header has {len(header)}.")
            try:
                values = dict(zip(header, map(float, row), strict=True))
                times.append(values.pop("time"))
                points.append(GaitParameters.of(values | others))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
        return cls(np.array(times), tuple(points))

    def table(self, time: np.ndarray) -> dict[str, np.ndarray]:
        """Smoothed values at equally spaced times [s], each of shape [num_times], by name."""
        from scipy.ndimage import gaussian_filter1d

        columns = {}
        for name in PARAMETERS:
            values = np.interp(time, self.times, [point[name] for point in self.points])
            changes = len(self.points) > 1 and not np.isnan(values).any()
            sigma = SMOOTHING / (time[1] - time[0])
            columns[name] = gaussian_filter1d(values, sigma, mode="nearest") if changes else values
        return columns

    @property
    def is_constant(self) -> bool:
        return len(self.points) == 1
