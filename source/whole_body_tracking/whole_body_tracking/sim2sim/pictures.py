"""What videos and the interactive viewer need of a machine; checked before anything is played."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display() -> bool:
    """Whether windows can be opened."""
    return any(os.environ.get(name) for name in DISPLAY_VARIABLES)


def require_display() -> None:
    """Check that MuJoCo's viewer can open a window.

    Raises:
        ValueError: If there is no display; the message says what to use instead.
    """
    if not has_display():
        raise ValueError(
            f"--viewer needs a display, and neither of {list(DISPLAY_VARIABLES)} is set. Open the played.html that"
            " sim2sim.py writes, or pass --video FILE.mp4."
        )


def require_video(path: Path) -> None:
    """Check that a video can be rendered and written there. Chooses MuJoCo's renderer: call it before using MuJoCo.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If the name does not end in .mp4, or OpenGL or the encoder is missing; the message names the
            package.
    """
    if path.suffix != ".mp4":
        raise ValueError(f"--video {path} should end in .mp4.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {path}: the folder {path.absolute().parent} does not exist.")
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ValueError("--video needs an encoder: install the Python package 'imageio-ffmpeg'.")
    if not has_display():
        os.environ.setdefault("MUJOCO_GL", "egl")
    _render_nothing()


def _render_nothing() -> None:
    # Each of MuJoCo's renderers fails in its own way when a library is missing, some of them on import.
    try:
        import mujoco
    except (ImportError, AttributeError, OSError) as error:
        raise _no_renderer(error) from None
    try:
        with mujoco.Renderer(mujoco.MjModel.from_xml_string("<mujoco/>"), 8, 8) as renderer:
            renderer.render()
    except (ImportError, AttributeError, RuntimeError, OSError, mujoco.FatalError) as error:
        raise _no_renderer(error) from None


def _no_renderer(error: BaseException) -> ValueError:
    return ValueError(
        f"--video needs OpenGL, and MuJoCo's renderer '{os.environ.get('MUJOCO_GL', 'glfw')}' does not start"
        f" ({type(error).__name__}). Install the system package libegl1 (or libosmesa6, with MUJOCO_GL=osmesa)."
    )
