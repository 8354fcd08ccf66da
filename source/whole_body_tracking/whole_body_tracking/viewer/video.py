"""Tracks as an MP4, on any machine: pictures in numpy, encoding by the ffmpeg inside ``imageio-ffmpeg``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from whole_body_tracking.files import replacing

from .colors_and_camera import FIELD_OF_VIEW, GHOST_COLORS, ROBOT_COLORS, VIEW_DIRECTION
from .files import check_target
from .following import followed
from .picture import Figure, draw_picture, robot_capsules
from .shapes.capsules import Camera
from .shapes.triangles import robot_solid
from .tracks import Track

VIDEO_SIZE = (640, 480)
"""Width and height of a video [pixels]."""

MAX_VIDEO_FPS = 30.0
"""Highest frame rate of a video [Hz]; a faster track loses whole frames."""

LOOK_AT_HEIGHT = 0.65
"""Height of what the camera looks at [m]."""


def check_video(path: str | Path) -> Path:
    """Check that a video can be written there, before the work that it shows.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If the path is a folder.
        ValueError: If the name does not end in .mp4, or there is no encoder; the message names the package.
    """
    if Path(path).suffix != ".mp4":
        raise ValueError(f"--video {path} should end in .mp4.")
    check_target(path)
    require_encoder()
    return Path(path)


def require_encoder() -> None:
    """Check that videos can be encoded.

    Raises:
        ValueError: If there is no ffmpeg; the message names the package.
    """
    missing = "--video needs an encoder: install the Python package 'imageio-ffmpeg', which brings one"
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ValueError(f"{missing}.")
    import imageio_ffmpeg

    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise ValueError(
            f"{missing} on common machines; here it did not, so install the system package ffmpeg."
        ) from None


def write_video(path: str | Path, tracks: Sequence[Track], fps: float) -> Path:
    """Write a video of tracks side by side in time, ghosts translucent; the camera follows all of them.

    Tracks may differ in length: the shorter one stands still at its end.

    Args:
        path: File to write. It appears under its name only when complete.
        tracks: What moves, at least one.
        fps: Frame rate of the tracks [Hz].

    Returns:
        The path.

    Raises:
        OSError: If the encoder fails.
    """
    import imageio_ffmpeg

    path = Path(path)
    stride = max(1, -int(-fps // MAX_VIDEO_FPS))
    with replacing(path, ending=".mp4") as partial:
        writer = imageio_ffmpeg.write_frames(
            str(partial), VIDEO_SIZE, fps=fps / stride, codec="libx264", quality=7, ffmpeg_log_level="error"
        )
        try:
            writer.send(None)
            for picture in pictures([track.every(stride) for track in tracks], fps / stride):
                writer.send(np.ascontiguousarray(picture))
        finally:
            writer.close()
    return path


def pictures(tracks: Sequence[Track], fps: float) -> Iterator[np.ndarray]:
    """Draw every frame of tracks: sRGB, shape [height, width, 3], uint8."""
    capsules = [robot_capsules(track.robot, track.body_names, track.ghost) for track in tracks]
    colors = [GHOST_COLORS if track.ghost else ROBOT_COLORS for track in tracks]
    solids = [robot_solid(track.robot, track.body_names, own) for track, own in zip(tracks, colors, strict=True)]
    for frame, camera in enumerate(cameras(tracks, fps)):
        figures = []
        for track, shapes, solid in zip(tracks, capsules, solids, strict=True):
            shown = min(frame, track.num_frames - 1)
            pose = track.pos_w[shown], track.quat_xyzw[shown]
            vertices_w = None if solid is None else solid.placed(*pose)
            figures.append(Figure(shapes.placed(*pose), shapes, track.ghost, solid, vertices_w))
        yield draw_picture(camera, figures)


def cameras(tracks: Sequence[Track], fps: float) -> list[Camera]:
    """A camera for each frame: it follows the middle of all tracks' roots and steps back as they part."""
    places, distances = followed(tracks, fps)
    backwards = VIEW_DIRECTION / np.linalg.norm(VIEW_DIRECTION)
    look_at = np.column_stack((places, np.full(len(places), LOOK_AT_HEIGHT)))
    rows = zip(look_at, distances, strict=True)
    return [Camera.looking_at(at, at + far * backwards, *VIDEO_SIZE, FIELD_OF_VIEW) for at, far in rows]
