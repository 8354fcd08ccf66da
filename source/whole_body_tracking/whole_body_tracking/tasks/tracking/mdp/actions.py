"""Joint position actions: about the default pose, or about the reference or its feed-forward targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction
from isaaclab.utils.buffers import DelayBuffer
from torch import Tensor

from whole_body_tracking.actuation.binding import bind_actuators

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv

    from .actions_cfg import ResidualJointPositionActionCfg, TrackingJointPositionActionCfg


class TrackingJointPositionAction(JointPositionAction):
    """Joint target = offset + scale * action, with an offset that randomisation can move.

    With ``delay_range`` targets reach the drives some physics steps late: at physics step n the target of step n - L is
    applied, and before there is one the first of the episode.
    """

    cfg: TrackingJointPositionActionCfg

    def __init__(self, cfg: TrackingJointPositionActionCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        bind_actuators(self._asset, env.physics_dt)
        self.nominal_offset = self._offset.clone()
        """Default joint positions before any randomisation [rad], shape [num_envs, num_joints]."""
        self._delay = _delay_buffer(cfg, env)
        if self._delay is not None:
            self.apply_actions = self._apply_late  # without a delay Isaac Lab's own method stays

    @property
    def joint_names(self) -> list[str]:
        """Joints in the order of the action."""
        return list(self._joint_names)

    @property
    def offset(self) -> Tensor:
        """Joint target of a zero action [rad], shape [num_envs, num_joints]."""
        return self._offset

    @property
    def scale(self) -> Tensor:
        """Joint target per unit of action [rad], shape [num_envs, num_joints]."""
        return self._scale

    def set_offset(self, env_ids: Tensor, offset: Tensor) -> None:
        """Replace the offset of some envs.

        Args:
            env_ids: Envs, shape [num_ids].
            offset: New joint targets of a zero action [rad], shape [num_ids, num_joints].
        """
        self._offset[env_ids] = offset

    @property
    def delay_steps(self) -> Tensor | None:
        """Delay of each env [physics steps], shape [num_envs]; None without any."""
        return None if self._delay is None else self._delay.time_lags

    def _apply_late(self) -> None:
        """Hand the targets of some physics steps ago to the drives; once per physics step."""
        targets = self._delay.compute(self.processed_actions)
        self._asset.set_joint_position_target_index(target=targets, joint_ids=self._joint_ids)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget actions on their way, and draw the delay anew."""
        super().reset(env_ids)
        if self._delay is not None:
            self._delay.reset(env_ids)


def _delay_buffer(cfg: TrackingJointPositionActionCfg, env: ManagerBasedEnv) -> DelayBuffer | None:
    """A buffer that draws each env's lag at its reset, or None for no delay at all."""
    shortest, longest = (round(steps * env.cfg.decimation) for steps in cfg.delay_range)
    if longest == 0:
        return None
    return DelayBuffer(longest, env.num_envs, env.device, min_lag=shortest, hold_prob=1.0)


class ResidualJointPositionAction(TrackingJointPositionAction):
    """Joint target = center + calibration shift + scale * action.

    The center is the reference's joint positions, or the clip's ``joint_target``, of the frame which this step should
    reach. The shift, offset minus nominal offset, is the encoder error that randomisation draws.
    """

    cfg: ResidualJointPositionActionCfg

    def process_actions(self, actions: Tensor) -> None:
        """Turn raw actions, shape [num_envs, num_joints], into joint targets [rad]."""
        motion = self._env.command_manager.get_term(self.cfg.command_name)
        about_targets = self.cfg.center == "joint_target"
        center = motion.channel("joint_target") if about_targets else motion.reference.joint_pos
        self._raw_actions[:] = actions
        self._processed_actions = center + (self._offset - self.nominal_offset) + self._scale * actions
