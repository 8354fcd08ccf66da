"""Mirrored training data: what the robot did with its left side, it could have done with its right one.

``presets=mirror_symmetry`` gives :func:`with_mirror_images` to rsl_rl's PPO, which then learns from every transition
and from its mirror image (Mittal et al., "Symmetry Considerations for Learning Task Symmetric Robot Policies", ICRA
2024).
The mirror is the plane of the robot's x and z axes: see :mod:`whole_body_tracking.robots.symmetry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg
from tensordict import TensorDict
from torch import Tensor

from whole_body_tracking.gait.network.refnn import load_refnn
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.robots.symmetry import mirrored_indices, mirrored_joints
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of

if TYPE_CHECKING:
    from rsl_rl.env import VecEnv

    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

VECTOR = (1.0, -1.0, 1.0)
"""Signs of a mirrored position, velocity or force."""
AXIAL = (-1.0, 1.0, -1.0)
"""Signs of a mirrored angular velocity."""
PLANAR = (1.0, -1.0, -1.0)
"""Signs of a mirrored velocity command: forward, to the left, turning to the left."""
ROTATION = (1.0, -1.0, -1.0, 1.0, 1.0, -1.0)
"""Signs of the first two columns of a mirrored rotation matrix, row by row: those of M R M with M = diag(1, -1, 1)."""

SIDED = ("turn_rate", "lateral_speed")
"""Gait parameters that a mirror image has with the opposite sign; the others have no side."""
GAIT = tuple(-1.0 if name in SIDED else 1.0 for name in PARAMETERS)
"""Signs of the parameters of a mirrored walk, scaled by ranges that reach as far to the left as to the right."""
HALF_A_CYCLE = (-1.0, -1.0)
"""Signs of sine and cosine of a phase half a cycle later: the other foot touches down."""

JOINTS = "joints"
"""Kind of an observation of values for each joint, once or several times."""

KINDS: dict[str, str | tuple[float, ...]] = {
    "generated_commands": JOINTS,
    "joint_pos_rel": JOINTS,
    "joint_vel_rel": JOINTS,
    "last_action": JOINTS,
    "preview_joint_pos": JOINTS,
    "motion_anchor_pos_b": VECTOR,
    "preview_anchor_pos_b": VECTOR,
    "robot_body_pos_b": VECTOR,
    "base_lin_vel": VECTOR,
    "projected_gravity": VECTOR,
    "velocity_command": PLANAR,
    "base_pos_z": (1.0,),
    "base_ang_vel": AXIAL,
    "gait_params": GAIT,
    "gait_phase": HALF_A_CYCLE,
    "motion_anchor_ori_b": ROTATION,
    "preview_anchor_ori_b": ROTATION,
    "robot_body_ori_b": ROTATION,
}
"""What each observation function returns; a task of one's own adds its functions here."""

OF_BODIES = ("robot_body_pos_b", "robot_body_ori_b")
"""Functions whose values run over the tracked bodies, which change places."""


@dataclass(frozen=True)
class Mirror:
    """Mirror image of flat values v: ``signs * v[..., indices]``; both have shape [num_values]."""

    indices: Tensor
    signs: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Mirror values of shape [..., num_values]."""
        return values[..., self.indices] * self.signs


def with_mirror_images(
    env: VecEnv, obs: TensorDict | None, actions: Tensor | None
) -> tuple[TensorDict | None, Tensor | None]:
    """Observations and actions followed by their mirror images, as rsl_rl's symmetry extension asks for them.

    Args:
        env: The environment, whose managers say what each value is.
        obs: Observation groups, each of shape [batch, num_values]; or None.
        actions: Actions, shape [batch, num_joints]; or None.

    Returns:
        Both with shape [2 * batch, ...].

    Raises:
        ValueError: If an observation has no known mirror image.
    """
    mirrors = mirrors_of(env)
    if obs is not None:
        doubled = {group: torch.cat((values, mirrors[group](values))) for group, values in obs.items()}
        obs = TensorDict(doubled, batch_size=[2 * obs.batch_size[0]], device=obs.device)
    if actions is not None:
        actions = torch.cat((actions, mirrors["actions"](actions)))
    return obs, actions


_MIRRORS: WeakKeyDictionary = WeakKeyDictionary()
"""Mirrors by environment."""


def mirrors_of(env: VecEnv) -> dict[str, Mirror]:
    """Mirror of each observation group by its name, and that of ``actions``.

    Raises:
        ValueError: If an observation has no known mirror image, or the robot none.
    """
    env = env.unwrapped
    if env not in _MIRRORS:
        require_mirror_images(env.cfg)
        joints = env.scene["robot"].joint_names
        mirrors = {"actions": _flat(env.cfg, "last_action", joints, len(joints), env.device)}
        manager = env.observation_manager
        for group, terms in manager.active_terms.items():
            cfgs, sizes = getattr(env.cfg.observations, group), manager.group_obs_term_dim[group]
            parts = [
                _flat(env.cfg, getattr(cfgs, term).func.__name__, joints, size[0], env.device)
                for term, size in zip(terms, sizes, strict=True)
            ]
            mirrors[group] = _joined(parts)
        _MIRRORS[env] = mirrors
    return _MIRRORS[env]


def require_mirror_images(env_cfg: TrackingEnvCfg) -> None:
    """Refuse a task with observations, or a robot, whose mirror image is not known.

    Raises:
        ValueError: If so; the message names the observation, the joint, or the gait parameter.
    """
    robot = get_robot(env_cfg.robot_name)
    mirrored_joints(robot, robot.joint_names)
    _require_mirrored_walks(env_cfg, robot)
    for group_name, group in vars(env_cfg.observations).items():
        terms = vars(group) if isinstance(group, ObservationGroupCfg) else {}
        for name, term in terms.items():
            if not isinstance(term, ObservationTermCfg):
                continue
            if term.func.__name__ not in KINDS:
                raise ValueError(
                    f"Mirrored training data: the observation {group_name}.{name} has no known mirror image. Train"
                    " without presets=mirror_symmetry, or add what it returns to KINDS in"
                    " whole_body_tracking.rl.learning.symmetry."
                )
            if term.history_length or group.history_length:
                raise ValueError(
                    f"Mirrored training data: the observation {group_name}.{name} has a history, whose layout is not"
                    " known here. Train without presets=mirror_symmetry."
                )


def _require_mirrored_walks(env_cfg: TrackingEnvCfg, robot: RobotModel) -> None:
    """Refuse a gait task whose RefNN turns or sidesteps further to one side than to the other."""
    gait = gait_cfg_of(env_cfg)
    if gait is None or not gait.model_file:
        return
    for name in SIDED:
        low, high = load_refnn(Path(gait.model_file), robot).facts.parameters[name]
        if abs(low + high) > 1e-6 * (high - low):
            raise ValueError(
                f"Mirrored training data: {gait.model_file} was trained on {name} from {low:g} to {high:g}, whose"
                " mirror image is beyond it. Train without presets=mirror_symmetry, or make a RefNN with a range that"
                " reaches as far to both sides."
            )


def _flat(env_cfg: TrackingEnvCfg, function: str, joints: Sequence[str], size: int, device: str) -> Mirror:
    """Mirror of one observation of ``size`` values."""
    robot, kind = get_robot(env_cfg.robot_name), KINDS[function]
    if kind == JOINTS:
        return _of_joints(robot, joints, size, device)
    signs = torch.tensor(kind, device=device).repeat(size // len(kind))
    indices = torch.arange(size, device=device)
    if function in OF_BODIES:
        bodies = torch.as_tensor(mirrored_indices(env_cfg.commands.motion.body_names), device=device)
        indices = indices.view(len(bodies), -1)[bodies].flatten()
    return Mirror(indices, signs)


def _of_joints(robot: RobotModel, joints: Sequence[str], size: int, device: str) -> Mirror:
    mirror = mirrored_joints(robot, joints)
    repeats = size // len(joints)
    offsets = len(joints) * torch.arange(repeats, device=device)[:, None]
    indices = (torch.as_tensor(mirror.indices, device=device) + offsets).flatten()
    return Mirror(indices, torch.tensor(mirror.signs, dtype=torch.float32, device=device).repeat(repeats))


def _joined(parts: Sequence[Mirror]) -> Mirror:
    """Mirror of values that stand one after the other."""
    sizes = torch.tensor([0] + [len(part.indices) for part in parts])
    starts = sizes.cumsum(0).tolist()
    indices = torch.cat([part.indices + start for part, start in zip(parts, starts, strict=False)])
    return Mirror(indices, torch.cat([part.signs for part in parts]))
