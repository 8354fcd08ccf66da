"""Run OvPhysX on a machine without CUDA.

Isaac Lab 3.0 stages what PhysX reads only on the host (masses, gains, limits) in page-locked memory, which Warp can
allocate only through a CUDA driver. Without one every such request ends in "Failed to allocate N bytes on device
'cpu'". Plain host memory does the same job there: nothing is copied to a GPU.
"""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

SYSTEM_LIBRARIES = {"libGL.so.1": "libgl1", "libX11.so.6": "libx11-6"}
"""Shared libraries that OvPhysX loads and pip does not bring, with the Debian packages that hold them."""


def prepare_ovphysx() -> None:
    """Make OvPhysX usable on this machine; call it before the environment is created.

    Without CUDA, page-locked allocations become plain ones for this process. With CUDA nothing changes. Calling it
    again does nothing.

    Raises:
        OSError: If system libraries are missing; the message names the packages to install.
    """
    missing = missing_ovphysx_libraries()
    if missing:
        raise OSError(
            f"OvPhysX needs the system libraries {sorted(missing)}, which are not installed. On Debian or Ubuntu:"
            f" apt install {' '.join(sorted(missing.values()))}. Or choose Newton, which needs none:"
            " physics=newton_mjwarp."
        )
    _replace_pinned_allocator()


def missing_ovphysx_libraries() -> dict[str, str]:
    """Return the system libraries that OvPhysX needs and cannot load, each with its Debian package."""
    return {library: package for library, package in SYSTEM_LIBRARIES.items() if not _loads(library)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _replace_pinned_allocator() -> None:
    """Let Warp's CPU device serve page-locked requests with its default allocator, unless there is a CUDA device."""
    import warp as wp

    wp.init()
    if wp.is_cuda_available():
        return
    cpu = wp.get_device("cpu")
    if cpu.pinned_allocator is not cpu.default_allocator:
        cpu.pinned_allocator = cpu.default_allocator
        logger.info("No CUDA device: page-locked host memory is replaced by plain host memory.")
