"""A robot's real shapes, from a description package if one is installed, with few triangles."""

from __future__ import annotations

import functools
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel

if TYPE_CHECKING:
    import trimesh

PACKAGE = "example-robot-data"
"""Package with URDFs and meshes; the extra ``[meshes]`` installs it."""

DESCRIPTIONS = {"g1": "g1_29dof_rev_1_0.urdf"}
"""URDF of each robot by the robot's name."""

KEPT_SHARE = 0.06
"""Share of a part's triangles that is kept; the G1 has 480,000."""

FEWEST, MOST = 400, 2000
"""Triangles that a part keeps at least and at most."""

MERGED_DIGITS = 3
"""Vertices whose coordinates agree to so many digits are one [m]."""

TONES = {"white": "light"}
"""Tone of a URDF's material; others are dark."""


def installed_meshes(robot: RobotModel) -> dict[str, dict[str, trimesh.Trimesh]]:
    """Meshes of every body in its frame [m], merged by tone, by the body's name; empty if none are installed.

    Each body shows the links of its visual shapes in the facts: its own, and those fixed to it.
    """
    urdf = _urdf(robot.name)
    if urdf is None:
        return {}
    bodies = robot.facts["bodies"]
    links = tuple((name, tuple(facts["name"] for facts in bodies[name]["visuals"])) for name in robot.body_names)
    return _read(urdf, links)


@functools.cache
def _urdf(robot_name: str) -> Path | None:
    if robot_name not in DESCRIPTIONS:
        return None
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(file.locate()) for file in files if file.name == DESCRIPTIONS[robot_name])
    return next((path.resolve() for path in found if path.is_file()), None)


@functools.cache
def _read(urdf: Path, links_of: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, dict[str, trimesh.Trimesh]]:
    import trimesh

    root = ElementTree.parse(urdf).getroot()
    links = {link.get("name"): link for link in root.iter("link")}
    fixed = {joint.find("child").get("link"): joint for joint in root.iter("joint") if joint.get("type") == "fixed"}
    bodies = {}
    for name, link_names in links_of:
        parts: dict[str, list[trimesh.Trimesh]] = {}
        for link in link_names:
            pose = _pose_in(name, link, fixed)
            for tone, mesh in _meshes_of(links[link], urdf):
                parts.setdefault(tone, []).append(mesh.copy().apply_transform(pose))
        bodies[name] = {tone: trimesh.util.concatenate(meshes) for tone, meshes in parts.items()}
    return bodies


def _pose_in(body: str, link: str, fixed: dict[str, ElementTree.Element]) -> np.ndarray:
    """Pose of a link that is fixed to a body, shape [4, 4]."""
    pose = np.eye(4)
    while link != body:
        joint = fixed[link]
        pose = _pose(joint.find("origin")) @ pose
        link = joint.find("parent").get("link")
    return pose


def _meshes_of(link: ElementTree.Element, urdf: Path) -> list[tuple[str, trimesh.Trimesh]]:
    found = []
    for visual in link.iter("visual"):
        element, material = visual.find("geometry/mesh"), visual.find("material")
        if element is None:
            continue
        mesh = decimated(_file_of(element.get("filename"), urdf))
        tone = TONES.get("" if material is None else material.get("name"), "dark")
        found.append((tone, mesh.copy().apply_transform(_pose(visual.find("origin")))))
    return found


def _file_of(address: str, urdf: Path) -> Path:
    """File of a ``package://`` address: the part below the robot's folder, in which the URDF's folder lies."""
    return urdf.parents[1] / "meshes" / Path(address).name


@functools.cache
def decimated(path: Path) -> trimesh.Trimesh:
    """Read a mesh and keep :data:`KEPT_SHARE` of its triangles, within :data:`FEWEST` and :data:`MOST`."""
    import fast_simplification
    import trimesh

    mesh = trimesh.load_mesh(path)
    # Cracks between parts that touch would keep the borders of both.
    mesh.merge_vertices(digits_vertex=MERGED_DIGITS)
    mesh.update_faces(mesh.nondegenerate_faces())
    kept = min(len(mesh.faces), max(FEWEST, min(MOST, round(KEPT_SHARE * len(mesh.faces)))))
    points, faces = fast_simplification.simplify(mesh.vertices.astype(np.float32), mesh.faces, target_count=kept)
    return trimesh.Trimesh(points, faces, process=False)


def _pose(origin: ElementTree.Element | None) -> np.ndarray:
    """Pose of a URDF's ``origin``: fixed-axis roll, pitch and yaw, shape [4, 4]."""
    pose = np.eye(4)
    if origin is not None:
        pose[:3, 3] = _numbers(origin, "xyz")
        pose[:3, :3] = Rotation.from_euler("xyz", _numbers(origin, "rpy")).as_matrix()
    return pose


def _numbers(element: ElementTree.Element, name: str) -> np.ndarray:
    return np.array(element.get(name, "0 0 0").split(), dtype=float)
