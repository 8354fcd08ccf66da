"""A walk from parameters: footsteps, zero-moment point, centre of mass, curves, inverse kinematics."""

from .parameters import GaitParameters, ParameterSchedule
from .planner import GaitPlan, plan_gait

__all__ = ["GaitParameters", "GaitPlan", "ParameterSchedule", "plan_gait"]
