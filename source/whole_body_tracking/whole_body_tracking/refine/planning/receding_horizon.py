"""The loop of a planner: plan, act on the physics, plan again, from a clip's first frame to its last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import mujoco
import numpy as np

from whole_body_tracking.refine.measuring import start
from whole_body_tracking.refine.native_physics import drives_of
from whole_body_tracking.refine.reference import ReferenceStates
from whole_body_tracking.robots.mujoco_simulation import Simulation

WINDOW = 24
"""Steps of a window, which is planned again as a whole if the robot is lost in it."""
MAX_RETRIES = 2
"""Times that a window is planned again, each with twice the effort and from one window earlier."""
LOST_DISTANCE = 0.25
"""Mean distance of the tracked bodies, or height error of one of them, at which the robot is lost [m]; the tracking
task terminates at the same height error of the torso, an ankle or a wrist."""

STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)


class PlannerSettings(Protocol):
    """What the loop reads of a planner's settings."""

    @property
    def replan_every(self) -> int: ...


class Planner(Protocol):
    """What the loop asks of a planner; shapes are those of :class:`~.sampling.SamplingPlanner`."""

    reference: ReferenceStates
    targets: np.ndarray

    @property
    def settings(self) -> PlannerSettings: ...
    def no_offsets(self, num_envs: int) -> np.ndarray: ...
    def plan(
        self, qpos: np.ndarray, qvel: np.ndarray, frames: np.ndarray, offsets: np.ndarray, effort: int = 1
    ) -> np.ndarray: ...


@dataclass
class FollowedClip:
    """Joint targets that a planner held along a clip."""

    joint_target: np.ndarray
    """[rad] in the robot's order, shape [num_frames, num_joints]."""
    failed_windows: list[tuple[int, int]] = field(default_factory=list)
    """First and last frame of windows in which the robot was lost with every effort."""
    num_retries: int = 0
    """Windows planned again."""


class RecedingHorizon:
    """One robot that plans, acts, and plans again, from the clip's first frame to its last."""

    def __init__(self, planner: Planner):
        self.planner, self.reference = planner, planner.reference
        self.simulation = Simulation(self.reference.robot, drives_of(self.reference.robot, self.reference.control_dt))
        self._bodies = self.simulation.body_ids(self.reference.robot.tracked_body_names)
        self.targets = planner.targets.copy()
        self.offsets = planner.no_offsets(1)
        self.frame = 0
        start(self.simulation, self.reference.qpos[0], self.reference.qvel[0])

    def save(self) -> tuple[int, np.ndarray, np.ndarray]:
        """Where everything is now, for :meth:`restore`."""
        state = np.empty(mujoco.mj_stateSize(self.simulation.model, STATE))
        mujoco.mj_getState(self.simulation.model, self.simulation.data, state, STATE)
        return self.frame, state, self.offsets

    def restore(self, saved: tuple[int, np.ndarray, np.ndarray]) -> None:
        """Go back to where :meth:`save` was called."""
        self.frame, state, self.offsets = saved
        mujoco.mj_setState(self.simulation.model, self.simulation.data, state, STATE)

    def rejoin(self, frame: int) -> None:
        """Put the robot on the clip: what comes after a window that failed is still worth refining."""
        self.frame, self.offsets = frame, self.planner.no_offsets(1)
        start(self.simulation, self.reference.qpos[frame], self.reference.qvel[frame])

    def advance(self, last_frame: int, effort: int, report: Callable[[int], None]) -> bool:
        """Plan and act up to a frame; returns whether the robot kept to the clip."""
        while self.frame < last_frame:
            data = self.simulation.data
            self.offsets = self.planner.plan(
                data.qpos[None], data.qvel[None], np.array([self.frame]), self.offsets, effort
            )
            for _ in range(min(self.planner.settings.replan_every, last_frame - self.frame)):
                if not self._step():
                    return False
            report(self.frame)
        return True

    def _step(self) -> bool:
        self.frame += 1
        self.targets[self.frame] = self.planner.targets[self.frame] + self.offsets[0, 0]
        self.simulation.step(self.targets[self.frame])
        self.offsets = np.concatenate([self.offsets[:, 1:], np.zeros_like(self.offsets[:, :1])], axis=1)
        error = self.simulation.data.xpos[self._bodies] - self.reference.body_pos_w[self.frame]
        distance, height = np.linalg.norm(error, axis=-1).mean(), np.abs(error[:, 2]).max()
        return bool(distance < LOST_DISTANCE and height < LOST_DISTANCE)


def follow(planner: Planner, report: Callable[[int], None] = lambda frame: None) -> FollowedClip:
    """Joint targets that a planner holds along a clip; played from its first frame they do the same again.

    Every window in which the robot is lost is planned again from one window earlier with twice the effort, at most
    twice; then it is noted as failed and the robot is put back onto the clip.

    Args:
        planner: Prepared for the clip.
        report: Called with the frame that was reached.
    """
    robot, result = RecedingHorizon(planner), FollowedClip(planner.targets)
    last = planner.reference.num_frames - 1
    saved = [robot.save()]
    while robot.frame < last:
        first, goal = robot.frame, min(robot.frame + WINDOW, last)
        if not _pass_window(robot, saved, goal, result, report):
            result.failed_windows.append((first, goal))
            robot.rejoin(goal)
            saved.clear()
        saved = [*saved[-MAX_RETRIES:], robot.save()]
    result.joint_target = robot.targets
    return result


def _pass_window(
    robot: RecedingHorizon, saved: list, goal: int, result: FollowedClip, report: Callable[[int], None]
) -> bool:
    """Get past a window, with more effort from earlier on if need be; in vain, the first attempt's targets stay."""
    first_attempt = None
    for retry in range(MAX_RETRIES + 1):
        if retry:
            del saved[max(1, len(saved) - 1) :]  # those after it belong to a past that is about to change
            robot.restore(saved[-1])
            result.num_retries += 1
        if robot.advance(goal, 2**retry, report):
            return True
        first_attempt = robot.targets.copy() if first_attempt is None else first_attempt
    robot.targets = first_attempt
    return False
