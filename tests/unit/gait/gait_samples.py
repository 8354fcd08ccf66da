"""Plans that several tests share: planning takes half a second."""

from functools import lru_cache

from whole_body_tracking.gait.analysis import GaitReport, measure_gait
from whole_body_tracking.gait.planning import GaitParameters, GaitPlan, ParameterSchedule, plan_gait
from whole_body_tracking.motion import MotionClip, convert
from whole_body_tracking.robots import G1


def constant(**given: float) -> ParameterSchedule:
    return ParameterSchedule.constant(GaitParameters.of(given))


@lru_cache(maxsize=8)
def planned(seconds: float = 4.0, standing: bool = False, **given: float) -> GaitPlan:
    return plan_gait(constant(**given), seconds, standing=standing)


def clip_of(plan: GaitPlan) -> MotionClip:
    return convert(plan.motion(), plan.fps)


@lru_cache(maxsize=8)
def measured(seconds: float = 4.0, **given: float) -> GaitReport:
    return measure_gait(clip_of(planned(seconds, **given)), G1)
