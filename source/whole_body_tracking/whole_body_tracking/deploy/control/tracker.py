"""A policy that tracks a clip: from an estimated state to joint targets, with sim2sim's observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.observations import ObservationBuilder, Situation
from whole_body_tracking.sim2sim.reference import Reference
from whole_body_tracking.sim2sim.rollout import residual_center, situation

from .follower import Follower, PolicyStep
from .pose import Body, reference_posture
from .standing import holding_torque


class Tracker(Follower):
    """Runs a policy on one of its clips; the clock is the caller's."""

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, references: Sequence[Reference], body: Body):
        """Take the first reference.

        Args:
            policy: The exported policy.
            robot: Its robot.
            references: What it can track.
            body: Forward kinematics of the robot.
        """
        super().__init__(policy, body)
        self.references = {reference.clip.name: reference for reference in references}
        self.names = tuple(self.references)
        self.builder = ObservationBuilder(policy.spec)
        self.reference = references[0]
        bodies = references[0].clip
        self._root, *self._feet = bodies.body_indices([robot.body_names[0], *robot.foot_body_names])
        self._anchor = bodies.body_indices([policy.spec.anchor_body_name])[0]
        self._holding = {name: holding_torque(each.clip, robot) for name, each in self.references.items()}
        self._overlaps = {name: body.overlaps(each.clip, self._root) for name, each in self.references.items()}
        self._last_action = np.zeros(len(policy.spec.joint_names))
        self._default, self._scale = np.array(self.spec.default_joint_pos), np.array(self.spec.action_scale)

    @property
    def name(self) -> str:
        return self.reference.clip.name

    def choose(self, name: str) -> None:
        require_known(name, self.references, "clip of the policy")
        self.reference = self.references[name]

    @property
    def first_pose(self) -> np.ndarray:
        return self.reference.clip.joint_pos[0]

    @property
    def holding_torque(self) -> np.ndarray:
        return self._holding[self.name]

    @property
    def last_frame(self) -> int:
        return self.reference.clip.num_frames - 1

    @property
    def clip_index(self) -> int:
        return self.names.index(self.name)

    def followed(self) -> list[MotionClip]:
        return [reference.clip for reference in self.references.values()]

    def start(self, state: RobotState) -> None:
        clip = self.reference.clip
        pos, quat = self.body.anchor(state)
        self.alignment.align(pos, quat, clip.body_pos_w[0, self._anchor], clip.body_quat_w[0, self._anchor])
        self.builder.reset()
        self.corrections.reset()
        self._last_action[:] = 0.0

    def step(self, estimated: RobotState, frame: int) -> PolicyStep:
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
        clip = self.reference.clip
        posture = reference_posture(
            clip.body_pos_w[frame], clip.body_quat_w[frame], self._anchor, self._root, self._feet
        )
        return PolicyStep(
            frame, state, observation, self._last_action, self._targets(self._last_action, frame), posture
        )

    def _corrected(self, now: Situation) -> Situation:
        offsets = self.corrections.joints
        if not offsets.any():
            return now
        return replace(
            now, ref_joint_pos=now.ref_joint_pos + offsets, preview_joint_pos=now.preview_joint_pos + offsets
        )

    def _targets(self, action: np.ndarray, frame: int) -> np.ndarray:
        """Joint targets. A residual policy's are about its centre, which the corrections have moved."""
        is_residual = self.spec.emitted_actions == "residual"
        origin = residual_center(self.reference.clip, self.spec)[frame] if is_residual else self._default
        moved = self.corrections.joints if self.spec.action_kind == "residual" else 0.0
        return origin + moved + self._scale * action
