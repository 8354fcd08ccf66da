"""Show tracks live in a browser, without Isaac Sim."""

from __future__ import annotations

import time
from collections.abc import Sequence

import viser

from .scene import RobotNode, Stage
from .tracks import Track

SPEEDS = {"0.25x": 0.25, "0.5x": 0.5, "1x": 1.0, "2x": 2.0}


def show_in_browser(tracks: Sequence[Track], fps: float, title: str, port: int = 8080) -> None:
    """Serve the tracks on this machine and play them in a loop, in real time, until interrupted.

    Args:
        tracks: What moves, each with its own name.
        fps: Frame rate of the tracks [Hz].
        title: Heading of the control panel.
        port: First port to try; viser prints the address that it took.

    Raises:
        KeyboardInterrupt: On Ctrl+C, after the server has stopped.
    """
    server = viser.ViserServer(host="127.0.0.1", port=port, label=title, verbose=False)
    try:
        stage = Stage(server, tracks, fps)
        nodes = [RobotNode(server.scene, track) for track in tracks]
        num_frames = max(track.num_frames for track in tracks)
        playing = server.gui.add_checkbox("Play", True)
        speed = server.gui.add_dropdown("Speed", tuple(SPEEDS), initial_value="1x")
        slider = server.gui.add_slider("Frame", min=0, max=max(1, num_frames - 1), step=1, initial_value=0)
        frame = 0.0
        while True:
            started = time.monotonic()
            with server.atomic():
                for shown in (stage, *nodes):
                    shown.show(slider.value)
            time.sleep(max(0.0, 1.0 / fps - (time.monotonic() - started)))
            if playing.value:
                # A slider that the user moved is where playing goes on from.
                frame = frame if int(frame) == slider.value else float(slider.value)
                frame = (frame + (time.monotonic() - started) * fps * SPEEDS[speed.value]) % num_frames
                slider.value = int(frame)
    finally:
        server.stop()
