"""Human mocap in, robot motion out. Nothing here imports a simulator."""

from .reading import MocapFile, read_mocap
from .readers.bvh_writer import write_bvh
from .skeleton import SkeletonMotion

__all__ = ["MocapFile", "SkeletonMotion", "read_mocap", "write_bvh"]
