"""A person's motion as landmarks, body frames and ground contacts, whatever the skeleton's own conventions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul, quat_rotate

from ..figure import SIDES
from ..reading import MocapFile
from ..skeleton import SkeletonMotion
from .contacts import FlatStance, contacts, flat_stance
from .frames import mean_direction, quat_from_axes, rest_up


@dataclass(frozen=True)
class Person:
    """What retargeting needs to know of a motion. Tensors are float64 in the world frame, z up."""

    fps: float
    pos: dict[str, Tensor]
    """Positions by landmark [m], shape [num_frames, 3]."""
    frames: dict[str, Tensor]
    """Orientations (x, y, z, w) of pelvis, chest, left_foot and right_foot, shape [num_frames, 4]: x forward, y left,
    z up when the person stands straight with flat feet."""
    heel_contact: Tensor
    """Whether the heel stands, left and right, shape [num_frames, 2]."""
    toe_contact: Tensor
    """Whether the toe stands, left and right, shape [num_frames, 2]."""
    flat: FlatStance

    @property
    def num_frames(self) -> int:
        return len(self.pos["pelvis"])

    def length(self, upper: str, lower: str) -> float:
        """Distance between two neighbouring landmarks, mean over the motion [m]."""
        return float((self.pos[lower] - self.pos[upper]).norm(dim=-1).mean())

    @property
    def leg_length(self) -> float:
        """Thigh and shank, mean of both sides [m]."""
        return sum(self.length(f"{s}_hip", f"{s}_knee") + self.length(f"{s}_knee", f"{s}_ankle") for s in SIDES) / 2.0


def measure_person(file: MocapFile, motion: SkeletonMotion) -> Person:
    """Find landmarks, frames and contacts.

    Args:
        file: Says which joint is which, and the table.
        motion: The file's motion, possibly at another rate or smoothed.

    Raises:
        ValueError: If a limb has length zero, or the rest pose does not tell which way is up.
    """
    joint_pos, joint_quat = motion.joint_poses()
    pos = {landmark: joint_pos[:, motion.index(name)] for landmark, name in file.joints.items()}
    quat = {landmark: joint_quat[:, motion.index(name)] for landmark, name in file.joints.items()}
    _require_limbs(pos, file.joints)
    ankle, toe = (torch.stack([pos[f"{side}_{part}"] for side in SIDES], dim=1) for part in ("ankle", "toe"))
    flat = flat_stance(ankle, toe, motion.fps)
    heel_contact, toe_contact = contacts(ankle, toe, flat, motion.fps)
    frames = {
        "pelvis": _trunk_frame(file, motion, "pelvis", quat["pelvis"], pos["left_hip"] - pos["right_hip"]),
        "chest": _trunk_frame(file, motion, "chest", quat["chest"], pos["left_shoulder"] - pos["right_shoulder"]),
    }
    for foot, side in enumerate(SIDES):
        stands = heel_contact[:, foot] & toe_contact[:, foot]
        direction = pos[f"{side}_toe"] - pos[f"{side}_ankle"]
        frames[f"{side}_foot"] = _foot_frame(quat[f"{side}_ankle"], direction, stands, ankle[:, foot, 2])
    return Person(motion.fps, pos, frames, heel_contact, toe_contact, flat)


def _require_limbs(pos: dict[str, Tensor], joints: dict[str, str]) -> None:
    for side in SIDES:
        for chain in (("hip", "knee", "ankle", "toe"), ("shoulder", "elbow", "wrist")):
            for upper, lower in zip(chain, chain[1:], strict=False):
                a, b = f"{side}_{upper}", f"{side}_{lower}"
                if float((pos[a] - pos[b]).norm(dim=-1).min()) < 1e-3:
                    raise ValueError(
                        f"The bone from '{joints[a]}' ({a}) to '{joints[b]}' ({b}) is shorter than 1 mm. Check the"
                        " file's OFFSETs, or name other joints in a table."
                    )
    if float((pos["left_hip"] - pos["right_hip"]).norm(dim=-1).min()) < 1e-3:
        raise ValueError(f"Both hips ('{joints['left_hip']}', '{joints['right_hip']}') are at one place.")
    if float((pos["left_shoulder"] - pos["right_shoulder"]).norm(dim=-1).min()) < 1e-3:
        raise ValueError(
            f"Both shoulders ('{joints['left_shoulder']}', '{joints['right_shoulder']}') are at one place."
        )


def _trunk_frame(file: MocapFile, motion: SkeletonMotion, landmark: str, quat: Tensor, left_w: Tensor) -> Tensor:
    """Orientation of pelvis or chest; its up axis is fixed to the joint, by the table or the upright rest pose."""
    up = file.table.up_axis.get(landmark)
    up = torch.from_numpy(up) if up is not None else rest_up(motion, file.joints)
    left = mean_direction(quat_rotate(quat_conjugate(quat), left_w))
    return quat_mul(quat, quat_from_axes(left, up).expand_as(quat))


def _foot_frame(quat: Tensor, direction_w: Tensor, stands: Tensor, height: Tensor) -> Tensor:
    """Orientation of a foot; up and forward are fixed to the joint by the frames in which the foot stands flat."""
    if not stands.any():
        stands = height <= height.min() + 0.01
    inverse = quat_conjugate(quat[stands])
    up_w = torch.tensor([0.0, 0.0, 1.0], dtype=quat.dtype).expand(len(inverse), 3)
    forward_w = direction_w[stands] * torch.tensor([1.0, 1.0, 0.0], dtype=quat.dtype)
    up = mean_direction(quat_rotate(inverse, up_w))
    forward = mean_direction(quat_rotate(inverse, forward_w))
    left = torch.linalg.cross(up, forward)
    return quat_mul(quat, quat_from_axes(left, up).expand_as(quat))
