"""What a controller runs: a policy and what it follows, a clip or a walk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.gait_walker import WantedGait

from .alignment import Alignment
from .corrections import Corrections
from .pose import Body, Pair, Posture

ESTIMATED_TERMS = ("motion_anchor_pos_b", "base_lin_vel", "preview_anchor_pos_b")
"""Observations that need an estimate of position or velocity."""


@dataclass(frozen=True)
class PolicyStep:
    """One step of the policy; joints in its own order."""

    frame: int
    """Frame of the reference that the step aims at."""
    state: RobotState
    """The robot in the reference's world."""
    observation: np.ndarray
    action: np.ndarray
    targets: np.ndarray
    """Joint targets before any limit [rad], shape [num_joints]."""
    reference: Posture
    """How the reference holds itself at that frame."""


class Follower(ABC):
    """Runs a policy on what it follows; the clock is the caller's. See :class:`.Tracker` and :class:`.GaitTracker`."""

    is_endless = False
    """Whether it goes on until somebody ends it; then it also never stands in its first pose."""
    names: tuple[str, ...]
    """What it can follow."""
    wanted: WantedGait | None = None
    """How an operator wants it to walk; None where there is nothing to choose."""

    def __init__(self, policy: OnnxPolicy, body: Body):
        self.policy, self.spec, self.body = policy, policy.spec, body
        self.corrections = Corrections(policy.spec.joint_names)
        self.alignment = Alignment()
        self._overlaps: dict[str, dict[Pair, float]] = {}

    @property
    def needs_estimate(self) -> bool:
        """Whether the policy observes where the robot is or how fast it moves."""
        return any(term.name in ESTIMATED_TERMS for term in self.spec.observations)

    @property
    @abstractmethod
    def name(self) -> str:
        """What it follows now."""

    @abstractmethod
    def choose(self, name: str) -> None:
        """Follow something else next.

        Raises:
            ValueError: If there is nothing of that name; the message lists what there is.
        """

    @property
    @abstractmethod
    def first_pose(self) -> np.ndarray:
        """Joint positions to stand in before [rad], shape [num_joints]."""

    @property
    @abstractmethod
    def holding_torque(self) -> np.ndarray:
        """Torques that hold that pose on its feet [N m], shape [num_joints]."""

    @property
    @abstractmethod
    def last_frame(self) -> float:
        """Last frame of the reference; infinite if it never ends."""

    @abstractmethod
    def start(self, state: RobotState) -> None:
        """Put the reference's first frame where the robot stands and heads, and forget what was before.

        Args:
            state: The robot in the estimator's world.
        """

    @abstractmethod
    def step(self, estimated: RobotState, frame: int) -> PolicyStep:
        """Run the policy once.

        Args:
            estimated: The robot in the estimator's world.
            frame: Frame to aim at, as large as the last one or larger; beyond the end the last one is.
        """

    @property
    @abstractmethod
    def clip_index(self) -> int:
        """Place of what it follows now among :meth:`followed`."""

    @abstractmethod
    def followed(self) -> Sequence[MotionClip]:
        """References that steps aimed at, as clips: joints and tracked bodies in the order of the spec."""

    @property
    def gait(self) -> np.ndarray:
        """Values of the policy's ``gait`` input, shape [num_inputs]; of policies without one none."""
        return np.zeros(0)

    def slow_down(self) -> None:
        """Come to an end that a robot can stand in; a clip has one."""
        return None

    def end(self) -> None:
        """Call when the policy is left although nothing tripped: a walk ends before the frame that it aims at."""
        return None

    def go_on(self) -> None:
        """Take :meth:`slow_down` back."""
        return None

    @property
    def can_stand(self) -> bool:
        """Whether, slowed down, it is where the robot can stop and stand in the first pose."""
        return False

    def posture(self, state: RobotState, lookahead: float) -> Posture:
        """How the robot holds itself in the reference's world; distances are those that the reference lacks itself.

        Args:
            state: Of the robot.
            lookahead: Time over which joint velocities are followed for the distances [s].
        """
        return self.body.posture(state, lookahead, self._overlaps[self.name])
