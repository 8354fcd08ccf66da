"""Where and when the feet stand: footprints along a path, steps in time, and the zero-moment point under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .parameters import GaitParameters, ParameterSchedule

WARM_UP = 2.8
"""Time planned before the first and after the last frame: three slow steps, so that neither is a transient [s]."""
GRID = 0.01
"""Time between two points of the path [s]."""
STAND = 1.5
"""Rest before the first and after the last step of a motion that starts and ends standing [s]."""
START_TIME = 0.8
"""Time in which such a motion gets up to speed [s]."""
ROLL_SHARE, LONGEST_ROLL = 0.25, (-0.03, 0.075)
"""The zero-moment point runs under a standing foot from the sole's middle by this share of a step towards the toe,
which carries alone once the heel lifts; between these bounds [m]."""
HEEL_PER_STRIDE, HEEL_PER_LIFT, LARGEST_HEEL = 0.6, 2.0, 0.8
"""[rad/m], [rad/m], [rad]"""


@dataclass(frozen=True)
class Path:
    """The middle line between the footprints over time, and the phase of the steps."""

    time: np.ndarray
    """[s], shape [num_times]."""
    values: dict[str, np.ndarray]
    """Every gait parameter, shape [num_times], by name."""
    phase: np.ndarray
    """Steps since t = 0, at which the left foot touches down, shape [num_times]."""
    heading: np.ndarray
    """[rad], 0 at t = 0, shape [num_times]."""
    pos: np.ndarray
    """[m], 0 at t = 0, shape [num_times, 2]."""
    moves: tuple[float, float]
    """Time of the first and the last movement [s]; infinite for a motion that walks all the time."""

    changes: bool
    """Whether a parameter changes over time."""

    def at(self, series: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Values of a series of the path at other times, shape [num, ...]."""
        columns = series.reshape(len(self.time), -1).T
        found = np.stack([np.interp(time, self.time, column) for column in columns], axis=-1)
        return found.reshape(len(time), *series.shape[1:])


def make_path(schedule: ParameterSchedule, seconds: float, omega: float, standing: bool) -> Path:
    """Lay the path of a schedule.

    In a turn the centre of mass runs on a smaller circle than the zero-moment point: p = x (1 + turn^2 / w^2). The
    footprints' circle is larger by half of that, so that stride and speed of the pelvis are both off by the other half.

    Args:
        schedule: What is wanted over time.
        seconds: Length of the motion.
        omega: sqrt(g / height of the centre of mass) [1/s].
        standing: Whether it starts and ends at rest.
    """
    time = np.arange(-WARM_UP, seconds + WARM_UP + GRID, GRID)
    values = schedule.table(time)
    moves = (STAND, seconds - STAND) if standing else (-np.inf, np.inf)
    share = np.ones_like(time)
    if standing:
        share = _smooth((time - moves[0]) / START_TIME) * _smooth((moves[1] - time) / START_TIME)
    turn = share * values["turn_rate"]
    faster = share * (1.0 + 0.5 * (turn / omega) ** 2)
    heading = _integral(turn, time)
    forward, left = faster * values["speed"], faster * values["lateral_speed"]
    velocity = np.stack(
        (
            forward * np.cos(heading) - left * np.sin(heading),
            forward * np.sin(heading) + left * np.cos(heading),
        ),
        axis=-1,
    )
    return Path(
        time,
        values,
        _integral(values["cadence"] / 60.0, time),
        heading,
        _integral(velocity, time),
        moves,
        standing or not schedule.is_constant,
    )


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _integral(rate: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Integral over time by the trapezoidal rule, 0 at t = 0."""
    dt = time[1] - time[0]
    total = np.concatenate((np.zeros_like(rate[:1]), np.cumsum(0.5 * dt * (rate[1:] + rate[:-1]), axis=0)))
    zero = np.array([np.interp(0.0, time, column) for column in total.reshape(len(time), -1).T])
    return total - zero.reshape(total.shape[1:])


@dataclass(frozen=True)
class Footsteps:
    """Steps k = 0, 1, ...: step k begins with the touchdown of foot k on footprint k, even left, odd right.

    Both feet stand for the first part of a step, then foot k - 1 swings from footprint k - 1 to footprint k + 1.
    """

    left: np.ndarray
    """Whether the foot is the left one, shape [num_steps]."""
    start: np.ndarray
    """Touchdowns [s], shape [num_steps]."""
    swing_start: np.ndarray
    """When the other foot lifts off [s], shape [num_steps]."""
    place: np.ndarray
    """Middle of the sole [m], shape [num_steps, 2]."""
    yaw: np.ndarray
    """Heading of the foot [rad], shape [num_steps]."""
    clearance: np.ndarray
    """How high the other foot is lifted [m], 0 where nobody moves, shape [num_steps]."""
    heel: np.ndarray
    """How far the other foot turns about its toe, heel up [rad], shape [num_steps]."""
    roll: np.ndarray
    """Way of the zero-moment point from the sole's middle, along the foot [m], shape [num_steps]."""
    rests: np.ndarray
    """Whether nobody moves in this step, shape [num_steps]."""

    def zmp(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the pieces of the zero-moment point: times [s], shape [num], and places [m], shape [num, 2].

        It crosses over to the new foot while both stand, and rests in their middle while nobody moves.
        """
        ahead = self.roll[:, None] * np.stack((np.cos(self.yaw), np.sin(self.yaw)), -1)
        begin, end = self.place, self.place + ahead
        middle = 0.5 * (self.place[1:] + self.place[:-1])
        middle = np.concatenate((middle[:1], middle))
        begin = np.where(self.rests[:, None], middle, begin)
        end = np.where(self.rests[:, None], middle, end)
        times = np.stack((self.swing_start[:-1], self.start[1:]), -1).reshape(-1)
        return times, np.stack((begin[:-1], end[:-1]), 1).reshape(-1, 2)


def place_footsteps(path: Path) -> Footsteps:
    """Footprints half a step width to either side of where the path is in the middle of each foot's single support."""
    first, last = int(np.ceil(path.phase[0])), int(np.floor(path.phase[-1]))
    number = np.arange(first, last + 1)
    start = np.interp(number, path.phase, path.time)
    values = {name: path.at(series, start) for name, series in path.values.items()}
    period, double = 60.0 / values["cadence"], values["double_support"]
    middle = start + 0.5 * (1.0 + double) * period
    heading, left = path.at(path.heading, middle), number % 2 == 0
    side = np.where(left, 0.5, -0.5) * values["step_width"]
    place = path.at(path.pos, middle) + side[:, None] * np.stack((-np.sin(heading), np.cos(heading)), -1)
    rests = (np.roll(middle, -1) <= path.moves[0]) | (np.roll(middle, 1) >= path.moves[1])
    step = values["speed"] * period
    return Footsteps(
        left=left,
        start=start,
        swing_start=start + double * period,
        place=place,
        yaw=heading,
        clearance=np.where(rests, 0.0, values["clearance"]),
        heel=np.where(rests, 0.0, heel_lift(2.0 * step, values["clearance"])),
        roll=np.clip(ROLL_SHARE * step, *LONGEST_ROLL),
        rests=rests,
    )


def heel_lift(stride: np.ndarray, clearance: np.ndarray) -> np.ndarray:
    """Turn of a swinging foot about its toe [rad]: more for longer and higher steps, which the ankle's range needs."""
    return np.clip(HEEL_PER_STRIDE * np.maximum(stride, 0.0) + HEEL_PER_LIFT * clearance, 0.0, LARGEST_HEEL)


def check_length(schedule: ParameterSchedule, seconds: float, standing: bool) -> None:
    """Refuse a motion that is too short.

    Raises:
        ValueError: If it is shorter than a cycle, or than starting and stopping takes.
    """
    slowest: GaitParameters = min(schedule.points, key=lambda point: point["cadence"])
    cycle = 120.0 / slowest["cadence"]
    least = 2.0 * (STAND + START_TIME) + cycle if standing else cycle
    if not np.isfinite(seconds) or seconds < least:
        raise ValueError(f"{seconds:g} s is too short for this gait: give at least {least:.2g} s.")
    if seconds > 3600.0:
        raise ValueError(f"{seconds:g} s is too long: give at most 3600 s.")
