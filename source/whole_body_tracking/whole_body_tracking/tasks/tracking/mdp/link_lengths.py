"""Robots whose limbs are a little longer or shorter than the nominal one, on engines that can change a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.utils.math import sample_uniform
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv

    from whole_body_tracking.robots import RobotModel


def stretched_joints(robot: RobotModel, link_groups: Sequence[str]) -> dict[str, int]:
    """Group of each joint that a link's length places: joints that hang on a link whose name a pattern matches.

    Args:
        robot: The robot.
        link_groups: Patterns of whole link names; the links of a pattern share one factor in an env.

    Raises:
        ValueError: If a pattern does not match any link that carries a joint, or a link is in two groups.
    """
    found: dict[str, int] = {}
    for group, pattern in enumerate(link_groups):
        parents = [robot.body_names[parent] for parent in robot.parent_idx[1:]]
        joints = [
            name for name, parent in zip(robot.joint_names, parents, strict=True) if re.fullmatch(pattern, parent)
        ]
        if not joints or set(joints) & set(found):
            raise ValueError(
                f"`link_groups`: '{pattern}' matches {'links of another group' if joints else 'no link with a joint'}."
                f" Links: {list(dict.fromkeys(parents))}."
            )
        found |= dict.fromkeys(joints, group)
    return found


def randomize_link_lengths(
    env: ManagerBasedEnv,
    env_ids: Tensor | None,
    link_groups: list[str],
    scale_range: tuple[float, float],
    asset_name: str = "robot",
) -> None:
    """Scale where the joints sit that hang on some links, and those links' centres of mass, for each env.

    Masses, inertias and colliders of the links stay as they are; what hangs on them moves along. The reference stays
    that of the nominal robot. Newton engines only: PhysX fixes the joints' frames when it reads the asset.

    Args:
        env: The environment.
        env_ids: Envs to randomise, or None for all.
        link_groups: Patterns of whole link names; the links of a pattern share one factor in an env.
        scale_range: Range of the uniform factor.
        asset_name: Robot in the scene.
    """
    from isaaclab_newton.physics import NewtonManager
    from newton import ModelFlags

    from whole_body_tracking.robots import get_robot

    robot: Articulation = env.scene[asset_name]
    model = get_robot(env.cfg.robot_name)
    groups = stretched_joints(model, link_groups)
    rows = torch.arange(env.num_envs, device=env.device)[slice(None) if env_ids is None else env_ids]
    factors = sample_uniform(*scale_range, size=(len(rows), len(link_groups)), device=env.device)
    frames = joint_frames(robot)
    for joint, group in groups.items():
        column = list(robot.root_view.joint_names).index(joint)
        frames[rows, column, :3] *= factors[:, group, None]
    NewtonManager.add_model_change(ModelFlags.JOINT_PROPERTIES)
    NewtonManager.invalidate_fk()
    _move_mass_centres(robot, model, groups, rows, factors)


def joint_frames(robot: Articulation) -> Tensor:
    """Frame of each joint in its parent link: position [m] and orientation, shape [num_envs, num_joints, 7]; a view.

    The joints are those of ``robot.root_view.joint_names``: Newton's, the floating one included.
    """
    import warp as wp
    from isaaclab_newton.physics import NewtonManager

    frames = wp.to_torch(robot.root_view.get_attribute("joint_X_p", NewtonManager.get_model()))
    return frames.view(frames.shape[0], -1, 7)


def _move_mass_centres(
    robot: Articulation, model: RobotModel, groups: dict[str, int], rows: Tensor, factors: Tensor
) -> None:
    parent_of = dict(zip(model.joint_names, model.parent_idx[1:], strict=True))
    links = {model.body_names[parent_of[joint]]: group for joint, group in groups.items()}
    columns = [robot.body_names.index(link) for link in links]
    coms = robot.data.body_com_pos_b.torch[rows][:, columns] * factors[:, list(links.values()), None]
    ids = torch.tensor(columns, dtype=torch.int32, device=rows.device)
    robot.set_coms_index(coms=coms, body_ids=ids, env_ids=rows.int())
