"""A human body: its model, where its landmarks are, and which coordinates belong together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import mujoco
import numpy as np
import torch
from torch import Tensor

from .coordinates import NUM_ROOT, Coordinates
from .muscles import MuscleFacts, muscle_facts

SIDES = ("left", "right")


@dataclass(frozen=True)
class Landmark:
    """A point that is fixed to a body."""

    body: int
    pos: np.ndarray
    """In the body's frame [m], shape [3]."""


@dataclass(frozen=True)
class Reflex:
    """Torque about a coordinate for its distance from a posture."""

    start: str
    """What the names of its coordinates begin with."""
    stiffness: float
    """[N m/rad]"""
    damping: float
    """[N m s/rad]"""


@dataclass(frozen=True)
class Balance:
    """Torque about some coordinates for how far the anchor is in front of where it should be."""

    start: str
    """What the names of its coordinates begin with; they share the torque."""
    sign: float
    """Of the torque that pushes the body back."""
    stiffness: float
    """[N]: N m per metre."""
    damping: float
    """[N s]"""


@dataclass(frozen=True)
class BodyTable:
    """Which parts of a model are which parts of a person. All places are those of the rest pose."""

    points: dict[str, tuple[str, tuple[float, float, float]]]
    """Body of each landmark and its place [m], in axes x forward, y left, z up, from the body's origin."""
    frames: dict[str, str]
    """Body of pelvis, chest, left_foot and right_foot."""
    soles: dict[str, tuple[tuple[str, tuple[float, float]], ...]]
    """Corners of the left and the right sole, the first two of the heel and the last two of the toes: their body, and
    how far they are forward and left of its origin [m]."""
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Names of groups of coordinates, and what the names of their coordinates begin with; the first fit counts."""
    tracked: tuple[str, ...]
    """Bodies that the tracking task compares."""
    anchor: str
    """The one that the others are seen from."""
    arm_joints: dict[str, float]
    """Joints that raise the arms to the side, and the sign of raising."""
    rest: dict[str, float]
    """Positions of joints in the rest pose that differ from those in the file [m, rad]."""
    lean_joints: dict[str, float] = field(default_factory=dict)
    """Joints that lean the body forward over flat feet, and the sign of leaning."""
    reflexes: tuple[Reflex, ...] = ()
    """Stiffness and damping of the posture reflex, by the beginning of a coordinate's name; the first fit counts, and
    coordinates without one have none."""
    balance: Balance | None = None
    """The reflex that keeps the anchor over the feet; None for none."""
    calm: tuple[str, ...] = ()
    """What the names of coordinates begin with that turn nothing visible in some poses, as a shoulder's plane of
    elevation while the arm hangs: inverse kinematics keeps them from jumping."""
    rest_quat: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    """Orientation of the root (w, x, y, z) in which the rest pose faces along x, z up."""


class HumanBody:
    """A model with muscles, in independent coordinates. Not safe for several threads."""

    def __init__(self, spec: mujoco.MjSpec, table: BodyTable):
        """Compile the model and find its parts.

        Raises:
            ValueError: If it has no free root, another actuator than muscles, or lacks a part of the table.
        """
        self.spec, self.table = spec, table
        self.model = spec.compile()
        if self.model.njnt == 0 or self.model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE:
            raise ValueError("The model's first joint should be a free one, the person's root.")
        self.coordinates = Coordinates(self.model)
        self.muscles: MuscleFacts = muscle_facts(self.model)
        self.rest_qpos = self._rest()
        self._data = mujoco.MjData(self.model)
        self._data.qpos[:] = self.rest_qpos
        mujoco.mj_kinematics(self.model, self._data)
        self.points = {name: self._landmark(*entry) for name, entry in table.points.items()}
        self.frames = {name: self._body(body) for name, body in table.frames.items()}
        self._offsets = {name: self._data.xmat[body].reshape(3, 3).T.copy() for name, body in self.frames.items()}
        self.anchor_forward = self._data.xmat[self._body(table.anchor)].reshape(3, 3)[0].copy()
        """Direction in the anchor's frame that faces along x in the rest pose, shape [3]."""
        self._soles = [self._sole(table.soles[side]) for side in SIDES]
        for side, sole in zip(SIDES, self._soles, strict=True):
            self.points |= {f"{side}_heel": _middle(sole[:2]), f"{side}_toe": _middle(sole[-2:])}

    @property
    def mass(self) -> float:
        """[kg]"""
        return float(self.model.body_mass.sum())

    @cached_property
    def moved_names(self) -> tuple[str, ...]:
        """Names of the independent coordinates without the root's."""
        return self.coordinates.names[NUM_ROOT:]

    @cached_property
    def group_of(self) -> tuple[str, ...]:
        """Group of every coordinate in :attr:`moved_names`."""
        return tuple(self._group(name) for name in self.moved_names)

    @property
    def sole_points(self) -> np.ndarray:
        """Corners of the soles in their bodies' frames [m], shape [2, num_corners, 3]."""
        return np.stack([[corner.pos for corner in sole] for sole in self._soles])

    @cached_property
    def sole_owners(self) -> list[int]:
        """Body of every corner, left foot first."""
        return [corner.body for sole in self._soles for corner in sole]

    def place(self, name: str, data: mujoco.MjData) -> np.ndarray:
        """World position of a landmark [m], shape [3]."""
        return _placed(self.points[name], data)

    def joint_address(self, name: str) -> int:
        """Place of a joint in MuJoCo's positions.

        Raises:
            ValueError: If there is no such joint.
        """
        return int(self.model.jnt_qposadr[self._find(mujoco.mjtObj.mjOBJ_JOINT, name, "joint")])

    def place_soles(self, data: mujoco.MjData) -> np.ndarray:
        """World positions of the soles' corners [m], shape [2, num_corners, 3]."""
        return np.stack([[_placed(corner, data) for corner in sole] for sole in self._soles])

    def frame_matrix(self, name: str, data: mujoco.MjData) -> np.ndarray:
        """Rotation to the world of a frame that has x forward, y left, z up in the rest pose, shape [3, 3]."""
        return data.xmat[self.frames[name]].reshape(3, 3) @ self._offsets[name]

    def lowest_soles(self, qpos: np.ndarray) -> np.ndarray:
        """Height of the lowest corner of the soles [m], shape [num_frames]."""
        heights = []
        for row in qpos:
            self._data.qpos[:] = row
            mujoco.mj_kinematics(self.model, self._data)
            heights.append(self.place_soles(self._data)[..., 2].min())
        return np.array(heights)

    @contextmanager
    def without_constraints(self) -> Iterator[None]:
        """Contacts, joint limits, couplings and dry friction switched off; springs and dampers stay."""
        kinds, before = mujoco.mjtDisableBit, self.model.opt.disableflags
        off = (kinds.mjDSBL_CONTACT, kinds.mjDSBL_LIMIT, kinds.mjDSBL_EQUALITY, kinds.mjDSBL_FRICTIONLOSS)
        self.model.opt.disableflags |= int(np.bitwise_or.reduce([int(bit) for bit in off]))
        try:
            yield
        finally:
            self.model.opt.disableflags = before

    def figure(self) -> HumanFigure:
        """The body as mocap's targets want one."""
        self._data.qpos[:] = self.rest_qpos
        mujoco.mj_kinematics(self.model, self._data)
        return HumanFigure({name: torch.from_numpy(self.place(name, self._data)) for name in self.points})

    def _rest(self) -> np.ndarray:
        qpos = self.model.qpos0.copy()
        qpos[:7] = (0.0, 0.0, 0.0, *self.table.rest_quat)
        for name, value in self.table.rest.items():
            qpos[self.joint_address(name)] = value
        return self.coordinates.clamp(qpos)

    def _landmark(self, body: str, offset: tuple[float, float, float]) -> Landmark:
        index = self._body(body)
        return Landmark(index, self._data.xmat[index].reshape(3, 3).T @ np.array(offset, dtype=np.float64))

    def _sole(self, corners: tuple[tuple[str, tuple[float, float]], ...]) -> list[Landmark]:
        """Corners at the height of the lowest collision shape of the foot in the rest pose."""
        bodies = {self._body(name) for name, _ in corners}
        ground = min(_lowest(self.model, self._data, geom) for geom in range(self.model.ngeom)
                     if self.model.geom_bodyid[geom] in bodies and self.model.geom_contype[geom])  # fmt: skip
        result = []
        for name, (forward, left) in corners:
            index = self._body(name)
            origin = self._data.xpos[index]
            result.append(self._landmark(name, (forward, left, ground - origin[2])))
        return result

    def _group(self, name: str) -> str:
        return next((group for group, starts in self.table.groups if name.startswith(starts)), "other")

    def _body(self, name: str) -> int:
        return self._find(mujoco.mjtObj.mjOBJ_BODY, name, "body")

    def _find(self, kind: mujoco.mjtObj, name: str, what: str) -> int:
        index = mujoco.mj_name2id(self.model, kind, name)
        if index < 0:
            raise ValueError(f"The model has no {what} '{name}'. Another version of musclemimic-models is installed.")
        return index


@dataclass(frozen=True)
class HumanFigure:
    """The rest pose, with what :func:`~whole_body_tracking.mocap.targets.build_targets` asks of a robot's figure."""

    rest: dict[str, Tensor]
    """Landmarks with the root at the origin [m], shape [3]."""

    @property
    def bodies(self) -> dict[str, str]:
        """A foot is one body: heel, toe and ankle."""
        return {f"{side}_{part}": f"{side}_foot" for side in SIDES for part in ("ankle", "heel", "toe")}

    @property
    def points(self) -> dict[str, np.ndarray]:
        """Heels and toes from their ankle, in the foot's frame [m]."""
        return {
            f"{side}_{part}": (self.rest[f"{side}_{part}"] - self.rest[f"{side}_ankle"]).numpy()
            for side in SIDES
            for part in ("ankle", "heel", "toe")
        }

    @property
    def in_frame(self) -> dict[str, Tensor]:
        """Hips from the pelvis, shoulders and head from the chest, the chest from the pelvis [m]."""
        upper = ("left_shoulder", "right_shoulder", "head")
        return (
            {f"{side}_hip": self.rest[f"{side}_hip"] - self.rest["pelvis"] for side in SIDES}
            | {name: self.rest[name] - self.rest["chest"] for name in upper}
            | {"chest": self.rest["chest"] - self.rest["pelvis"]}
        )

    @property
    def leg_length(self) -> float:
        """Thigh and shank [m]."""
        return self.length("left_hip", "left_knee") + self.length("left_knee", "left_ankle")

    def length(self, upper: str, lower: str) -> float:
        """Distance between two landmarks in the rest pose [m]."""
        return float((self.rest[lower] - self.rest[upper]).norm())


def _middle(corners: list[Landmark]) -> Landmark:
    return Landmark(corners[0].body, 0.5 * (corners[0].pos + corners[1].pos))


def _placed(landmark: Landmark, data: mujoco.MjData) -> np.ndarray:
    return data.xpos[landmark.body] + data.xmat[landmark.body].reshape(3, 3) @ landmark.pos


def _lowest(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Lowest height of a geom in the present pose [m].

    Of other shapes than spheres, capsules and ellipsoids it is that of the bounding box, which is exact for boxes; that
    of a tilted ellipsoid reaches below it, and the heels' by 1.5 cm.
    """
    center, down, size = data.geom_xpos[geom, 2], data.geom_xmat[geom].reshape(3, 3)[2], model.geom_size[geom]
    kind, kinds = mujoco.mjtGeom(model.geom_type[geom]), mujoco.mjtGeom
    if kind == kinds.mjGEOM_SPHERE:
        return float(center - size[0])
    if kind == kinds.mjGEOM_CAPSULE:
        return float(center - abs(down[2]) * size[1] - size[0])
    if kind == kinds.mjGEOM_ELLIPSOID:
        return float(center - np.linalg.norm(down * size))
    middle, half = model.geom_aabb[geom, :3], model.geom_aabb[geom, 3:]
    return float(center + down @ middle - np.abs(down) @ half)
