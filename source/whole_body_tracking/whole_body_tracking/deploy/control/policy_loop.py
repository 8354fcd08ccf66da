"""The policy at its own rate: when a step is due, what it observes, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from whole_body_tracking.robots.mujoco_simulation import RobotState

from ..protocol.readings import Readings
from .estimation.prediction import Predictor
from .follower import Follower, PolicyStep
from .record import Recorder
from .safety import SafetyLayer
from .targets import MotorTargets


class PolicyLoop:
    """Runs a tracker every control period of the robot's clock, within the limits of the safety layer."""

    def __init__(
        self,
        tracker: Follower,
        safety: SafetyLayer,
        order: np.ndarray,
        settle: float,
        clock: Callable[[], float],
        predictor: Predictor | None = None,
    ):
        """Wait for :meth:`start`.

        Args:
            tracker: The policy and what it follows.
            safety: Limits of the same policy.
            order: Motor of each of the policy's joints, shape [num_joints].
            settle: How long the policy aims at the first frame before the reference runs [s].
            clock: Of this machine [s].
            predictor: Says where the robot will be when a command acts; None takes where it is.
        """
        self.tracker, self.recorder = tracker, Recorder(tracker.spec, tracker.followed)
        self.skipped_steps = 0
        """Policy steps that came a whole period late or more."""
        self.step_times: list[float] = []
        """This machine's clock at each policy step [s]."""
        self.targets: MotorTargets | None = None
        """What the policy wants the motors to do; None before its first step."""
        self.delays: list[float] = []
        """Delay that each step made up for [s]."""
        self._safety, self._order, self._settle = safety, order, settle
        self._clock, self._predictor = clock, predictor
        self._start = self._next = 0.0

    def start(self, estimated: RobotState, robot_time: float) -> None:
        """Begin the reference, now, with the robot where it is."""
        self.tracker.start(estimated)
        self._start = self._next = robot_time
        self.targets = None

    def is_due(self, robot_time: float) -> bool:
        """Whether it is time for the next step."""
        return robot_time >= self._next - 1e-6

    def by_motor(self, values: np.ndarray) -> np.ndarray:
        """Values of the policy's joints in the order of the motors."""
        ordered = np.empty(len(values))
        ordered[self._order] = values
        return ordered

    def step(self, estimated: RobotState, readings: Readings, robot_time: float, tracking: bool) -> bool:
        """Run the policy once; what it wants is in :attr:`targets`.

        Args:
            estimated: The robot in the estimator's world, now.
            readings: The latest ones.
            robot_time: The robot's clock [s].
            tracking: Whether the reference runs or has not begun yet, so that the recording counts.

        Returns:
            Whether the reference has come to its end.
        """
        started, dt = self._clock(), self.tracker.spec.control_dt
        late = int((robot_time - self._next) / dt + 1e-6)
        self.skipped_steps += late
        self._next += (late + 1) * dt
        elapsed = robot_time - self._start - self._settle
        acting = estimated if self._predictor is None else self._predictor.ahead(estimated, robot_time)
        step = self.tracker.step(acting, max(0, round(elapsed / dt)) + 1)
        present = self.tracker.alignment.apply(estimated)
        posture = self.tracker.posture(present, self._safety.config.lookahead)
        self._safety.check_posture(posture, step.reference)
        limited = self._safety.limited(self.by_motor(step.targets), readings, dt)
        duration = self._clock() - started
        self._safety.check_duration(duration)
        if limited is None:
            return False
        limits = self._safety.limits
        self.targets = MotorTargets(limited, limits.stiffness, limits.damping)
        self.step_times.append(started)
        self.delays.append(0.0 if self._predictor is None else self._predictor.meter.delay)
        times = (robot_time, duration)
        self._record(step, present, readings, limited[self._order], times, tracking and elapsed > -0.5 * dt)
        return elapsed / dt > self.tracker.last_frame - 1.5

    def _record(self, step: PolicyStep, state: RobotState, readings: Readings, targets, times, tracking: bool) -> None:
        robot_time, duration = times
        corrections = self.tracker.corrections
        self.recorder.add(
            time=self.step_times[-1],
            tick=round(robot_time * 1000.0),
            tracking=tracking,
            clip=self.tracker.clip_index,
            frame=step.frame,
            root_pos_w=state.root_pos_w,
            root_quat_w=state.root_quat_w,
            root_lin_vel_w=state.root_lin_vel_w,
            root_ang_vel_w=state.root_ang_vel_w,
            joint_pos=state.joint_pos,
            joint_vel=state.joint_vel,
            joint_torque=readings.joint_torque[self._order],
            gyro=readings.gyro,
            accelerometer=readings.accelerometer,
            observation=step.observation,
            action=step.action,
            targets=targets,
            gait=self.tracker.gait.copy(),
            heading_correction=corrections.heading,
            joint_corrections=corrections.joints.copy(),
            duration=duration,
        )
