"""What the robot should reach: the person's motion scaled to the robot's limbs, feet locked where they stand."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_exp, quat_log, quat_mul, quat_rotate

from .figure import SIDES, RobotFigure
from .person.contacts import runs
from .person.measure import Person

CLEARANCE = 0.02
"""Height of a sole above the ground in the middle of a swing, at least [m]."""
BLEND = 0.08
"""Time in which a foot turns from the person's orientation to flat and back [s]."""


@dataclass(frozen=True)
class Targets:
    """Targets by name. Tensors are float64, shape [num_frames, ...], in the world frame."""

    fps: float
    pos: dict[str, Tensor]
    """Positions of the robot's points [m], shape [num_frames, 3]."""
    quat: dict[str, Tensor]
    """Orientations of its frames (x, y, z, w), shape [num_frames, 4]."""
    contact: dict[str, Tensor]
    """Whether a point is locked to the ground, shape [num_frames], by name of heel or toe."""
    floor: Tensor
    """Height that the soles of each foot keep [m], 0 while it stands, shape [num_frames, 2]."""
    wanted: dict[str, Tensor]
    """Where hands, feet and head would be without locks [m]: what tracking errors are measured against."""
    scale: float
    """Robot's leg over the person's."""

    @property
    def num_frames(self) -> int:
        return len(self.pos["pelvis"])


def build_targets(person: Person, figure: RobotFigure) -> Targets:
    """Scale the person to the robot.

    Feet and hips are the person's times the ratio of leg lengths; above the hips every limb keeps the person's
    direction and takes the robot's length. The first frame stands over the origin.
    """
    scale = figure.leg_length / person.leg_length
    pelvis, hips = _pelvis(person, figure, scale)
    quat = {name: person.frames[name] for name in ("pelvis", "chest")}
    pos = {"pelvis": pelvis} | _upper_body(person, figure, pelvis)
    for side in SIDES:
        pos[f"{side}_knee"] = _along(hips[side], person, figure, f"{side}_hip", f"{side}_knee")
    contact: dict[str, Tensor] = {}
    floor = []
    ankles = _ankles(person, figure, scale)
    for foot, side in enumerate(SIDES):
        heel, toe = person.heel_contact[:, foot], person.toe_contact[:, foot]
        quat[f"{side}_foot"] = _flattened(person.frames[f"{side}_foot"], heel & toe, person.fps)
        pos |= _foot_points(figure, side, ankles[side], quat[f"{side}_foot"], heel, toe, person.fps)
        contact |= {f"{side}_heel": heel, f"{side}_toe": toe}
        floor.append(_clearance(heel | toe, person.fps))
    wanted = {name: pos[name] for name in ("left_wrist", "right_wrist", "head")}
    wanted |= {f"{side}_ankle": ankles[side] for side in SIDES}
    origin = pelvis[0] * pelvis.new_tensor([1.0, 1.0, 0.0])
    pos = {name: value - origin for name, value in pos.items()}
    wanted = {name: value - origin for name, value in wanted.items()}
    return Targets(person.fps, pos, quat, contact, torch.stack(floor, dim=1), wanted, scale)


def _pelvis(person: Person, figure: RobotFigure, scale: float) -> tuple[Tensor, dict[str, Tensor]]:
    """Positions of the robot's pelvis and hips: the middle of the person's hips, scaled above the ankles' height."""
    middle = 0.5 * (person.pos["left_hip"] + person.pos["right_hip"]) * scale
    ankle_height = (
        -float(figure.points["left_heel"][2]) if figure.bodies["left_heel"] == figure.bodies["left_ankle"] else 0.0
    )
    middle[:, 2] += ankle_height - scale * person.flat.ankle
    offset = {side: figure.in_frame[f"{side}_hip"] for side in SIDES}
    turned = {side: quat_rotate(person.frames["pelvis"], offset[side].expand_as(middle)) for side in SIDES}
    pelvis = middle - 0.5 * (turned["left"] + turned["right"])
    return pelvis, {side: pelvis + turned[side] for side in SIDES}


def _ankles(person: Person, figure: RobotFigure, scale: float) -> dict[str, Tensor]:
    """Positions of the robot's ankles: the person's scaled, moved apart by the difference in hip width."""
    width = figure.length("left_hip", "right_hip") - scale * person.length("left_hip", "right_hip")
    left = quat_rotate(
        person.frames["pelvis"], person.frames["pelvis"].new_tensor([0.0, 1.0, 0.0]).expand(person.num_frames, 3)
    )
    left = left * left.new_tensor([1.0, 1.0, 0.0])
    ankles = {}
    for sign, side in ((0.5, "left"), (-0.5, "right")):
        ankle = person.pos[f"{side}_ankle"] * scale + sign * width * left
        ankle[:, 2] -= scale * person.flat.ankle + float(figure.points[f"{side}_heel"][2])
        ankles[side] = ankle
    return ankles


def _upper_body(person: Person, figure: RobotFigure, pelvis: Tensor) -> dict[str, Tensor]:
    chest = pelvis + quat_rotate(person.frames["pelvis"], figure.in_frame["chest"].expand_as(pelvis))
    up = person.frames["chest"]
    pos = {f"{s}_shoulder": chest + quat_rotate(up, figure.in_frame[f"{s}_shoulder"].expand_as(pelvis)) for s in SIDES}
    for side in SIDES:
        pos[f"{side}_elbow"] = _along(pos[f"{side}_shoulder"], person, figure, f"{side}_shoulder", f"{side}_elbow")
        pos[f"{side}_wrist"] = _along(pos[f"{side}_elbow"], person, figure, f"{side}_elbow", f"{side}_wrist")
        hand, wrist = person.pos.get(f"{side}_hand"), person.pos[f"{side}_wrist"]
        if hand is not None and float((hand - wrist).norm(dim=-1).min()) > 1e-3:
            pos[f"{side}_hand"] = _along(pos[f"{side}_wrist"], person, figure, f"{side}_wrist", f"{side}_hand")
    pos["head"] = chest + quat_rotate(up, figure.in_frame["head"].expand_as(pelvis))
    return pos


def _along(start: Tensor, person: Person, figure: RobotFigure, upper: str, lower: str) -> Tensor:
    """End of a limb: the person's direction, the robot's length."""
    direction = torch.nn.functional.normalize(person.pos[lower] - person.pos[upper], dim=-1)
    return start + figure.length(upper, lower) * direction


def _flattened(quat: Tensor, stands: Tensor, fps: float) -> Tensor:
    """A foot's orientation, turned flat while it stands."""
    forward = quat_rotate(quat, quat.new_tensor([1.0, 0.0, 0.0]).expand(len(quat), 3))
    yaw = torch.atan2(forward[:, 1], forward[:, 0])
    zero = torch.zeros_like(yaw)
    flat = torch.stack((zero, zero, (0.5 * yaw).sin(), (0.5 * yaw).cos()), dim=-1)
    share = _box_filtered(stands.double(), 2 * round(0.5 * BLEND * fps) + 1)[:, None]
    return quat_mul(quat_exp(share * quat_log(quat_mul(flat, quat_conjugate(quat)))), quat)


def _box_filtered(values: Tensor, width: int) -> Tensor:
    padded = torch.nn.functional.pad(values[None, None], (width // 2, width // 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, width, stride=1)[0, 0]


def _foot_points(
    figure: RobotFigure, side: str, ankle: Tensor, quat: Tensor, heel: Tensor, toe: Tensor, fps: float
) -> dict[str, Tensor]:
    """Heel and toe of the sole, above the ground, locked where they stand."""
    points = {}
    for part in ("heel", "toe"):
        local = ankle.new_tensor(figure.points[f"{side}_{part}"] - figure.points[f"{side}_ankle"])
        points[part] = ankle + quat_rotate(quat, local.expand_as(ankle))
        points[part][:, 2].clamp_(min=0.0)
    moved_toe = lock_points(points["toe"], toe)
    between = points["heel"] - points["toe"]
    moved_heel = lock_points(points["heel"], heel, (moved_toe, between, toe))
    return {f"{side}_toe": _lifted(moved_toe, toe, fps), f"{side}_heel": _lifted(moved_heel, heel, fps)}


def _lifted(points: Tensor, stands: Tensor, fps: float) -> Tensor:
    """Points that keep a clearance to the ground while they swing."""
    height = torch.maximum(points[:, 2], _clearance(stands, fps))
    return torch.cat((points[:, :2], height[:, None]), dim=1)


def _clearance(stands: Tensor, fps: float) -> Tensor:
    """Least height above the ground [m]; it grows after lift-off and shrinks before landing, shape [num_frames]."""
    swings = 1.0 - _box_filtered(stands.double(), 2 * round(0.75 * BLEND * fps) + 1)
    return torch.where(stands, 0.0, CLEARANCE * swings)


def lock_points(points: Tensor, stands: Tensor, toe: tuple[Tensor, Tensor, Tensor] | None = None) -> Tensor:
    """Points that rest at the median of their place while they stand; in between the shift fades linearly.

    Args:
        points: Positions [m], shape [num_frames, 3].
        stands: Whether the point stands, shape [num_frames].
        toe: For a heel: its locked toe, the way from toe to heel, and whether the toe stands: while both do, the heel
            is placed by the toe, so that the foot keeps its length.
    """
    places, shifts = [], []
    for start, end in runs(stands):
        rest = points[start:end].median(0).values
        if toe is not None:
            locked, between, toe_stands = toe
            both = toe_stands[start:end]
            if both.any():
                rest = locked[start:end][both].median(0).values + between[start:end][both].median(0).values
        rest[2] = 0.0
        places += range(start, end)
        shifts.append(rest - points[start:end])
    if not places:
        return points
    return points + _interpolated(torch.tensor(places), torch.cat(shifts), len(points))


def _interpolated(places: Tensor, values: Tensor, num_frames: int) -> Tensor:
    """Values at all frames, linear between those that are given and constant beyond, shape [num_frames, 3]."""
    frames = torch.arange(num_frames)
    after = torch.searchsorted(places, frames).clamp(max=len(places) - 1)
    before = (torch.searchsorted(places, frames, right=True) - 1).clamp(min=0)
    span = (places[after] - places[before]).clamp(min=1)
    alpha = ((frames - places[before]).double() / span).clamp(0.0, 1.0)[:, None]
    return torch.lerp(values[before], values[after], alpha)
