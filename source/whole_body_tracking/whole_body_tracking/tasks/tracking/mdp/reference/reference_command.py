"""A command that gives a reference to track: what terms read of reference and robot, wherever the reference is from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from isaaclab.managers import CommandTerm
from isaaclab.utils.math import quat_from_euler_xyz, quat_mul, sample_uniform, sample_uniform_from_ranges
from torch import Tensor

from whole_body_tracking.motion import MotionState
from whole_body_tracking.tracking.errors import BodyState, TrackingErrors, tracking_errors

from .beyondmimic_names import BeyondMimicNames
from .terrain import SMOOTHING, ground_heights, reference_lift
from .visualization import TrackingMarkers

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from .reference_command_cfg import ReferenceCommandCfg

T = TypeVar("T")

POSE_AXES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Axes of the start noise, in the order in which it is drawn."""


class ReferenceCommand(BeyondMimicNames, CommandTerm):
    """What rewards, terminations and observations of tracking read; a subclass says where the reference comes from.

    The reference, the robot's tracked bodies and the errors are gathered once per instant and shared by all terms.
    Flat names such as ``robot_anchor_pos_w`` are BeyondMimic's: see :class:`BeyondMimicNames`.
    """

    cfg: ReferenceCommandCfg

    def __init__(self, cfg: ReferenceCommandCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self.robot: Articulation = env.scene[cfg.asset_name]
        self.body_names = list(cfg.body_names)
        self._tracked: dict[tuple[str, ...], Tensor] = {}
        self.anchor_idx = self.tracked_body_idx([cfg.anchor_body_name])[0]
        root_name = self.robot.body_names[0]
        self._stored_bodies = self.body_names + [root_name] * (root_name not in self.body_names)
        self.root_idx = self._stored_bodies.index(root_name)
        robot_body_idx = self.robot.find_bodies(self.body_names, preserve_order=True)[0]
        self._robot_body_idx = torch.tensor(robot_body_idx, device=self.device)
        ground = ground_heights(env.scene)
        self._ground = None if ground is None else ground.smoothed(SMOOTHING)
        self.cache = StepCache(self, lambda: env.common_step_counter)
        """What the terms share; invalidate it after writing a state to the simulator from outside."""

    # -- what the terms read -----------------------------------------------------------------------------------------

    @property
    def command(self) -> Tensor:
        """Reference joint positions and velocities [rad, rad/s], shape [num_envs, 2 * num_joints]."""
        return torch.cat((self.reference.joint_pos, self.reference.joint_vel), dim=-1)

    @property
    def reference(self) -> MotionState:
        """Reference state that the next physics step should reach, body positions relative to the env's origin.

        Bodies are the tracked ones, and the root after them if it is not tracked.
        """
        return self.cache.until_invalidated(type(self)._reference)

    @property
    def reference_bodies(self) -> BodyState:
        """Reference of the tracked bodies in the world frame."""
        return self.cache.until_invalidated(ReferenceCommand._reference_bodies)

    @property
    def robot_bodies(self) -> BodyState:
        """Tracked bodies of the robot in the world frame, in the order of :attr:`body_names`."""
        return self.cache.this_step(ReferenceCommand._robot_bodies)

    @property
    def errors(self) -> TrackingErrors:
        """Squared errors at this instant; those of an env whose state is not finite are infinite."""
        return self.cache.this_step(ReferenceCommand._errors)

    def cached_this_step(self, compute: Callable[[Self], T]) -> T:
        """Return ``compute(self)``, computed once per instant and shared by all terms that pass the same function."""
        return self.cache.this_step(compute)

    def tracked_body_idx(self, names: Sequence[str]) -> list[int]:
        """Positions of bodies among the tracked ones.

        Raises:
            ValueError: If a name is not tracked; the message lists those that are.
        """
        missing = [name for name in names if name not in self.body_names]
        if missing:
            raise ValueError(f"Bodies {missing} are not tracked by the motion command. Tracked: {self.body_names}.")
        return [self.body_names.index(name) for name in names]

    def tracked_bodies(self, names: Sequence[str]) -> Tensor:
        """Positions of bodies among the tracked ones, on the device; copied there once.

        Raises:
            ValueError: As :meth:`tracked_body_idx`.
        """
        key = tuple(names)
        if key not in self._tracked:
            self._tracked[key] = torch.tensor(self.tracked_body_idx(names), device=self.device)
        return self._tracked[key]

    # -- internals ---------------------------------------------------------------------------------------------------

    def _update_command(self) -> None:
        """Nothing to do: :meth:`compute` advances the reference."""

    def draw_start_noise(self, num_starts: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the noise on start states within the configured ranges.

        Returns:
            Root pose as x, y, z, roll, pitch, yaw [m, rad], shape [num_starts, 6]; root velocity [m/s, rad/s], same
            shape; joint positions [rad], shape [num_starts, num_joints].
        """
        pose = sample_uniform_from_ranges(self.cfg.pose_range, POSE_AXES, num_starts, device=self.device)
        twist = sample_uniform_from_ranges(self.cfg.velocity_range, POSE_AXES, num_starts, device=self.device)
        size = (num_starts, self.robot.num_joints)
        return pose, twist, sample_uniform(*self.cfg.joint_position_range, size=size, device=self.device)

    @abstractmethod
    def _reference(self) -> MotionState:
        """Compute :attr:`reference`."""

    def _as_index(self, env_ids: Sequence[int] | slice | Tensor | None) -> Tensor:
        if env_ids is None or isinstance(env_ids, slice):
            return torch.arange(self.num_envs, device=self.device)[env_ids or slice(None)]
        return torch.as_tensor(env_ids, device=self.device).long()

    def _reference_bodies(self) -> BodyState:
        ref, num = self.reference, len(self.body_names)
        return BodyState(
            ref.body_pos_w[:, :num] + self._env.scene.env_origins[:, None],
            ref.body_quat_w[:, :num],
            ref.body_lin_vel_w[:, :num],
            ref.body_ang_vel_w[:, :num],
        )

    def _robot_bodies(self) -> BodyState:
        pose = self.robot.data.body_link_pose_w.torch.index_select(1, self._robot_body_idx)
        velocity = self.robot.data.body_link_vel_w.torch.index_select(1, self._robot_body_idx)
        return BodyState(pose[..., :3], pose[..., 3:], velocity[..., :3], velocity[..., 3:])

    def _errors(self) -> TrackingErrors:
        errors = tracking_errors(self.reference_bodies, self.robot_bodies, self.anchor_idx)
        for value in vars(errors).values():
            value.nan_to_num_(nan=torch.inf, posinf=torch.inf)
        return errors

    def _on_ground(self, state: MotionState, origins: Tensor) -> MotionState:
        """Lift states, given relative to their envs' origins, to the ground below their anchors."""
        if self._ground is None:
            return state
        anchor_xy_w = state.body_pos_w[:, self.anchor_idx, :2] + origins[:, :2]
        body_pos_w = state.body_pos_w.clone()
        body_pos_w[..., 2] += reference_lift(self._ground, anchor_xy_w, origins)[:, None]
        return replace(state, body_pos_w=body_pos_w)

    def _write_state(self, env_ids: Tensor, state: MotionState, noise: tuple[Tensor, Tensor, Tensor]) -> None:
        pose, twist, joints = noise
        pos_w = state.body_pos_w[:, self.root_idx] + self._env.scene.env_origins[env_ids] + pose[:, :3]
        quat_w = quat_mul(quat_from_euler_xyz(*pose[:, 3:].unbind(-1)), state.body_quat_w[:, self.root_idx])
        velocity = torch.cat((state.body_lin_vel_w[:, self.root_idx], state.body_ang_vel_w[:, self.root_idx]), -1)
        limits = self.robot.data.soft_joint_pos_limits.torch[env_ids]
        joint_pos = (state.joint_pos + joints).clamp(limits[..., 0], limits[..., 1])
        ids = env_ids.int()
        self.robot.write_root_link_pose_to_sim_index(root_pose=torch.cat((pos_w, quat_w), -1), env_ids=ids)
        self.robot.write_root_link_velocity_to_sim_index(root_velocity=velocity + twist, env_ids=ids)
        self.robot.write_joint_state_to_sim_index(
            position=joint_pos.contiguous(), velocity=state.joint_vel.contiguous(), env_ids=ids
        )

    def _update_metrics(self) -> None:
        errors, ref = self.errors, self.reference
        self.metrics["error_anchor_pos"] = errors.anchor_pos.sqrt()
        self.metrics["error_anchor_rot"] = errors.anchor_ori.sqrt()
        self.metrics["error_body_pos"] = errors.body_pos.sqrt().mean(-1)
        self.metrics["error_body_rot"] = errors.body_ori.sqrt().mean(-1)
        self.metrics["error_body_lin_vel"] = errors.body_lin_vel.sqrt().mean(-1)
        self.metrics["error_body_ang_vel"] = errors.body_ang_vel.sqrt().mean(-1)
        self.metrics["error_joint_pos"] = (ref.joint_pos - self.robot.data.joint_pos.torch).norm(dim=-1)
        self.metrics["error_joint_vel"] = (ref.joint_vel - self.robot.data.joint_vel.torch).norm(dim=-1)

    def _set_debug_vis_impl(self, debug_vis: bool) -> None:
        if debug_vis and not hasattr(self, "_markers"):
            self._markers = TrackingMarkers()
        if hasattr(self, "_markers"):
            self._markers.set_visible(debug_vis)

    def _debug_vis_callback(self, event) -> None:
        if self.robot.is_initialized:
            self._markers.draw(self.reference_bodies.pos_w, self.robot_bodies.pos_w)


class StepCache[Owner]:
    """Results of functions of one owner, kept for as long as they hold.

    What depends on the reference alone holds until the reference moves (:meth:`until_invalidated`); what depends on the
    robot holds until the next physics step, too (:meth:`this_step`). Whoever moves the reference or writes a state to
    the simulator calls :meth:`invalidate`; a new step is noticed by its number.
    """

    def __init__(self, owner: Owner, step: Callable[[], int]):
        """Create an empty cache.

        Args:
            owner: What the functions are called with.
            step: Returns the number of the control step in progress, which grows as soon as physics has run.
        """
        self._owner, self._step = owner, step
        self._of_reference: dict[Callable, Any] = {}
        self._of_step: dict[Callable, Any] = {}
        self._number = -1

    def until_invalidated[T](self, compute: Callable[[Owner], T]) -> T:
        """Return ``compute(owner)`` of the last call of :meth:`invalidate` or later."""
        if compute not in self._of_reference:
            self._of_reference[compute] = compute(self._owner)
        return self._of_reference[compute]

    def this_step[T](self, compute: Callable[[Owner], T]) -> T:
        """Return ``compute(owner)`` of this step, and of the last call of :meth:`invalidate` or later."""
        number = self._step()
        if number != self._number:
            self._of_step.clear()
            self._number = number
        if compute not in self._of_step:
            self._of_step[compute] = compute(self._owner)
        return self._of_step[compute]

    def invalidate(self) -> None:
        """Forget everything: the reference moved, or a state was written to the simulator."""
        self._of_reference.clear()
        self._of_step.clear()
