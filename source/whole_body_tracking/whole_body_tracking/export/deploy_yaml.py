"""Writer of ``deploy.yaml``, the description of a policy that Unitree's controllers read."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from .spec import ObservationTerm, PolicySpec

UNITREE_TERM_NAMES = {
    "command": "motion_command",
    "joint_pos": "joint_pos_rel",
    "joint_vel": "joint_vel_rel",
    "actions": "last_action",
}
"""Observation terms that Unitree's controllers know by another name."""


def to_deploy_yaml(spec: PolicySpec, sdk_joint_names: Sequence[str]) -> str:
    """Text of ``deploy.yaml``: gains in the order of the robot's motors, all else in the order of the policy's joints.

    Args:
        spec: The policy.
        sdk_joint_names: Joints in the order of the robot's motors.

    Raises:
        ValueError: If the robot has no motor for a joint of the policy, or the file's actions are relative to a
            reference, which this layout cannot express.
    """
    if spec.emitted_actions != "default_relative":
        raise ValueError(
            f"deploy.yaml describes default-relative actions, but the policy emits {spec.emitted_actions} ones."
            " Train on one clip, so that the exported file holds the reference."
        )
    joint_ids_map = _joint_ids(spec.joint_names, sdk_joint_names)
    default = list(spec.default_joint_pos)
    content = {
        "joint_ids_map": joint_ids_map,
        "step_dt": spec.control_dt,
        "stiffness": _by_motor(spec.joint_stiffness, joint_ids_map, len(sdk_joint_names)),
        "damping": _by_motor(spec.joint_damping, joint_ids_map, len(sdk_joint_names)),
        "default_joint_pos": default,
        "commands": _commands(spec),
        "actions": {
            "JointPositionAction": {
                "clip": None,
                "joint_names": [".*"],
                "scale": list(spec.action_scale),
                "offset": default,
                "joint_ids": None,
            }
        },
        "observations": {UNITREE_TERM_NAMES.get(term.name, term.name): _term(term) for term in spec.observations},
    }
    return yaml.dump(content, Dumper=_PlainDumper, sort_keys=False, default_flow_style=None, width=120)


def _commands(spec: PolicySpec) -> dict:
    """Ranges of the velocity command, by the names that Unitree's controllers know."""
    ranges = spec.velocity_ranges
    if ranges is None:
        return {}
    names = ("lin_vel_x", "lin_vel_y", "ang_vel_z", "heading")
    return {"base_velocity": {"ranges": {name: list(getattr(ranges, name)) for name in names}}}


def _joint_ids(joint_names: Sequence[str], sdk_joint_names: Sequence[str]) -> list[int]:
    """Motor of each joint."""
    missing = [name for name in joint_names if name not in sdk_joint_names]
    if missing:
        raise ValueError(f"The robot has no motors for {missing}. It has: {list(sdk_joint_names)}.")
    return [list(sdk_joint_names).index(name) for name in joint_names]


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated lists out instead of as anchors, which not every reader resolves."""

    def ignore_aliases(self, data) -> bool:
        return True


def _by_motor(values: Sequence[float], joint_ids_map: Sequence[int], num_motors: int) -> list[float]:
    ordered = [0.0] * num_motors
    for motor, value in zip(joint_ids_map, values, strict=True):
        ordered[motor] = value
    return ordered


def _term(term: ObservationTerm) -> dict:
    width = term.dim // term.history_length
    scale = term.scale or (1.0,)
    return {
        "params": {},
        "clip": None if term.clip is None else list(term.clip),
        "scale": list(scale) * (width if len(scale) == 1 else 1),
        "history_length": term.history_length,
    }
