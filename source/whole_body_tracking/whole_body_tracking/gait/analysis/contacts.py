"""Which foot stands when: stances with their times and places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.geometry.ground import foot_points
from whole_body_tracking.robots import RobotModel

NEAR_FLOOR = 0.05
"""A foot whose lowest point is higher than this over the clip's floor is in the air [m]; mocap's floors are uneven."""
FLOOR_PERCENTILE = 20.0
"""Percentile of the lower foot's height that counts as floor: in a walk the lower foot stands nearly always."""
SLOW_SHARE = 0.25
"""A foot slower than this share of its fast movements (95th percentile of its speed) may stand."""
SLOWEST_LIMIT, FASTEST_LIMIT = 0.05, 1.0
"""Bounds of that limit [m/s]."""
STILL_SHARE = 0.02
"""Within a stance that was found, the foot stands from where its speed falls below this share of the swing's peak."""
NOISE_FACTOR = 5.0
"""A foot counts as still below this many times the median speed of its stances, which mocap does not hold at zero."""
SHORTEST = 0.06
"""Shorter stances, and shorter gaps between two of them, are noise [s]."""
CUT_OFF = 0.1
"""A stance that the clip cuts off sooner is left out [s]."""
LOW_POINT = 0.01
"""A point of a sole lower than this above the floor should not slide [m]."""


@dataclass(frozen=True)
class Soles:
    """Sole points of both feet over time."""

    fps: float
    points_w: np.ndarray
    """[m], shape [num_frames, 2, num_points, 3]."""
    yaw: np.ndarray
    """Heading of the feet [rad], unwrapped, shape [num_frames, 2]."""
    speed: np.ndarray
    """Speed of the point of each sole that moves least [m/s], shape [num_frames, 2]: a foot that rolls over its heel
    or toes has one at rest."""

    @property
    def height(self) -> np.ndarray:
        """Height of the lowest point of each sole over z = 0 [m], shape [num_frames, 2]."""
        return self.points_w[..., 2].min(-1)

    @property
    def center_w(self) -> np.ndarray:
        """Mean of each sole's points [m], shape [num_frames, 2, 3]."""
        return self.points_w.mean(2)

    @property
    def floor(self) -> float:
        """Height on which the clip walks [m]."""
        return float(np.percentile(self.height.min(-1), FLOOR_PERCENTILE))


@dataclass(frozen=True)
class Stance:
    """One contact of one foot with the ground."""

    foot: int
    """0 left, 1 right."""
    start: float
    """Time of touchdown [s]; minus infinity if the clip begins with it."""
    end: float
    """Time of lift-off [s]; infinity if the clip ends with it."""
    place: np.ndarray
    """Centre of the sole in the middle of the stance [m], shape [2]."""
    yaw: float
    """Heading of the foot there [rad]."""
    slip: float
    """Longest way between two places of one low sole point during the stance [m]."""
    clearance: float
    """Greatest height of the sole's lowest point over the floor in the swing after this stance [m]; NaN without one."""


def sole_motion(clip: MotionClip, robot: RobotModel) -> Soles:
    """Soles of a clip."""
    order = clip.body_indices(robot.body_names)
    pos, quat = torch.from_numpy(clip.body_pos_w[:, order]).double(), torch.from_numpy(clip.body_quat_w[:, order])
    points = foot_points(robot, pos, quat.double()).numpy()
    x, y, z, w = quat[:, [robot.body_names.index(name) for name in robot.foot_body_names]].double().numpy().T
    yaw = np.unwrap(np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)).T, axis=0)
    velocity = np.gradient(points, 1.0 / clip.fps, axis=0)
    return Soles(clip.fps, points, yaw, np.linalg.norm(velocity, axis=-1).min(-1))


def find_stances(soles: Soles) -> list[Stance]:
    """Stances of both feet, sorted by their touchdowns.

    A foot stands while its sole is near the floor and slow. The slow stretches are found with a limit that follows the
    foot's own speed; each end is then moved inwards to where the foot is still.
    """
    stances = []
    for foot in range(2):
        intervals = _slow_intervals(soles, foot)
        stances += [_stance(soles, foot, intervals, index) for index in range(len(intervals))]
    return sorted(stances, key=lambda stance: stance.start)


def _slow_intervals(soles: Soles, foot: int) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which a foot is near the floor and slow."""
    speed = soles.speed[:, foot]
    limit = np.clip(SLOW_SHARE * np.percentile(speed, 95.0), SLOWEST_LIMIT, FASTEST_LIMIT)
    stands = (speed < limit) & (soles.height[:, foot] - soles.floor < NEAR_FLOOR)
    shortest = max(1, round(SHORTEST * soles.fps))
    for value in (False, True):  # first close short gaps, then drop short stances
        for first, last in _runs(stands == value):
            inside = first > 0 and last < len(stands) - 1
            if last - first + 1 < shortest and inside:
                stands[first : last + 1] = not value
    # A stance of which the clip shows only the first moments: the foot may still be landing.
    return [run for run in _runs(stands) if run[1] < len(stands) - 1 or run[1] - run[0] >= CUT_OFF * soles.fps]


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.diff(np.concatenate(([0], mask.astype(int), [0])))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True))


def _stance(soles: Soles, foot: int, intervals: list[tuple[int, int]], index: int) -> Stance:
    (first, last), speed, last_frame = intervals[index], soles.speed[:, foot], len(soles.speed) - 1
    noise = NOISE_FACTOR * float(np.median(np.concatenate([speed[a : b + 1] for a, b in intervals])))
    before = speed[(intervals[index - 1][1] + 1) if index else 0 : first]
    after = speed[last + 1 : intervals[index + 1][0] if index + 1 < len(intervals) else None]
    middle = (first + last) // 2
    start, end = -np.inf, np.inf
    if first > 1:  # the speed of the first frame is one-sided
        start = _crossing(speed, first, middle, max(noise, STILL_SHARE * before.max(initial=0.0))) / soles.fps
    if last < last_frame:
        end = _crossing(speed, last, middle, max(noise, STILL_SHARE * after.max(initial=0.0))) / soles.fps
    inner = slice(
        max(first, int(np.ceil(start * soles.fps)) if np.isfinite(start) else 0),
        min(last, int(np.floor(end * soles.fps)) if np.isfinite(end) else last_frame) + 1,
    )
    quarter = (inner.stop - inner.start) // 4
    core = slice(inner.start + quarter, max(inner.stop - quarter, inner.start + quarter + 1))
    swing = slice(last + 1, intervals[index + 1][0]) if index + 1 < len(intervals) else slice(0, 0)
    return Stance(
        foot=foot,
        start=start,
        end=end,
        place=soles.center_w[core, foot, :2].mean(0),
        yaw=float(soles.yaw[core, foot].mean()),
        slip=_slip(soles.points_w[inner, foot], soles.floor),
        clearance=_peak(soles.height[swing, foot] - soles.floor),
    )


def _crossing(speed: np.ndarray, frame: int, middle: int, limit: float) -> float:
    """Fractional frame at which the speed falls below a limit, on the way from a stance's border to its middle."""
    step = 1 if middle >= frame else -1
    while frame != middle and speed[frame] >= limit:
        frame += step
    outside = frame - step
    if not 0 <= outside < len(speed) or speed[outside] <= max(limit, speed[frame]):
        return float(frame)
    share = (limit - speed[frame]) / (speed[outside] - speed[frame])
    return frame - step * float(np.clip(share, 0.0, 1.0))


def _slip(points: np.ndarray, floor: float) -> float:
    """Longest way between two places of one point while it is low [m]; shape of the points: [frames, points, 3]."""
    low = points[..., 2] < floor + LOW_POINT
    xy = np.where(low[..., None], points[..., :2], np.nan)
    if not low.any():
        return 0.0
    seen = xy[:, low.any(0)]
    extent = np.nanmax(seen, axis=0) - np.nanmin(seen, axis=0)
    return float(np.linalg.norm(extent, axis=-1).max())


def _peak(height: np.ndarray) -> float:
    """Greatest value, between the frames by a parabola through the three highest; NaN of nothing."""
    if not len(height):
        return float("nan")
    top = int(height.argmax())
    if not 0 < top < len(height) - 1:
        return float(height[top])
    left, here, right = height[top - 1 : top + 2]
    bend = left - 2.0 * here + right
    return float(here - (left - right) ** 2 / (8.0 * bend)) if bend < 0.0 else float(here)
