"""One offline HTML file in which robots move: it opens without a server, an account or a network."""

from __future__ import annotations

import contextlib
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import viser

from whole_body_tracking.files import write_atomically

from .files import check_target
from .scene import RobotNode, Stage
from .tracks import Track

MAX_PAGE_FPS = 30.0
"""Highest frame rate of a page [Hz]. A faster track loses whole frames, so that no pose is interpolated."""

STEADY_CANVAS = "<style>canvas{opacity:1!important}</style>"
"""Keeps viser from fading the picture in again each time the motion starts over."""


class Shown(Protocol):
    """Something else that moves on a page."""

    def show(self, frame: int) -> None:
        """Put it where it is in a frame of the page."""


def write_page(
    path: str | Path,
    tracks: Sequence[Track],
    fps: float,
    title: str,
    more: Sequence[Callable[[viser.SceneApi], Shown]] = (),
) -> Path:
    """Write a page that plays the tracks side by side in time, with a timeline, on a ground grid.

    Tracks may differ in length: the shorter one stands still at its end.

    Args:
        path: File to write, usually ``*.html``. It appears under its name only when complete.
        tracks: What moves, at least one, each with its own name.
        fps: Frame rate of the tracks [Hz].
        title: Heading of the page.
        more: What adds further things below :data:`~.scene.WORLD`. If they move, tracks must be within
            :data:`MAX_PAGE_FPS`.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If the path is a folder.
        ValueError: If there is no track, two share a name, or the frame rate is not positive.
    """
    path = check_target(path)
    _check(tracks, fps)
    stride = max(1, -int(-fps // MAX_PAGE_FPS))
    tracks = [track.every(stride) for track in tracks]
    content = _with_heading(*_record(tracks, fps / stride, more), title)
    write_atomically(path, content)
    return path


def _check(tracks: Sequence[Track], fps: float) -> None:
    names = [track.name for track in tracks]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"A page needs at least one track, each with a name of its own; found {names}.")
    if not fps > 0.0:
        raise ValueError(f"The frame rate of a page must be positive, got {fps}.")


def _record(tracks: Sequence[Track], fps: float, more: Sequence[Callable[[viser.SceneApi], Shown]]) -> tuple[str, str]:
    """Return viser's page of the tracks, and their legend. Its server listens on a free local port meanwhile; nobody
    connects."""
    with contextlib.redirect_stdout(io.StringIO()):
        server = viser.ViserServer(host="127.0.0.1", port=0, verbose=False)
    try:
        stage = Stage(server, tracks, fps)
        robots = [RobotNode(server.scene, track) for track in tracks]
        nodes = [*robots, *(add(server.scene) for add in more)]
        serializer = server.get_scene_serializer()
        with server.atomic():  # otherwise every message wakes the server's thread
            for frame in range(max(track.num_frames for track in tracks)):
                for shown in (stage, *nodes):
                    shown.show(frame)
                serializer.insert_sleep(1.0 / fps)
        return serializer.as_html(), "".join(map(_legend_entry, robots))
    finally:
        with contextlib.redirect_stdout(io.StringIO()):
            server.stop()


def _with_heading(page: str, legend: str, title: str) -> str:
    page = page.replace("<title>Viser</title>", f"<title>{html.escape(title)}</title>{STEADY_CANVAS}", 1)
    heading = (
        '<div style="position:fixed;top:14px;left:0;right:0;margin:auto;width:max-content;max-width:90%;z-index:1;'
        'pointer-events:none;font:15px system-ui,sans-serif;color:#222">'
        f'<div style="font-weight:600;font-size:18px;margin-bottom:6px">{html.escape(title)}</div>{legend}</div>'
    )
    body_end = page.rindex("</body>")
    return page[:body_end] + heading + page[body_end:]


def _legend_entry(robot: RobotNode) -> str:
    """Name and colour; nothing for what is drawn by other means, which the title has to explain."""
    if robot.main_color is None:
        return ""
    swatch = (
        f'<span style="display:inline-block;width:11px;height:11px;margin-right:8px;border:1px solid #888;'
        f'border-radius:3px;background:rgb{robot.main_color}"></span>'
    )
    return f"<div>{swatch}{html.escape(robot.track.name)}</div>"
