"""Receding-horizon sampling along a clip, on the physics that it plans with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import mujoco
import numpy as np

from whole_body_tracking.sim2sim.simulation import Simulation

from .measuring import start
from .native_physics import NativePhysics, drives_of
from .planner import SamplingPlanner, SamplingSettings
from .reference import ReferenceStates

WINDOW = 24
"""Steps of a window, which is planned again as a whole if the robot is lost in it."""
MAX_RETRIES = 2
"""Times that a window is planned again, each with twice the samples and from one window earlier."""
LOST_DISTANCE = 0.25
"""Mean distance of the tracked bodies at which the robot is lost [m]."""

STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)


@dataclass
class SamplingResult:
    """Joint targets found by sampling."""

    joint_target: np.ndarray
    """[rad] in the robot's order, shape [num_frames, num_joints]."""
    failed_windows: list[tuple[int, int]] = field(default_factory=list)
    """First and last frame of windows in which the robot was lost with every number of samples."""
    num_retries: int = 0
    """Windows planned again."""


class RecedingHorizon:
    """One robot that plans, acts, and plans again, from the clip's first frame to its last."""

    def __init__(self, planner: SamplingPlanner):
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

    def advance(self, last_frame: int, samples: int, report: Callable[[int], None]) -> bool:
        """Plan and act up to a frame; returns whether the robot kept to the clip."""
        while self.frame < last_frame:
            data = self.simulation.data
            self.offsets = self.planner.plan(
                data.qpos[None], data.qvel[None], np.array([self.frame]), self.offsets, samples
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
        pos = self.simulation.data.xpos[self._bodies]
        distance = np.linalg.norm(pos - self.reference.body_pos_w[self.frame], axis=-1).mean()
        return bool(distance < LOST_DISTANCE)


def sample_targets(
    physics: NativePhysics,
    reference: ReferenceStates,
    targets: np.ndarray,
    settings: SamplingSettings | None = None,
    seed: int = 0,
    report: Callable[[int], None] = lambda frame: None,
) -> SamplingResult:
    """Joint targets that a receding-horizon planner holds along a clip.

    Every window in which the robot is lost is planned again from one window earlier with twice the samples, at most
    twice; then it is noted as failed and the robot is put back onto the clip.

    Args:
        physics: The robot.
        reference: The clip.
        targets: Feed-forward joint targets [rad] in the robot's order, shape [num_frames, num_joints].
        settings: Of the planner; None for its defaults.
        seed: Of the noise; the same seed gives the same targets.
        report: Called with the frame that was reached.
    """
    planner = SamplingPlanner(physics, reference, targets, settings or SamplingSettings(), seed)
    robot, result = RecedingHorizon(planner), SamplingResult(targets)
    last = reference.num_frames - 1
    saved = [robot.save()]
    while robot.frame < last:
        goal = min(robot.frame + WINDOW, last)
        if not _pass_window(robot, saved, goal, result, report):
            result.failed_windows.append((saved[-1][0], goal))
            robot.rejoin(goal)
            saved.clear()
        saved = [*saved[-MAX_RETRIES:], robot.save()]
    result.joint_target = robot.targets
    return result


def _pass_window(
    robot: RecedingHorizon, saved: list, goal: int, result: SamplingResult, report: Callable[[int], None]
) -> bool:
    """Get past a window, with more samples from earlier on if need be."""
    samples = robot.planner.settings.samples
    for retry in range(MAX_RETRIES + 1):
        if retry:
            robot.restore(saved[-min(retry + 1, len(saved))])
            result.num_retries += 1
        if robot.advance(goal, samples * 2**retry, report):
            return True
    return False
