"""Between an environment and MuJoCo: states of its robots, and actions that hold given joint targets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch
from isaaclab.utils.math import quat_apply_inverse
from torch import Tensor

from whole_body_tracking.export.env_spec import ACTION_TERM, observation_terms
from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp.actions import ResidualJointPositionAction
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.mdp.observations import root_link_lin_vel_w
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of, motion_of

from .dataset import SampleLayout

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg


def require_plain_task(env_cfg: TrackingEnvCfg) -> None:
    """Check, before the simulator starts, that the expert knows where the reference of a task is.

    Raises:
        ValueError: If the clip is played at several speeds or in a loop, or the ground is not flat.
    """
    motion = motion_cfg_of(env_cfg)
    if motion is None:
        raise ValueError("Supervised training needs a task that tracks a motion.")
    reasons = ["clips at other speeds (commands.motion.speeds)"] if list(motion.speeds) != [1.0] else []
    reasons += ["a clip that loops (commands.motion.clip_end=loop)"] if motion.clip_end == "loop" else []
    reasons += ["ground that is not flat (scene.terrain)"] if env_cfg.scene.terrain is not None else []
    if reasons:
        raise ValueError(
            f"The expert follows a clip as it is, on flat ground; this task has {' and '.join(reasons)}. Train"
            " supervised without, then go on with train.py --load_sft_pretrain and these settings."
        )


def supervised_targets(env: ManagerBasedRLEnv) -> dict[str, str]:
    """Digests of what a task's actions are about, as a checkpoint has them that ``--load_sft_pretrain`` takes.

    Of one clip those of its samples' layout; of several the clips, the scale, and joint targets if actions are about
    them: a clip's own digest leaves channels out.
    """
    library = motion_of(env).library
    if library.num_clips == 1:
        layout = MujocoBridge(env).layout()
        return {"action_sha256": layout.action_sha256, "clip_sha256": layout.clip_sha256}
    scale = env.action_manager.get_term(ACTION_TERM).scale[0].cpu().numpy().astype("<f4").tobytes()
    clips, about = "".join(library.digests).encode(), b""
    if action_center(env.cfg) == JOINT_TARGET:
        about = library.channel_table(JOINT_TARGET).values.cpu().numpy().astype("<f4").tobytes()
    return {
        "action_sha256": hashlib.sha256(clips + scale + about).hexdigest(),
        "clip_sha256": hashlib.sha256(clips).hexdigest(),
    }


class MujocoBridge:
    """Reads an environment's robots as MuJoCo states and turns joint targets into the task's actions.

    States are as :class:`~whole_body_tracking.refine.planning.expert.SamplingExpert` takes them, relative to each env's
    origin; joints are in the order of the robot's facts.
    """

    def __init__(self, env: ManagerBasedRLEnv):
        """Prepare for a running environment of one clip.

        Raises:
            ValueError: If it tracks several clips.
        """
        self.env, self.motion = env, motion_of(env)
        if self.motion.library.num_clips != 1:
            raise ValueError(
                f"Supervised training takes one clip, and {self.motion.library.num_clips} are given:"
                f" {list(self.motion.library.names)[:5]}."
            )
        self.robot = get_robot(env.cfg.robot_name)
        self.action = env.action_manager.get_term(ACTION_TERM)
        names = self.motion.robot.joint_names
        self._from_env = [names.index(name) for name in self.robot.joint_names]
        self._to_action = [self.robot.joint_names.index(name) for name in self.action.joint_names]
        center = self._centers().cpu().numpy()
        self._scale = self.action.scale[0].cpu().numpy()
        self._center = center

    @property
    def frames(self) -> np.ndarray:
        """Frame that each robot is at: one before the one that the next step should reach, shape [num_envs]."""
        return (self.motion.frames - 1).clamp(min=0).cpu().numpy()

    def states(self) -> np.ndarray:
        """States of all robots, shape [num_envs, nq + nv], float64."""
        data = self.motion.robot.data
        quat = data.root_link_quat_w.torch
        parts = (
            data.root_link_pos_w.torch - self.env.scene.env_origins,
            quat[:, [3, 0, 1, 2]],
            data.joint_pos.torch[:, self._from_env],
            root_link_lin_vel_w(data),
            quat_apply_inverse(quat, data.root_link_ang_vel_w.torch),
            data.joint_vel.torch[:, self._from_env],
        )
        return torch.cat(parts, dim=-1).double().cpu().numpy()

    def actions(self, targets: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Actions that hold joint targets, shape [num_envs, num_joints].

        Calibration errors that randomisation gives the joints are not compensated: the policy does not see them.

        Args:
            targets: Joint targets [rad] in the order of the robot's facts, shape [num_envs, num_joints].
            frames: Frame that each robot is at, shape [num_envs].
        """
        ahead = np.minimum(frames + 1, len(self._center) - 1)
        return (targets[:, self._to_action] - self._center[ahead]) / self._scale

    def layout(self) -> SampleLayout:
        """What samples of this environment belong to."""
        library = self.motion.library
        sha = hashlib.sha256(self._center.astype("<f4").tobytes() + self._scale.astype("<f4").tobytes())
        return SampleLayout(
            robot=self.robot.name,
            clip=library.names[0],
            clip_sha256=library.digests[0],
            control_dt=round(self.env.step_dt, 9),
            observations=tuple((term.name, term.dim) for term in observation_terms(self.env)),
            joint_names=tuple(self.action.joint_names),
            action_center=action_center(self.env.cfg),
            action_sha256=sha.hexdigest(),
        )

    def _centers(self) -> Tensor:
        """Joint target of a zero action at every frame [rad], joints in the order of the action."""
        num_frames = int(self.motion.last_frames[0]) + 1
        if not isinstance(self.action, ResidualJointPositionAction):
            return self.action.nominal_offset[:1].expand(num_frames, -1)
        frames = torch.arange(num_frames, device=self.env.device)
        clip_ids = torch.zeros_like(frames)
        if action_center(self.env.cfg) == JOINT_TARGET:
            return self.motion.library.channel_at(JOINT_TARGET, clip_ids, frames)
        return self.motion.library.state_at(clip_ids, frames).joint_pos
