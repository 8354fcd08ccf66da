"""Joint position actions: about the default pose, or about the reference or its feed-forward targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv

    from .actions_cfg import ResidualJointPositionActionCfg, TrackingJointPositionActionCfg


class TrackingJointPositionAction(JointPositionAction):
    """Joint target = offset + scale * action, with an offset that randomisation can move."""

    cfg: TrackingJointPositionActionCfg

    def __init__(self, cfg: TrackingJointPositionActionCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self.nominal_offset = self._offset.clone()
        """Default joint positions before any randomisation [rad], shape [num_envs, num_joints]."""

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
