"""Description of a policy, read from its running environment."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from whole_body_tracking.code_version import code_commit

from .clip_reference import ClipReference, TrainedClip
from .spec import ActionCenter, ActionKind, ObservationTerm, PolicySpec

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.locomotion.command import CommandRanges
    from whole_body_tracking.tasks.gait.mdp.commands import GaitCommand
    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand

OBSERVATION_GROUP = "policy"
ACTION_TERM = "joint_pos"
CLIPS_FOLDER = "clips"
"""Folder beside the policy for its clips, if there are several."""


def spec_from_env(
    env: ManagerBasedRLEnv,
    task: str,
    run_path: str,
    checkpoint: str = "",
    action_clip: float | None = None,
    clamp_targets: bool = False,
    with_clips: bool = True,
    trained_on: tuple[TrainedClip, ...] = (),
) -> PolicySpec:
    """Describe the policy of a task, with its reference if it tracks one.

    Args:
        env: A task of this package, unwrapped.
        task: Its id.
        run_path: Where the policy comes from.
        checkpoint: File name of the checkpoint.
        action_clip: Bound on actions that the training wrapper applies; None means none.
        clamp_targets: Whether the exported graph keeps joint targets within the soft limits.
        with_clips: Whether clips that the graph does not hold are put beside it.
        trained_on: Clips of the training.

    Raises:
        ValueError: If the spec cannot express the task's actions or observations.
    """
    action = env.action_manager.get_term(ACTION_TERM)
    robot = env.scene[action.cfg.asset_name]
    return PolicySpec(
        task=task,
        run_path=run_path,
        checkpoint=checkpoint,
        action_clip=action_clip,
        clamp_targets=clamp_targets,
        trained_on=trained_on,
        **_environment_fields(env),
        **_action_fields(action, robot.num_joints),
        **_joint_fields(robot),
        **(_reference_fields(reference_term(env), with_clips) | _gait_fields(gait_term(env))),
    )


def motion_term(env: ManagerBasedRLEnv) -> MotionCommand | None:
    """Motion command of an environment; None for a task that tracks no clip."""
    from whole_body_tracking.tasks.tracking.task_reference import motion_of  # needs Isaac Lab, which loading does not

    return motion_of(env)


def gait_term(env: ManagerBasedRLEnv) -> GaitCommand | None:
    """Gait command of an environment; None for a task that follows no RefNN."""
    from whole_body_tracking.tasks.tracking.task_reference import gait_of  # needs Isaac Lab

    return gait_of(env)


def hidden_terms(env: ManagerBasedRLEnv) -> tuple[str, ...]:
    """Observations that the policy sees as zeros from now on, which its file does not ask for."""
    return getattr(motion_term(env), "hidden_terms", ())


def reference_term(env: ManagerBasedRLEnv) -> MotionCommand | None:
    """Motion command whose clips the policy needs; None also for a task whose policy does not see them."""
    motion = motion_term(env)
    return motion if getattr(motion, "is_observed", True) and not hidden_terms(env) else None


def _environment_fields(env: ManagerBasedRLEnv) -> dict[str, Any]:
    return {
        "control_dt": round(float(env.step_dt), 9),
        "observations": observation_terms(env),
        "command_names": _command_names(env),
        "velocity_ranges": _velocity_ranges(env.cfg),
        "modes": getattr(motion_term(env), "modes", ()),
        "version": metadata.version("whole-body-tracking"),
        "commit": code_commit(),
    }


def _command_names(env: ManagerBasedRLEnv) -> tuple[str, ...]:
    names, is_needless = tuple(env.command_manager.active_terms), motion_term(env) is not reference_term(env)
    return tuple(name for name in names if name != "motion") if is_needless else names


def _velocity_ranges(env_cfg: Any) -> CommandRanges | None:
    from whole_body_tracking.tasks.locomotion.command_check import ranges_of, velocity_cfg_of

    command = velocity_cfg_of(env_cfg)
    return None if command is None else ranges_of(command)


def _action_fields(action, num_joints: int) -> dict[str, Any]:
    _check_action(action, num_joints)
    return {
        "action_kind": _action_kind(action),
        "action_center": _action_center(action),
        "default_joint_pos": _numbers(action.nominal_offset[0]),
        "action_scale": _numbers(action.scale[0]),
    }


def _joint_fields(articulation: Articulation) -> dict[str, Any]:
    from whole_body_tracking.actuation.binding import actuation_kind, drive_gains, muscles_of

    robot = articulation.data
    limits, soft_limits = robot.joint_pos_limits.torch[0], robot.soft_joint_pos_limits.torch[0]
    stiffness, damping = drive_gains(articulation)
    muscles = muscles_of(articulation)
    return {
        "actuation": actuation_kind(articulation),
        "muscles": None if muscles is None else muscles.drive,
        "joint_names": tuple(robot.joint_names),
        "joint_stiffness": _numbers(stiffness[0]),
        "joint_damping": _numbers(damping[0]),
        "joint_armature": _numbers(robot.joint_armature.torch[0]),
        "joint_effort_limit": _numbers(robot.joint_effort_limits.torch[0]),
        "joint_velocity_limit": _numbers(robot.joint_vel_limits.torch[0]),
        "joint_pos_lower": _numbers(limits[:, 0]),
        "joint_pos_upper": _numbers(limits[:, 1]),
        "soft_joint_pos_lower": _numbers(soft_limits[:, 0]),
        "soft_joint_pos_upper": _numbers(soft_limits[:, 1]),
    }


def _reference_fields(motion: MotionCommand | None, with_clips: bool) -> dict[str, Any]:
    """Fields of the reference; those of a task that tracks none are empty."""
    if motion is None:
        return {"reference_in_graph": False, "anchor_body_name": "", "body_names": (), "clips": ()}
    library = motion.nominal_library
    return {
        "reference_in_graph": library.num_clips == 1,
        "anchor_body_name": motion.cfg.anchor_body_name,
        "body_names": tuple(motion.body_names),
        "clips": tuple(map(ClipReference, library.names, library.digests, library.num_frames.tolist())),
        "clips_folder": CLIPS_FOLDER if with_clips and library.num_clips > 1 else "",
        "preview_steps": tuple(motion.cfg.preview_steps),
        "clip_end": motion.cfg.clip_end,
    }


def _gait_fields(gait: GaitCommand | None) -> dict[str, Any]:
    """Fields of a RefNN; none for a task that follows no such network."""
    if gait is None:
        return {}
    names, ranges = tuple(gait.cfg.steered), gait.walk.model.facts.parameters
    return {
        "anchor_body_name": gait.cfg.anchor_body_name,
        "body_names": tuple(gait.body_names),
        "gait_inputs": names,
        "gait_low": tuple(float(ranges[name][0]) for name in names),
        "gait_high": tuple(float(ranges[name][1]) for name in names),
        "gait_state_size": gait.walk.state_size,
    }


def observation_terms(env: ManagerBasedRLEnv) -> tuple[ObservationTerm, ...]:
    """Terms of the policy's observation group that its file asks for, in order."""
    manager = env.observation_manager
    group = getattr(manager.cfg, OBSERVATION_GROUP)
    require_no_modifiers(manager.cfg)
    if group.history_length and group.history_order == "time":
        raise ValueError("Export needs observation history term by term: set `history_order` to 'term'.")
    names, dims = manager.active_terms[OBSERVATION_GROUP], manager.group_obs_term_dim[OBSERVATION_GROUP]
    hidden = hidden_terms(env)
    return tuple(
        _observation_term(getattr(group, name), name, dim)
        for name, dim in zip(names, dims, strict=True)
        if name not in hidden
    )


def require_no_modifiers(observations: object) -> None:
    """Check that no observation term has modifiers, which an exported graph could not apply.

    Args:
        observations: Config of a task's observation groups.

    Raises:
        ValueError: If a term has ``modifiers``; the message names it.
    """
    for name, term in vars(getattr(observations, OBSERVATION_GROUP)).items():
        if getattr(term, "modifiers", None):
            functions = [getattr(modifier.func, "__name__", str(modifier.func)) for modifier in term.modifiers]
            raise ValueError(
                f"Observation term '{name}' has modifiers ({', '.join(functions)}), which the exported policy could not"
                f" apply. Remove them (env.observations.{OBSERVATION_GROUP}.{name}.modifiers), or compute the value in"
                " the term's function."
            )


def _observation_term(cfg, name: str, dim: tuple[int, ...]) -> ObservationTerm:
    if len(dim) != 1:
        raise ValueError(f"Observation term '{name}' has shape {dim}; export needs flat terms (`flatten_history_dim`).")
    scale = cfg.scale
    if scale is not None:
        scale = _numbers(scale.flatten()) if isinstance(scale, Tensor) else tuple(np.atleast_1d(scale).tolist())
    clip = None if cfg.clip is None else tuple(float(bound) for bound in cfg.clip)
    return ObservationTerm(name, int(dim[0]), max(1, cfg.history_length), scale, clip)


def _check_action(action, num_joints: int) -> None:
    from whole_body_tracking.tasks.tracking.mdp.actions import TrackingJointPositionAction

    if not isinstance(action, TrackingJointPositionAction):
        raise ValueError(
            f"Export knows the joint position actions of this package, found {type(action).__name__}. Use"
            " mdp.TrackingJointPositionActionCfg, or export the network alone."
        )
    if action.action_dim != num_joints or action.cfg.preserve_order:
        raise ValueError(
            f"Export needs one action per joint in the robot's order ({num_joints} joints), found {action.action_dim}"
            f" actions for {action.cfg.joint_names}. Set `joint_names=['.*']` and leave `preserve_order` off."
        )
    if action.cfg.clip is not None:
        raise ValueError("The action term clips its targets, which the exported policy would not: remove `clip`.")


def _action_kind(action) -> ActionKind:
    from whole_body_tracking.tasks.tracking.mdp.actions import ResidualJointPositionAction

    return "residual" if isinstance(action, ResidualJointPositionAction) else "default_relative"


def _action_center(action) -> ActionCenter:
    return getattr(action.cfg, "center", "reference")


def _numbers(values: Tensor) -> tuple[float, ...]:
    """Single-precision values as the shortest decimals that read back as the same values."""
    return tuple(float(str(value)) for value in values.detach().cpu().numpy().astype(np.float32))
