"""The controller of a robot: a state message in, a command message out, through modes and the safety layer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from whole_body_tracking.robots import RobotModel

from ..protocol.checks import state_inbox
from ..protocol.readings import Readings, readings_of
from .estimation.estimator import LegHeight
from .estimation.latency import LatencyMeter
from .estimation.prediction import Predictor
from .follower import Follower
from .policy_loop import PolicyLoop
from .pose import Body
from .safety import SafetyConfig, SafetyLayer
from .standing import Ramp, standing_gains
from .targets import MotorTargets, damping_targets

logger = logging.getLogger(__name__)

Mode = Literal["passive", "stand", "track", "hold", "damp"]

LARGEST_JUMP = 0.5
"""How far joints may be from a clip's first pose when the policy goes on to it without standing [rad]."""


@dataclass(frozen=True)
class ControllerConfig:
    """Times of the state machine [s]."""

    ramp: float = 3.0
    """From where the joints are to the clip's first pose."""
    blend: float = 0.3
    """From standing torques to the policy's."""
    settle: float = 1.0
    """How long the policy holds the clip's first pose before the clip runs; includes the blend. A walk begins at once:
    no gait policy has learnt to stand."""
    walk_blend: float = 0.2
    """From standing torques to a gait policy's."""
    stop: float = 0.5
    """From where the joints are, when a walk stops, to its first pose."""
    compensate_delay: bool = False
    """Whether the policy sees where the robot will be when its command acts."""
    safety: SafetyConfig = field(default_factory=SafetyConfig)


class Controller:
    """Modes passive -> stand -> track -> hold (-> track ...) -> damp. Call :meth:`on_state` with every message.

    Commands go out in answer to accepted states alone, and in :meth:`on_silence` once their absence has tripped the
    watchdog. The clock of the modes and of the policy is the robot's; that of the watchdog is this machine's.
    """

    def __init__(
        self,
        tracker: Follower,
        safety: SafetyLayer,
        robot: RobotModel,
        body: Body,
        config: ControllerConfig | None = None,
        estimator=None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Start passive.

        Args:
            tracker: The policy and what it follows.
            safety: Limits of the same policy.
            robot: The facts; motors are in the order of its joints.
            body: Forward kinematics.
            config: Times.
            estimator: Position and velocity; None knows neither.
            clock: Of this machine [s].

        Raises:
            ValueError: If the policy observes position or velocity and nothing estimates them.
        """
        if estimator is None and tracker.needs_estimate:
            raise ValueError(
                f"The policy observes {tracker.spec.describe_observations()}, which needs a state estimate. Run it"
                " with an estimator, or train Tracking-Flat-G1-Wo-State-Estimation-v0."
            )
        self.tracker, self.safety, self.config = tracker, safety, config or ControllerConfig()
        self.estimator = estimator or LegHeight(body)
        self.meter = LatencyMeter(safety.limits)
        """Measures how late commands act."""
        self._order = np.array([robot.joint_names.index(name) for name in tracker.spec.joint_names])
        predictor = Predictor(robot, tracker.spec, self.meter) if self.config.compensate_delay else None
        settle = 0.0 if tracker.is_endless else self.config.settle
        self._blend = self.config.walk_blend if tracker.is_endless else self.config.blend
        self.loop = PolicyLoop(tracker, safety, self._order, settle, clock, predictor)
        self.inbox = state_inbox(robot.num_joints)
        self.mode: Mode = "passive"
        self.finished: list[str] = []
        """Clips that were tracked to their end, and walks that were told to end."""
        self.readings: Readings | None = None
        self.robot_time = 0.0
        """The robot's clock at the last accepted state [s]."""
        self.remote = b""
        """The remote control's bytes in the last accepted state."""
        self._clock, self._robot = clock, robot
        self._last_state: float | None = None
        self._ramp: Ramp | None = None
        self._blend_start = 0.0
        self._from: MotorTargets | None = None

    # -- what a person or a script asks for ----------------------------------------------------------------------------

    def stand(self) -> None:
        """Go to the first pose of the clip. Does nothing before the first state, and while the policy runs."""
        if self.readings is None or self.mode not in ("passive", "stand"):
            return
        self._from = None
        self._ramp = self._new_ramp(self.config.ramp)
        self._enter("stand")

    def track(self, clip: str | None = None) -> bool:
        """Let the policy track a clip from its beginning, from standing or from the end of the clip before.

        Args:
            clip: Its name; None takes the same again.

        Returns:
            Whether the clip starts; else the log says why not.

        Raises:
            ValueError: If the policy has no such clip.
        """
        if clip is not None and self.mode != "track":
            self.tracker.choose(clip)
        if self.mode == "hold" and self.tracker.is_endless:
            self.tracker.go_on()
            self._enter("track")
            return True
        if not self._can_start():
            return False
        self._from, self._blend_start = self._present_targets(), self.robot_time
        self.loop.start(self._estimated(), self.robot_time)
        self.safety.begin(self._from.joint_pos)
        self._enter("track")
        return True

    def hold(self) -> None:
        """End a walk: slow down, then stop and stand at a touchdown of the left foot. A clip ends by itself."""
        if self.mode != "track" or not self.tracker.is_endless:
            logger.warning("Only a walk can be told to end; the mode is %s.", self.mode)
            return
        self.tracker.slow_down()
        self.finished.append(self.tracker.name)
        self._enter("hold")

    def damp(self) -> None:
        """Let the motors only damp; from here only :meth:`passive` leads on."""
        self._enter("damp")

    def passive(self) -> None:
        """Back to the beginning, after damping: forgets the trip."""
        if self.mode in ("damp", "stand"):
            self.safety.reset()
            self._enter("passive")

    # -- what the wire brings ------------------------------------------------------------------------------------------

    def on_state(self, data: bytes) -> bytes | None:
        """Answer a state message with a command, or with nothing if it is refused."""
        message = self.inbox.take(data)
        if message is None:
            return None
        self._last_state, robot_time = self._clock(), int(message["tick"]) / 1000.0
        dt = robot_time - self.robot_time if self.readings is not None else 0.0
        self.robot_time, self.readings = robot_time, readings_of(message, self._robot.num_joints)
        self.remote = message["wireless_remote"].tobytes()
        self.estimator.update(self.readings, dt)
        self.meter.observe(self.readings, robot_time)
        if self.mode not in ("passive", "damp"):
            self.safety.check_joints(self.readings)
        targets = self._targets()
        if self.safety.trip is not None and self.mode != "damp":
            self.damp()
            targets = self._damping()
        self.meter.sent.add(robot_time, targets)
        return targets.encoded()

    def on_silence(self) -> bytes | None:
        """Call when no message has come for a while: a damping command once that has lasted too long."""
        if self._last_state is None:
            return None
        if self.mode != "passive":
            self.safety.check_age(self.silence)
        if self.safety.trip is None:
            return None
        if self.mode != "damp":
            self.damp()
        return self._damping().encoded()

    @property
    def silence(self) -> float:
        """Time since the last accepted state [s]; infinite before the first."""
        return np.inf if self._last_state is None else self._clock() - self._last_state

    @property
    def is_standing(self) -> bool:
        """Whether the robot stands in the clip's first pose, as far as it was told to."""
        return self.mode == "stand" and self._ramp.is_over(self.robot_time)

    def stop(self) -> bytes | None:
        """The last command of a run that ends: damping; None before the first state."""
        if self.readings is None:
            return None
        self.damp()
        return self._damping().encoded()

    def counts(self) -> dict:
        """What a run wants to know of its messages and limits."""
        return {
            "accepted_states": self.inbox.accepted,
            "refused_states": dict(self.inbox.refused),
            "clamped_steps": dict(self.safety.clamped),
            "skipped_steps": self.loop.skipped_steps,
            "policy_steps": self.loop.recorder.num_steps,
            "measured_delay": round(self.meter.delay, 4),
            "compensated_delay": round(float(np.median(self.loop.delays or [0.0])), 4),
        }

    # -- modes ---------------------------------------------------------------------------------------------------------

    def _targets(self) -> MotorTargets:
        if self.mode == "stand":
            self.safety.check_upright(self._root_up())
            return self._present_targets()
        if self.mode in ("track", "hold"):
            if self.loop.is_due(self.robot_time):
                self._run_policy()
            return self._present_targets()
        return self._damping()

    def _run_policy(self) -> None:
        is_tracking = self.mode == "track"
        counts = is_tracking or self.tracker.is_endless
        ended = self.loop.step(self._estimated(), self.readings, self.robot_time, counts)
        if ended and is_tracking:
            self.finished.append(self.tracker.name)
            self._enter("hold")
        elif self.mode == "hold" and self.tracker.can_stand:
            self._from, self._blend_start = self._present_targets(), self.robot_time
            self._ramp = self._new_ramp(self.config.stop, carries=True)
            self._enter("stand")

    def _present_targets(self) -> MotorTargets:
        wanted = self._ramp.targets(self.robot_time) if self.mode == "stand" else self.loop.targets
        if wanted is None:
            return self._damping() if self._from is None else self._from
        if self._from is None:
            return wanted
        share = (self.robot_time - self._blend_start) / self._blend
        return wanted if share >= 1.0 else self._from.faded(wanted, max(0.0, share))

    def _can_start(self) -> bool:
        if self.mode == "stand" and self._ramp.is_over(self.robot_time):
            pass
        elif self.mode != "hold":
            logger.warning("A clip starts from standing or from the end of another; the mode is %s.", self.mode)
            return False
        goal = self.loop.by_motor(self.tracker.first_pose)
        jump = np.abs(self.readings.joint_pos - goal)
        if jump.max() > LARGEST_JUMP:
            name = self._robot.joint_names[int(jump.argmax())]
            logger.warning(
                "%s is %.2f rad from the first pose of %s, limit %g: damp and stand first.",
                name, jump.max(), self.tracker.name, LARGEST_JUMP,
            )  # fmt: skip
            return False
        return True

    def _new_ramp(self, seconds: float, carries: bool = False) -> Ramp:
        """From where the joints are to the first pose; carries the robot from its beginning on, or lifts it up."""
        goal, torque = (self.loop.by_motor(v) for v in (self.tracker.first_pose, self.tracker.holding_torque))
        start, limits = self.readings.joint_pos, self.safety.limits
        if carries:
            start = start + torque / standing_gains(limits)[0]
        return Ramp(start, goal, torque, limits, seconds, self.robot_time)

    def _estimated(self):
        return self.estimator.state(self.readings, self._order)

    def _root_up(self) -> np.ndarray:
        x, y, z, w = self.readings.quat_xyzw
        return np.array([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)])

    def _damping(self) -> MotorTargets:
        return damping_targets(self.readings.joint_pos, self.safety.config.damping)

    def _enter(self, mode: Mode) -> None:
        if mode != self.mode:
            if self.mode in ("track", "hold") and mode in ("stand", "damp") and self.safety.trip is None:
                self.tracker.end()
            logger.info("%s -> %s at %.2f s", self.mode, mode, self.robot_time)
            self.mode = mode
