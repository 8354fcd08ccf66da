"""Robots, ground and camera in a viser scene.

Viser's quaternions are (w, x, y, z); the conversion happens here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import viser

from .colors_and_camera import FIELD_OF_VIEW, GHOST_COLORS, GHOST_OPACITY, ROBOT_COLORS, VIEW_DIRECTION
from .following import followed, relative_size
from .shapes.meshes import body_meshes
from .tracks import Track

WORLD = "/world"
"""Node that holds robots and ground. It moves, so that the robots stay before a camera that a page cannot move."""

LOOK_AT_HEIGHT = 0.7
"""Height of what the camera looks at [m]."""

ROOM = 1.1
"""Distance of the camera over that of a video, because panels take room."""

STEP = 2.0**-14
"""Poses are rounded to multiples of this [m, or quaternion units]: invisible, and it halves a page's size."""


class RobotNode:
    """One track's robot in a scene."""

    def __init__(self, scene: viser.SceneApi, track: Track):
        self.track = track
        areas: dict[str, float] = {}
        root = f"{WORLD}/{track.name}"
        self._bodies = [scene.add_frame(f"{root}/{name}", show_axes=False) for name in track.body_names]
        colors = GHOST_COLORS if track.ghost else ROBOT_COLORS
        for name in track.body_names:
            for tone, mesh in body_meshes(track.robot, name).items():
                areas[tone] = areas.get(tone, 0.0) + float(mesh.area)
                scene.add_mesh_simple(
                    f"{root}/{name}/{tone}",
                    vertices=mesh.vertices.astype(np.float32),
                    faces=mesh.faces,
                    color=colors[tone],
                    opacity=GHOST_OPACITY if track.ghost else None,
                    cast_shadow=not track.ghost,
                    receive_shadow=False,
                )
        self.main_color: tuple[int, int, int] | None = colors[max(areas, key=areas.get)] if areas else None
        """sRGB colour of most of its surface; None if it has no shapes."""
        self._pos = _round(track.pos_w)
        self._quat_wxyz = _round(np.roll(track.quat_xyzw, 1, axis=-1))

    def show(self, frame: int) -> None:
        """Put every body where it is in a frame; after the track's end, where it was last."""
        frame = min(frame, self.track.num_frames - 1)
        self._place(self._pos[frame], self._quat_wxyz[frame])

    def move(self, pos_w: np.ndarray, quat_xyzw: np.ndarray) -> None:
        """Put every body where the track never was: positions [m], [num_bodies, 3], and orientations, [.., 4]."""
        self._place(_round(pos_w), _round(np.roll(quat_xyzw, 1, axis=-1)))

    def _place(self, positions: np.ndarray, quats_wxyz: np.ndarray) -> None:
        for body, pos, quat_wxyz in zip(self._bodies, positions, quats_wxyz, strict=True):
            body.position = pos
            body.wxyz = quat_wxyz


class Stage:
    """Ground, light, and a camera that follows the robots."""

    def __init__(self, server: viser.ViserServer, tracks: Sequence[Track], fps: float):
        """Add them, as they are in frame 0.

        Args:
            server: Where to add them; robots come below :data:`WORLD` after this.
            tracks: What will move.
            fps: Frame rate of the tracks [Hz].
        """
        scene = server.scene
        scene.set_up_direction("+z")
        # Preparing an environment map stalls a browser without a GPU for many seconds.
        scene.configure_environment_map(None)
        scene.add_light_hemisphere("/sky", sky_color=(255, 255, 255), ground_color=(165, 170, 180), intensity=2.2)
        self._world = scene.add_frame(WORLD, show_axes=False)
        scene.add_grid(
            f"{WORLD}/ground",
            infinite_grid=True,
            cell_size=0.5,
            section_size=1.0,
            cell_color=(205, 210, 217),
            section_color=(182, 188, 198),
            plane_color=(226, 229, 234),
            plane_opacity=1.0,
            fade_distance=40.0,
            shadow_opacity=0.35,
        )
        places, distances = followed(tracks, fps)
        self._places = _round(np.column_stack((places, np.zeros(len(places)))))
        look_at, position = camera_pose(float(distances.max()), relative_size(tracks))
        server.initial_camera.look_at = look_at
        server.initial_camera.position = position
        server.initial_camera.fov = FIELD_OF_VIEW
        self.show(0)

    def show(self, frame: int) -> None:
        """Bring the robots of a frame before the camera."""
        self._world.position = -self._places[min(frame, len(self._places) - 1)]

    def follow(self, pos_w: np.ndarray) -> None:
        """Bring a place where no track ever was before the camera: x and y [m], shape [2] or more."""
        self._world.position = -_round(np.array([pos_w[0], pos_w[1], 0.0]))

    def ground_point(self, origin: np.ndarray, direction: np.ndarray) -> tuple[float, float] | None:
        """Where a ray of a click meets the ground, in the world of the tracks [m]; None if it goes up or sideways.

        Args:
            origin: Of the ray, as viser gives it [m], shape [3].
            direction: Of the ray, shape [3].
        """
        if not direction[2] < -1e-6:
            return None
        x, y, _ = origin - origin[2] / direction[2] * direction - np.asarray(self._world.position)
        return float(x), float(y)


def camera_pose(distance: float, size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return what the camera looks at and where it stands [m], for robots at the origin.

    Args:
        distance: From which a video would show them [m].
        size: Of the largest one, relative to a robot.
    """
    look_at = np.array([0.0, 0.0, LOOK_AT_HEIGHT * size])
    return look_at, look_at + ROOM * size * distance * VIEW_DIRECTION / np.linalg.norm(VIEW_DIRECTION)


def _round(values: np.ndarray) -> np.ndarray:
    return np.round(values.astype(np.float64) / STEP) * STEP
