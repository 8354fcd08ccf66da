"""Human mocap in, robot motion out. Nothing here imports a simulator."""

from .figure import RobotFigure, robot_figure
from .readers.bvh_writer import write_bvh
from .reading import MocapFile, read_mocap
from .retarget import Retargeted, RetargetSettings, retarget
from .skeleton import SkeletonMotion

__all__ = [
    "MocapFile",
    "RetargetSettings",
    "Retargeted",
    "RobotFigure",
    "SkeletonMotion",
    "read_mocap",
    "retarget",
    "robot_figure",
    "write_bvh",
]
