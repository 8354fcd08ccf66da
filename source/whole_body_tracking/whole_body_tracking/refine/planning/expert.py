"""An expert that says what to do in any state near a clip: the sampling planner for many robots in lockstep."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.refine.inverse_dynamics import inverse_dynamics_targets
from whole_body_tracking.refine.native_physics import NativePhysics, planning_step
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1, RobotModel

from .sampling import SamplingPlanner, SamplingSettings

EXPERT_SETTINGS = SamplingSettings(samples=32, rounds=2, horizon=20, replan_every=2, noise=0.5, temperature=0.1)
"""640 control steps a label: half of what refining a clip takes, and enough to recover from the task's start noise."""


class SamplingExpert:
    """Labels states of robots with the joint targets that a planner would hold there.

    A state is MuJoCo's positions and velocities, shape [nq + nv]: root position [m], quaternion (w, x, y, z), joints
    [rad], then root velocity in the world [m/s], angular velocity in the body [rad/s], joint velocities [rad/s].
    Joints are in the order of the robot. The same seed and calls give the same labels, on any number of threads.
    """

    def __init__(
        self,
        clip: MotionClip,
        robot: RobotModel = G1,
        joint_target: np.ndarray | None = None,
        settings: SamplingSettings = EXPERT_SETTINGS,
        seed: int = 0,
        num_threads: int | None = None,
    ):
        """Prepare for a clip.

        Args:
            clip: What to follow.
            robot: Who follows it.
            joint_target: Feed-forward targets [rad] in the order of the clip's joints, shape [num_frames, num_joints];
                None takes those of inverse dynamics.
            settings: Of the planner.
            seed: Of its noise.
            num_threads: Threads of physics; None takes one for each available core.

        Raises:
            ValueError: If the clip is not one of this robot, its rate does not fit the physics, or it is below the
                ground.
        """
        self.reference = reference_states(clip, robot)
        targets = inverse_dynamics_targets(clip, robot).joint_target if joint_target is None else joint_target
        dt = self.reference.control_dt
        self.physics = NativePhysics(robot, dt, num_threads)
        self._planning = NativePhysics(robot, dt, num_threads, planning_step(dt))
        feed_forward = self.reference.in_robot_order(targets)
        self._planner = SamplingPlanner(self._planning, self.reference, feed_forward, settings, seed)
        self._offsets = self._planner.no_offsets(0)
        self._frames = np.zeros(0, dtype=int)
        self._age = np.zeros(0, dtype=int)

    @property
    def num_control_steps(self) -> int:
        """Control steps of physics that labels have taken so far."""
        return self._planning.num_control_steps

    def states_at(self, frames: np.ndarray) -> np.ndarray:
        """The clip's own states, shape [num_envs, nq + nv]."""
        return np.hstack([self.reference.qpos[frames], self.reference.qvel[frames]])

    def label(self, states: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Joint targets [rad] for the step that begins in each state, shape [num_envs, num_joints].

        A row whose frame is one more than in the call before goes on with its plan, which is improved every
        ``replan_every`` steps from the state given; any other row begins a new plan.

        Args:
            states: States of the robots, shape [num_envs, nq + nv].
            frames: Frame that each robot is at, shape [num_envs]; the target is for the step to the next.

        Raises:
            ValueError: If the shapes do not agree or a frame is outside the clip.
        """
        frames = np.asarray(frames)
        self._check(states, frames)
        if len(frames) != len(self._frames):
            self._offsets, self._frames = self._planner.no_offsets(len(frames)), np.full(len(frames), -2)
            self._age = np.zeros(len(frames), dtype=int)
        goes_on = frames == self._frames + 1
        shifted = np.concatenate([self._offsets[:, 1:], np.zeros_like(self._offsets[:, :1])], axis=1)
        self._offsets = np.where(goes_on[:, None, None], shifted, 0.0)
        self._age = np.where(goes_on, self._age + 1, 0)
        due = np.flatnonzero(self._age % self._planner.settings.replan_every == 0)
        if len(due):
            qpos, qvel = np.split(states[due], [self.physics.model.nq], axis=1)
            self._offsets[due] = self._planner.plan(qpos, qvel, frames[due], self._offsets[due])
        self._frames = frames.copy()
        ahead = np.minimum(frames + 1, self.reference.num_frames - 1)
        return self._planner.targets[ahead] + self._offsets[:, 0]

    def step(self, states: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """States after holding joint targets for a control step, shape [num_envs, nq + nv]; sim2sim's physics."""
        qpos, qvel = np.split(states, [self.physics.model.nq], axis=1)
        played = self.physics.roll_out(qpos, qvel, targets[:, None])
        return np.hstack([played.qpos[:, 0], played.qvel[:, 0]])

    def close(self) -> None:
        """Stop the threads."""
        self.physics.close()
        self._planning.close()

    def _check(self, states: np.ndarray, frames: np.ndarray) -> None:
        width = self.physics.model.nq + self.physics.model.nv
        if states.shape != (len(frames), width):
            raise ValueError(f"states have shape {list(states.shape)}, expected {[len(frames), width]} for the frames.")
        if len(frames) and not 0 <= frames.min() <= frames.max() < self.reference.num_frames:
            raise ValueError(
                f"frames lie in {frames.min()} to {frames.max()}, but {self.reference.clip.name} has the frames 0 to"
                f" {self.reference.num_frames - 1}."
            )
