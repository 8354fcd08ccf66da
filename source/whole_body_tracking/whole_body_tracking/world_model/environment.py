"""Between a running environment and pure functions: its robots as rows of numbers, its task as :class:`Imagination`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.utils.noise import NoiseCfg
from torch import Tensor

from whole_body_tracking.export.env_spec import ACTION_TERM
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.mdp.observations import root_link_lin_vel_w
from whole_body_tracking.tasks.tracking.task_reference import motion_of
from whole_body_tracking.tracking.foot_and_tilt_errors import body_weights

from .imagining.bodies import BodyKinematics
from .imagining.cost import CostWeights, Kernel
from .imagining.imagination import Imagination
from .imagining.observing import Noise
from .settings import WorldModelSettings
from .task_check import KERNELS, ImaginedTerms, function_name

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand


def robot_states(env: ManagerBasedRLEnv) -> Tensor:
    """States of all robots relative to their envs' origins, shape [num_envs, width]: see :mod:`~.imagining.state`."""
    data = motion_of(env).robot.data
    return torch.cat(
        (
            data.root_link_pos_w.torch - env.scene.env_origins,
            data.root_link_quat_w.torch,
            root_link_lin_vel_w(data),
            data.root_link_ang_vel_b.torch,
            data.joint_pos.torch,
            data.joint_vel.torch,
        ),
        dim=-1,
    )


def joint_targets(env: ManagerBasedRLEnv) -> Tensor:
    """Joint targets of the last step [rad], shape [num_envs, num_joints]."""
    return env.action_manager.get_term(ACTION_TERM).processed_actions


def make_imagination(env: ManagerBasedRLEnv, terms: ImaginedTerms, settings: WorldModelSettings) -> Imagination:
    """The task of a running environment as pure functions.

    Raises:
        ValueError: If its actions are not one for each joint in the robot's order.
    """
    motion, action = motion_of(env), env.action_manager.get_term(ACTION_TERM)
    if list(action.joint_names) != list(motion.robot.joint_names):
        raise ValueError(
            f"The world model needs one action for each joint in the robot's order, {list(motion.robot.joint_names)},"
            f" and the task has {list(action.joint_names)}. Leave joint_names=['.*'] and preserve_order off."
        )
    center = action_center(env.cfg)
    library, anchor = motion.library, motion.cfg.anchor_body_name
    offset = action.offset if center == "default" else action.offset - action.nominal_offset
    kinematics = BodyKinematics(
        get_robot(env.cfg.robot_name), motion.robot.joint_names, motion.body_names, anchor, env.device
    )
    return Imagination(
        library=library,
        body_ids=torch.tensor([library.body_names.index(name) for name in motion.body_names], device=env.device),
        ref_anchor_idx=library.body_names.index(anchor),
        kinematics=kinematics,
        functions=[function_name(term) for term in terms.observations.values()],
        noises=_noises(env, terms),
        weights=_cost_weights(motion, terms, settings),
        center=center,
        action_scale=action.scale[0],
        action_offset=offset.expand(env.num_envs, -1),
        default_joint_pos=motion.robot.data.default_joint_pos.torch,
    )


def _noises(env: ManagerBasedRLEnv, terms: ImaginedTerms) -> list[Noise | None]:
    """Noise of each term; noise that remembers, such as a sensor's bias, is left to the real steps."""
    if not env.cfg.observations.policy.enable_corruption:
        return [None] * len(terms.observations)
    left_out = [
        name for name, term in terms.observations.items() if term.noise and not isinstance(term.noise, NoiseCfg)
    ]
    if left_out:
        print(f"[INFO] Imagined observations are without the noise of {', '.join(left_out)}; real ones have it.")
    plain = [term.noise if isinstance(term.noise, NoiseCfg) else None for term in terms.observations.values()]
    return [None if noise is None else _noise(noise) for noise in plain]


def _noise(cfg: NoiseCfg) -> Noise:
    return lambda values: cfg.func(values, cfg)


def _cost_weights(motion: MotionCommand, terms: ImaginedTerms, settings: WorldModelSettings) -> CostWeights:
    kernels, penalties = [], dict.fromkeys(("action_rate_l2", "joint_pos_limits"), 0.0)
    for term in terms.rewards.values():
        name = function_name(term)
        if name in penalties:
            penalties[name] -= term.weight
            continue
        chosen = term.params.get("body_weights")
        weights = torch.tensor(body_weights(chosen, motion.body_names), device=motion.device) if chosen else None
        std = term.params["std"] * term.params.get("std_scale", 1.0)
        kernels.append(Kernel(KERNELS[name], std, term.weight, weights))
    return CostWeights(
        kernels=tuple(kernels),
        anchor_idx=motion.anchor_idx,
        far_slope=settings.far_slope,
        action_rate=settings.action_rate_share * penalties["action_rate_l2"],
        joint_limit=penalties["joint_pos_limits"],
        soft_limits=motion.robot.data.soft_joint_pos_limits.torch[0],
    )
