"""A policy that follows a RefNN: walks as an operator wants it, from standing to standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.gait_walker import AT_REST, WalkFrame, WalkingPolicy, WantedGait, gait_values

from .follower import Follower, PolicyStep
from .pose import Body, reference_posture
from .standing import holding_torque

WALK = "walk"
"""Name of what a gait policy follows."""
SLOW_START = 1.5
"""How long a walk that begins stays in its slowest gait [s]: two steps at 80 steps per minute."""
IS_SLOW = 0.03
"""How near to the slowest gait speeds [m/s] and turn rates [rad/s] are where the robot can stop."""


class GaitTracker(Follower):
    """Runs a gait policy; the clock is the caller's.

    The robot stands in the pose in which its slowest straight walk has the left foot touch down, with both soles on the
    ground. A walk begins there, at rest, with the slowest gait for :data:`SLOW_START` seconds, and ends there: slowed
    down, the robot can stop at a touchdown of the left foot.
    """

    is_endless = True
    names = (WALK,)

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, gait: Mapping[str, float], body: Body):
        """Stand before the walk.

        Args:
            policy: The exported policy.
            robot: Its robot.
            gait: How to walk, by name; what is left out is in the middle of its range.
            body: Forward kinematics of the robot.

        Raises:
            ValueError: If a parameter is unknown or out of range, or the export lacks what a robot needs.
        """
        super().__init__(policy, body)
        spec = policy.spec
        require_known([robot.body_names[0], *robot.foot_body_names], spec.body_names, "body in the policy's reference")
        self.wanted = WantedGait(spec, gait_values(spec, gait))
        self._slowest = self.wanted.slowest()
        self._walk = WalkingPolicy(policy)
        self._root, *self._feet = (
            spec.body_names.index(name) for name in (robot.body_names[0], *robot.foot_body_names)
        )
        begun = self._walk.start(self._slowest)
        self._first_pose = begun.joint_pos
        self._holding = holding_torque(walk_clip([begun, begun], spec, WALK), robot)
        self._overlaps = {WALK: {}}
        self._walks: list[list[WalkFrame]] = []
        self._frame, self._is_slowing = 0, False

    @property
    def name(self) -> str:
        return WALK

    def choose(self, name: str) -> None:
        require_known(name, self.names, "reference of the policy")

    @property
    def first_pose(self) -> np.ndarray:
        return self._first_pose

    @property
    def holding_torque(self) -> np.ndarray:
        return self._holding

    @property
    def last_frame(self) -> float:
        return np.inf

    @property
    def clip_index(self) -> int:
        return len(self._walks) - 1

    def followed(self) -> list[MotionClip]:
        return [walk_clip(frames, self.spec, f"{WALK}_{number}") for number, frames in enumerate(self._walks, start=1)]

    @property
    def gait(self) -> np.ndarray:
        is_slow = self._is_slowing or self._frame * self.spec.control_dt < SLOW_START
        return self._slowest if is_slow else self.wanted.values

    def slow_down(self) -> None:
        self._is_slowing = True

    def end(self) -> None:
        if len(self._walks[-1]) > 2:  # a clip has two frames at least
            self._walks[-1].pop()

    def go_on(self) -> None:
        self._is_slowing = False

    @property
    def can_stand(self) -> bool:
        if not self._is_slowing:
            return False
        params = self._walk.params
        slowest = dict(zip(self.spec.gait_inputs, self._slowest, strict=True))
        is_slow = all(abs(params[name] - slowest[name]) < IS_SLOW for name in AT_REST if name in slowest)
        return is_slow and self._walk.phase < self.spec.control_dt * params["cadence"] / 120.0

    def start(self, state: RobotState) -> None:
        begun, anchor = self._walk.start(self._slowest), self._walk.anchor
        self.alignment.align(*self.body.anchor(state), begun.body_pos_w[anchor], begun.body_quat_w[anchor])
        self._walks.append([begun, self._walk.frame])
        self._frame, self._is_slowing = 1, False

    def step(self, estimated: RobotState, frame: int) -> PolicyStep:
        while self._frame < frame:
            self._walk.advance()
            self._walks[-1].append(self._walk.frame)
            self._frame += 1
        state, ref, root = self.alignment.apply(estimated), self._walk.frame, self._root
        self.body.deepen(self._overlaps[WALK], ref.body_pos_w[root], ref.body_quat_w[root], ref.joint_pos)
        observation, action, targets = self._walk.act(state, *self.body.anchor(state), self.gait)
        posture = reference_posture(ref.body_pos_w, ref.body_quat_w, self._walk.anchor, root, self._feet)
        return PolicyStep(frame, state, observation, action, targets, posture)


def walk_clip(frames: Sequence[WalkFrame], spec: PolicySpec, name: str) -> MotionClip:
    """Frames of a walk's reference as a clip: joints and tracked bodies in the order of the spec."""
    arrays = {key: np.stack([getattr(frame, key) for frame in frames]).astype(np.float32) for key in WalkFrame._fields}
    norm = np.linalg.norm(arrays["body_quat_w"], axis=-1, keepdims=True)
    arrays["body_quat_w"] = arrays["body_quat_w"] / norm
    clip = MotionClip(
        fps=1.0 / spec.control_dt, joint_names=spec.joint_names, body_names=spec.body_names, name=name, **arrays
    )
    return replace(clip, source={"sha256": clip.digest})
