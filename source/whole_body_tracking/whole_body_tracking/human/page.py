"""A page on which the body moves, its muscles coloured by their activation."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import trimesh
import viser

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.viewer.page import MAX_PAGE_FPS, write_page
from whole_body_tracking.viewer.scene import WORLD
from whole_body_tracking.viewer.tracks import Track

from .model.body import HumanBody
from .motions.motion import HumanMotion

NAME = "human"
BONE_COLOR = (226, 220, 205)
REST_COLOR, ACTIVE_COLOR = np.array([70.0, 90.0, 150.0]), np.array([235.0, 30.0, 30.0])
"""sRGB colours of a muscle at rest, and of one at :data:`FULL`."""
FULL = 0.6
"""Activation that is shown in the full colour; most motions stay far below 1."""
NUM_POINTS = 6
"""Points of a drawn muscle."""
THICKNESS = 0.005
"""Of a drawn muscle [m]."""
ROOT = 1
"""Index of the root's body, which has no shape."""


def write_human_page(path: Path, body: HumanBody, motion: HumanMotion, activation: np.ndarray) -> Path:
    """Write the page: it opens offline, with a timeline.

    Args:
        path: ``*.html``.
        body: The body.
        motion: Its motion.
        activation: In [0, 1], shape [num_frames, num_muscles].
    """
    stride = max(1, -int(-motion.fps // MAX_PAGE_FPS))
    rows = np.arange(0, motion.num_frames, stride)
    bones = bone_meshes(body.model)
    shown = [ROOT, *bones]  # the camera follows the first
    pos, quat, paths = _poses(body, motion.qpos[rows], shown)
    colors = muscle_colors(activation[rows])
    names = [f"body_{index}" for index in shown]
    track = Track(NAME, _without_shapes(names), names, pos, quat)

    def add(scene: viser.SceneApi) -> _Muscles:
        for name, mesh in zip(names[1:], bones.values(), strict=True):
            scene.add_mesh_simple(
                f"{WORLD}/{NAME}/{name}/bone",
                vertices=mesh.vertices.astype(np.float32),
                faces=mesh.faces,
                color=BONE_COLOR,
                receive_shadow=False,
            )
        return _Muscles(scene, paths, colors)

    return write_page(path, [track], motion.fps / stride, f"{motion.name}: activations, blue 0 to red {FULL:g}", [add])


class _Muscles:
    """Lines along the tendons' paths."""

    def __init__(self, scene: viser.SceneApi, paths: np.ndarray, colors: np.ndarray):
        self._segments = np.stack((paths[:, :, :-1], paths[:, :, 1:]), axis=3).reshape(len(paths), -1, 2, 3)
        self._colors = np.repeat(as_line_colors(colors), paths.shape[2] - 1, axis=1)[:, :, None].repeat(2, axis=2)
        self._lines = scene.add_line_segments(
            f"{WORLD}/muscles", points=self._segments[0], colors=self._colors[0], thickness=THICKNESS
        )

    def show(self, frame: int) -> None:
        """Put every muscle where it is in a frame."""
        frame = min(frame, len(self._segments) - 1)
        self._lines.points = self._segments[frame]
        self._lines.colors = self._colors[frame]


def as_line_colors(colors: np.ndarray) -> np.ndarray:
    """What viser has to be given so that lines have sRGB colours: it draws colours of a line's points as linear light.

    Args:
        colors: sRGB, 0 to 255.

    Returns:
        IEC 61966-2-1's inverse, of the same shape, uint8.
    """
    share = np.asarray(colors, dtype=np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.rint(255.0 * linear).astype(np.uint8)


def muscle_colors(activation: np.ndarray) -> np.ndarray:
    """sRGB colours of activations, shape [..., 3], uint8."""
    share = (activation / FULL).clip(0.0, 1.0)[..., None]
    return np.rint(REST_COLOR + share * (ACTIVE_COLOR - REST_COLOR)).astype(np.uint8)


def bone_meshes(model: mujoco.MjModel) -> dict[int, trimesh.Trimesh]:
    """Visible meshes of every body in its frame [m], merged, by the body's index."""
    parts: dict[int, list[trimesh.Trimesh]] = {}
    for geom in range(model.ngeom):
        mesh = _geom_mesh(model, geom)
        if mesh is not None:
            parts.setdefault(int(model.geom_bodyid[geom]), []).append(mesh)
    return {body: trimesh.util.concatenate(meshes) for body, meshes in parts.items() if body > ROOT}


def _geom_mesh(model: mujoco.MjModel, geom: int) -> trimesh.Trimesh | None:
    if model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_MESH or model.geom_rgba[geom, 3] == 0.0:
        return None
    index = model.geom_dataid[geom]
    start, count = model.mesh_vertadr[index], model.mesh_vertnum[index]
    first, faces = model.mesh_faceadr[index], model.mesh_facenum[index]
    mesh = trimesh.Trimesh(
        model.mesh_vert[start : start + count], model.mesh_face[first : first + faces], process=False
    )
    pose = np.eye(4)
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
    pose[:3, :3], pose[:3, 3] = rotation.reshape(3, 3), model.geom_pos[geom]
    return mesh.apply_transform(pose)


def _poses(body: HumanBody, qpos: np.ndarray, bones: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses of the bones and paths of the muscles in all frames."""
    model, data = body.model, mujoco.MjData(body.model)
    pos, quat = np.empty((len(qpos), len(bones), 3)), np.empty((len(qpos), len(bones), 4))
    paths = np.empty((len(qpos), model.nu, NUM_POINTS, 3), dtype=np.float32)
    for frame, row in enumerate(qpos):
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_tendon(model, data)
        pos[frame], quat[frame] = data.xpos[bones], np.roll(data.xquat[bones], -1, axis=-1)
        for muscle in range(model.nu):
            paths[frame, muscle] = tendon_path(data, int(model.actuator_trnid[muscle, 0]))
    return pos, quat, paths


def tendon_path(data: mujoco.MjData, tendon: int, num_points: int = NUM_POINTS) -> np.ndarray:
    """Points at equal distances along a tendon [m], shape [num_points, 3]."""
    start, count = data.ten_wrapadr[tendon], data.ten_wrapnum[tendon]
    points = data.wrap_xpos.reshape(-1, 3)[start : start + count]
    way = np.concatenate(([0.0], np.linalg.norm(np.diff(points, axis=0), axis=-1).cumsum()))
    places = np.linspace(0.0, way[-1], num_points)
    return np.stack([np.interp(places, way, points[:, axis]) for axis in range(3)], axis=-1)


def _without_shapes(names: list[str]) -> RobotModel:
    """A robot as the viewer sees one, of bodies without shapes of their own."""
    return RobotModel(
        {
            "name": NAME,
            "joint_order_csv": [],
            "body_order_depth_first": names,
            "foot": {"bodies": []},
            "bodies": {name: {"visuals": [], "colliders": []} for name in names},
        }
    )
