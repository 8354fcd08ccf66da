"""Rewards of walking by command: Isaac Lab's where it ships them, and heading, cost of transport and jerk.

A diverged env has a state that is not finite. Its episode ends in the same step, and each term here counts as zero for
it: Isaac Lab's own would be NaN, which ends the training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

import torch
from isaaclab.envs import mdp as isaaclab_mdp
from isaaclab.managers import ManagerTermBase
from isaaclab.utils.math import wrap_to_pi
from isaaclab_tasks.core.velocity import mdp as velocity_mdp
from torch import Tensor

from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp.reward_variants import joint_power

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.envs.mdp import UniformVelocityCommand
    from isaaclab.managers import RewardTermCfg

GRAVITY = 9.81
"""[m/s^2]"""


def finite(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A reward term with zero in place of values that are not finite."""

    @wraps(term)
    def guarded(*args, **kwargs) -> Tensor:
        return term(*args, **kwargs).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)

    guarded.__module__ = __name__  # where a run's settings say that it is
    return guarded


track_lin_vel_xy_yaw_frame_exp = finite(velocity_mdp.track_lin_vel_xy_yaw_frame_exp)
track_ang_vel_z_world_exp = finite(velocity_mdp.track_ang_vel_z_world_exp)
feet_air_time_positive_biped = finite(velocity_mdp.feet_air_time_positive_biped)
feet_slide = finite(velocity_mdp.feet_slide)
flat_orientation_l2 = finite(isaaclab_mdp.flat_orientation_l2)
lin_vel_z_l2 = finite(isaaclab_mdp.lin_vel_z_l2)
ang_vel_xy_l2 = finite(isaaclab_mdp.ang_vel_xy_l2)
joint_deviation_l1 = finite(isaaclab_mdp.joint_deviation_l1)


@finite
def track_heading_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> Tensor:
    """Reward the heading: exp(-error^2 / std^2), std in [rad]; 1 for one told to stand, or a turning rate."""
    command: UniformVelocityCommand = env.command_manager.get_term(command_name)
    error = wrap_to_pi(command.heading_target - command.robot.data.heading_w.torch)
    error = torch.where(command.is_heading_env & ~command.is_standing_env, error, 0.0)
    return torch.exp(-error.square() / std**2)


@finite
def cost_of_transport(env: ManagerBasedRLEnv, command_name: str, min_speed: float) -> Tensor:
    """Penalise energy: mechanical power / (mass gravity speed), the cost of transport at the speed that is asked for.

    The speed is the command's, so that running ahead does not make a step cheaper, and at least ``min_speed`` [m/s],
    for a robot that stands goes nowhere. The mass is the robot's without randomisation.
    """
    speed = env.command_manager.get_command(command_name)[:, :2].norm(dim=-1).clamp(min=min_speed)
    return joint_power(env) / (get_robot(env.cfg.robot_name).total_mass * GRAVITY * speed)


class joint_jerk(ManagerTermBase):
    """Penalise jerk: mean over joints of ((v[t] - 2 v[t-1] + v[t-2]) / step_dt^2)^2, in ``unit``^2.

    Zero in the first two steps of an episode, which have no such difference.

    Args of the term:
        unit: What counts as 1 [rad/s^3].
        asset_name: Robot in the scene.
    """

    def __init__(self, cfg: RewardTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._robot: Articulation = env.scene[cfg.params.get("asset_name", "robot")]
        shape = (env.num_envs, self._robot.num_joints)
        self._last, self._before = (torch.zeros(shape, device=env.device) for _ in range(2))
        self._num_seen = torch.zeros(env.num_envs, dtype=torch.long, device=env.device)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the velocities of ended episodes."""
        self._num_seen[slice(None) if env_ids is None else env_ids] = 0

    def __call__(self, env: ManagerBasedRLEnv, unit: float, asset_name: str = "robot") -> Tensor:
        velocity = self._robot.data.joint_vel.torch
        jerk = (velocity - 2.0 * self._last + self._before) / (env.step_dt**2 * unit)
        self._before.copy_(self._last)
        self._last.copy_(velocity)
        self._num_seen += 1
        value = torch.where(self._num_seen > 2, jerk.square().mean(-1), 0.0)
        return value.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
