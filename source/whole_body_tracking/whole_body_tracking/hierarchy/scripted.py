"""The selector without learning: steer towards the point, then perform the clip."""

from __future__ import annotations

import torch
from torch import Tensor

from .course import way_to
from .env import CourseEnv

TOP_SPEED = 0.6
"""[m/s]"""
TURN_GAIN = 1.5
"""Turn rate per bearing [1/s]."""
TIGHTNESS = 0.8
"""Share of the largest turn rate that a curve to the point may need."""


class ScriptedSelector:
    """Steers and chooses by rule.

    With the point at distance d and bearing b, an arc to it has the radius d / (2 |sin b|). The speed is the largest
    whose turn rate on that arc is within :data:`TIGHTNESS` of the limit w, for a point behind the slowest:

        turn rate = clip(gain b, -w, w),      speed = min(top speed, tightness w d / (2 |sin b|)).
    """

    def __init__(self, env: CourseEnv):
        self._env = env

    def __call__(self, observations) -> Tensor:
        """Actions, shape [num_envs, num_actions]."""
        env = self._env
        distance, bearing = way_to(env.robot, env.course.goal())
        most = env.steering.high[1]
        turn = (TURN_GAIN * bearing).clamp(-most, most)
        arc = distance / (2.0 * bearing.abs().clamp(max=torch.pi / 2.0).sin()).clamp(min=1e-3)
        speed = (TIGHTNESS * most * arc).clamp(max=TOP_SPEED)
        skill = torch.where(env.course.walks, env.walk_index, env.course.clip)
        return env.actions_of(skill, speed, turn)
