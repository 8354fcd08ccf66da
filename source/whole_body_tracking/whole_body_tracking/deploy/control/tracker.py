"""A policy that tracks a reference: from an estimated state to joint targets, with sim2sim's observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.observations import ObservationBuilder, Situation
from whole_body_tracking.sim2sim.reference import Reference
from whole_body_tracking.sim2sim.rollout import situation

from .alignment import Alignment
from .corrections import Corrections
from .pose import Body, Posture, reference_posture
from .standing import holding_torque

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


class Tracker:
    """Runs a policy on one of its references; the clock is the caller's."""

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, references: Sequence[Reference], body: Body):
        """Take the first reference.

        Args:
            policy: The exported policy.
            robot: Its robot.
            references: What it can track.
            body: Forward kinematics of the robot.
        """
        self.policy, self.spec, self.body = policy, policy.spec, body
        self.references = {reference.clip.name: reference for reference in references}
        self.builder = ObservationBuilder(policy.spec)
        self.corrections = Corrections(policy.spec.joint_names)
        self.alignment = Alignment()
        self.reference = references[0]
        bodies = references[0].clip
        self._root, *self._feet = bodies.body_indices([robot.body_names[0], *robot.foot_body_names])
        self._anchor = bodies.body_indices([policy.spec.anchor_body_name])[0]
        self._holding = {name: holding_torque(each.clip, robot) for name, each in self.references.items()}
        self._overlaps = {name: body.overlaps(each.clip, self._root) for name, each in self.references.items()}
        self._last_action = np.zeros(len(policy.spec.joint_names))
        self._default, self._scale = np.array(self.spec.default_joint_pos), np.array(self.spec.action_scale)

    @property
    def needs_estimate(self) -> bool:
        """Whether the policy observes where the robot is or how fast it moves."""
        return any(term.name in ESTIMATED_TERMS for term in self.spec.observations)

    @property
    def last_frame(self) -> int:
        """Last frame of the reference."""
        return self.reference.clip.num_frames - 1

    def choose(self, name: str) -> None:
        """Take another reference.

        Raises:
            ValueError: If there is none of that name; the message lists them.
        """
        require_known(name, self.references, "clip of the policy")
        self.reference = self.references[name]

    def start(self, state: RobotState) -> None:
        """Put the reference's first frame where the robot stands and heads, and forget what was before.

        Args:
            state: The robot in the estimator's world.
        """
        clip = self.reference.clip
        pos, quat = self.body.anchor(state)
        self.alignment.align(pos, quat, clip.body_pos_w[0, self._anchor], clip.body_quat_w[0, self._anchor])
        self.builder.reset()
        self.corrections.reset()
        self._last_action[:] = 0.0

    def step(self, estimated: RobotState, frame: int) -> PolicyStep:
        """Run the policy once.

        Args:
            estimated: The robot in the estimator's world.
            frame: Frame to aim at; beyond the clip's end its last one is.
        """
        aimed_at, frame = frame, min(frame, self.last_frame)
        state = self.alignment.apply(estimated)
        pos, quat = self.body.anchor(state)
        turn = self.corrections.advance(self.spec.control_dt)
        if turn:
            self.alignment.turn_reference(turn, pos)
            state = self.alignment.apply(estimated)
            pos, quat = self.body.anchor(state)
        now = situation(self.spec, self.reference, aimed_at, state, pos, quat, self._last_action)
        observation = self.builder.build(self._corrected(now))
        self._last_action = self.policy.run(observation, frame)["actions"][0].astype(np.float64)
        return PolicyStep(frame, state, observation, self._last_action, self._targets(self._last_action, frame))

    @property
    def holding_torque(self) -> np.ndarray:
        """Torques that hold the reference's first pose [N m], shape [num_joints]."""
        return self._holding[self.reference.clip.name]

    def posture(self, state: RobotState, lookahead: float) -> Posture:
        """How the robot holds itself in the reference's world; distances are those that the clip does not have itself.

        Args:
            state: Of the robot.
            lookahead: Time over which joint velocities are followed for the distances [s].
        """
        return self.body.posture(state, lookahead, self._overlaps[self.reference.clip.name])

    def reference_posture(self, frame: int) -> Posture:
        """How the reference holds itself at a frame."""
        clip = self.reference.clip
        return reference_posture(clip, min(frame, self.last_frame), self._anchor, self._root, self._feet)

    def _corrected(self, now: Situation) -> Situation:
        offsets = self.corrections.joints
        if not offsets.any():
            return now
        return replace(
            now, ref_joint_pos=now.ref_joint_pos + offsets, preview_joint_pos=now.preview_joint_pos + offsets
        )

    def _targets(self, action: np.ndarray, frame: int) -> np.ndarray:
        """Joint targets. A residual policy's are about the reference, which the corrections have moved."""
        about_reference = self.spec.emitted_actions == "residual"
        origin = self.reference.clip.joint_pos[frame] if about_reference else self._default
        moved = self.corrections.joints if self.spec.action_kind == "residual" else 0.0
        return origin + moved + self._scale * action
