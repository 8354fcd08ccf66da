"""Recording of one env of a running task and its reference, for a video afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import RobotModel

from .tracks import Track

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand


SHORTEST_VIDEO = 4.0
"""Time for which further episodes are recorded when the first one is shorter, as that of a bad policy is [s]."""


class EnvRecorder:
    """Records one env step by step, relative to its origin, until its first episode ends or it has enough."""

    def __init__(self, env: ManagerBasedRLEnv, robot: RobotModel, env_id: int = 0, num_steps: int | None = None):
        """Prepare to record.

        Args:
            env: A task of this package, unwrapped; one without a motion command has no reference to record.
            robot: Facts of its robot.
            env_id: Env to record.
            num_steps: Steps to record, over as many episodes as they take; None records one episode, and goes on with
                further ones until :data:`SHORTEST_VIDEO`.
        """
        self.env_id = env_id
        self._robot, self._num_steps, self._fps = robot, num_steps, 1.0 / env.step_dt
        self._motion = _shown_motion(env)
        self._articulation = env.scene["robot"]
        self._origin = env.scene.env_origins[env_id]
        self._reference: tuple[Tensor, ...] = ()
        self._references: list[tuple[Tensor, ...]] = []
        self._poses: list[Tensor] = []
        self._num_seen, self._ended = 0, False

    @property
    def num_frames(self) -> int:
        return len(self._poses)

    @property
    def fps(self) -> float:
        """Frame rate of :meth:`tracks` [Hz]."""
        return self._fps

    @property
    def is_complete(self) -> bool:
        if self._num_steps is not None:
            return self.num_frames >= self._num_steps
        # Steps, not frames: an env that fails in every first step yields none.
        return self._ended and self._num_seen >= SHORTEST_VIDEO * self._fps

    def before_step(self) -> None:
        """Note the frame that the coming step should reach."""
        if self._motion is None:
            return
        state, library = self._motion.reference, self._motion.library
        root = library.body_names.index(self._robot.body_names[0])
        joints = [library.joint_names.index(name) for name in self._robot.joint_names]
        row = (state.body_pos_w[self.env_id, root], state.body_quat_w[self.env_id, root])
        self._reference = tuple(value.cpu() for value in (*row, state.joint_pos[self.env_id, joints]))

    def after_step(self, done: bool) -> None:
        """Note where the robot is; a step that ended the episode is left out, the robot is already back at a start."""
        if self.is_complete:
            return
        self._num_seen += 1
        self._ended |= done
        if done:
            return
        pose = self._articulation.data.body_link_pose_w.torch[self.env_id].clone()
        pose[:, :3] -= self._origin
        self._poses.append(pose.cpu())
        self._references.append(self._reference)

    def tracks(self) -> list[Track]:
        """The robot, and its reference as a ghost if it has one.

        Raises:
            ValueError: If no step was recorded.
        """
        if not self._poses:
            raise ValueError(f"Env {self.env_id} failed in its first step: there is nothing to show.")
        poses = torch.stack(self._poses).numpy()
        names = list(self._articulation.body_names)
        played = Track("policy", self._robot, names, poses[..., :3], poses[..., 3:])
        if self._motion is None:
            return [played]
        root_pos, root_quat, joint_pos = (torch.stack(rows) for rows in zip(*self._references, strict=True))
        ref_pos, ref_quat = forward_kinematics(self._robot, root_pos, root_quat, joint_pos)
        names = self._robot.body_names
        return [played, Track("reference", self._robot, names, ref_pos.numpy(), ref_quat.numpy(), ghost=True)]


def _shown_motion(env: ManagerBasedRLEnv) -> MotionCommand | None:
    """The motion command, if there is one and the policy sees its reference."""
    commands = env.command_manager
    motion = commands.get_term("motion") if "motion" in commands.active_terms else None
    return None if getattr(motion, "hidden_terms", ()) else motion
