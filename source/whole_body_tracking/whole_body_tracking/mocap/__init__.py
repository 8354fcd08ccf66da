"""Human mocap in, robot motion out. Nothing here imports a simulator."""

from .readers.bvh_writer import write_bvh
from .reading import MocapFile, read_mocap
from .retargeting.figure import RobotFigure, robot_figure
from .retargeting.retarget import Retargeted, RetargetSettings, retarget
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
