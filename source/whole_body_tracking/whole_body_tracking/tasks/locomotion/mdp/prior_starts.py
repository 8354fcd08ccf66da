"""Starts of episodes that are drawn from a score prior, so that no clip is needed during training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ManagerTermBase
from torch import Tensor

from whole_body_tracking.motion.geometry.ground import lowest_height
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_mul, quat_rotate
from whole_body_tracking.priors.style.loading import load_score_prior
from whole_body_tracking.robots import RobotModel, get_robot

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv
    from isaaclab.managers import EventTermCfg

    from whole_body_tracking.priors import StateLayout


def upright_quat(up_b: Tensor) -> Tensor:
    """The shortest rotation that turns a direction of the body to the world's up axis, shape [..., 4].

    With u the direction: (u x e_z, 1 + u_z), normalised; half a turn about x where u points straight down.

    Args:
        up_b: Unit vectors in the body's frame, shape [..., 3].
    """
    x, y, z = up_b.unbind(-1)
    zero = torch.zeros_like(x)
    quat = torch.stack((y, -x, zero, 1.0 + z), dim=-1)
    is_down = (z < -1.0 + 1e-6)[..., None]
    around_x = torch.stack((zero + 1.0, zero, zero, zero), dim=-1)
    return torch.nn.functional.normalize(torch.where(is_down, around_x, quat), dim=-1)


def raised_heights(robot: RobotModel, layout: StateLayout, states: Tensor) -> Tensor:
    """Heights of the root at which no collider is below the ground, at least those of the states [m], shape [batch].

    Args:
        robot: The robot.
        layout: Of the states.
        states: Shape [batch, dim].
    """
    place = layout.slices
    order = [layout.joint_names.index(name) for name in robot.joint_names]
    height, joints = states[:, place["root_height"]], states[:, place["joint_pos"]][:, order]
    pos = torch.cat((torch.zeros_like(height), torch.zeros_like(height), height), dim=-1)
    bodies = forward_kinematics(robot, pos, upright_quat(_unit(states[:, place["up_b"]])), joints)
    return height[:, 0] - lowest_height(robot, *bodies).amin(-1).clamp(max=0.0)


class start_from_prior(ManagerTermBase):
    """Put a share of the envs that are reset into states drawn from a score prior, with a random heading.

    A state is the last one of a drawn window: height and tilt of the root, joints, and all velocities. Joints stay
    within their soft limits, and no collider starts below the ground. The states are drawn once, when the environment
    is made.

    Args of the term:
        prior: File of ``train_score_prior.py``.
        share: Of the envs that are reset, on average; the others stay as the events before have put them.
        num_states: States to draw.
        asset_name: Robot in the scene.
    """

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._robot: Articulation = env.scene[cfg.params.get("asset_name", "robot")]
        model, robot = load_score_prior(cfg.params["prior"]), get_robot(env.cfg.robot_name)
        self._place = model.layout.slices
        joints = torch.tensor([model.layout.joint_names.index(name) for name in self._robot.joint_names])
        limits = self._robot.data.soft_joint_pos_limits.torch[0].cpu()
        states = model.sample(cfg.params["num_states"])[:, -1]
        joint_pos = states[:, self._place["joint_pos"]]
        joint_pos[:, joints] = joint_pos[:, joints].clamp(*limits.unbind(-1))  # before the feet are raised
        states[:, self._place["root_height"]] = raised_heights(robot, model.layout, states)[:, None]
        self._states, self._joints = states.to(env.device), joints.to(env.device)

    def __call__(
        self,
        env: ManagerBasedEnv,
        env_ids: Tensor | slice | None,
        prior: str,
        share: float,
        num_states: int,
        asset_name: str = "robot",
    ) -> None:
        rows = torch.arange(env.num_envs, device=env.device)[slice(None) if env_ids is None else env_ids]
        count = int(share * len(rows) + float(torch.rand(())))  # right on average; drawn on the host, which needs it
        chosen = rows[torch.randperm(len(rows), device=env.device)[:count]]
        state = self._states[torch.randint(len(self._states), (count,), device=env.device)]
        yaw = torch.rand(count, device=env.device) * (2.0 * torch.pi)
        self._write(chosen, state, yaw, env.scene.env_origins[chosen])

    def _write(self, env_ids: Tensor, state: Tensor, yaw: Tensor, origin: Tensor) -> None:
        part, zero = {name: state[:, place] for name, place in self._place.items()}, torch.zeros_like(yaw)
        heading = torch.stack((zero, zero, (0.5 * yaw).sin(), (0.5 * yaw).cos()), dim=-1)
        quat = quat_mul(heading, upright_quat(_unit(part["up_b"])))
        pos = origin + torch.cat((zero[:, None], zero[:, None], part["root_height"]), dim=-1)
        twist = [quat_rotate(quat, part[name]) for name in ("root_lin_vel_b", "root_ang_vel_b")]
        joint_pos, joint_vel = (part[name].index_select(1, self._joints) for name in ("joint_pos", "joint_vel"))
        ids = env_ids.int()
        self._robot.write_root_link_pose_to_sim_index(root_pose=torch.cat((pos, quat), -1), env_ids=ids)
        self._robot.write_root_link_velocity_to_sim_index(root_velocity=torch.cat(twist, -1), env_ids=ids)
        self._robot.write_joint_state_to_sim_index(position=joint_pos, velocity=joint_vel, env_ids=ids)


def _unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)
