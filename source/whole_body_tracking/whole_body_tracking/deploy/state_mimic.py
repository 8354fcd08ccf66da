"""Export for ``State_Mimic``, the state of Unitree's own runtime (unitree_rl_lab) that tracks a motion on a G1.

What that state expects, as far as its published sources say (``deploy/robots/g1_29dof`` and ``deploy/include``):

- ``<policy_dir>/exported/policy.onnx``: one input ``obs``, whose size is that of all observations, and the action as
  the first output. It has no input for a clock.
- ``<policy_dir>/params/deploy.yaml``: observation terms by the names that it registers, gains by motor, everything else
  in the policy's joint order, which ``joint_ids_map`` maps to motors.
- a motion as CSV, a row per frame: root position, root quaternion (x, y, z, w), joints in the order of the motors. Its
  rate is a number in the runtime's ``config.yaml``. Velocities are differences to the next row.
- The anchor is the torso, three waist joints above the root: motors 12 to 14 turn about z, x and y.
- At its k-th step it observes row k, counted from 0; this project's policies observe frame k + 1 there, the one that
  the step is to reach. So the file begins with frame 1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.export.deploy_yaml import UNITREE_TERM_NAMES, to_deploy_yaml
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.sim2sim.reference import references_of, robot_of

REGISTERED_TERMS = (
    "motion_command",
    "motion_joint_pos",
    "motion_joint_vel",
    "motion_anchor_ori_b",
    "base_ang_vel",
    "projected_gravity",
    "joint_pos_rel",
    "joint_vel_rel",
    "last_action",
)
"""Observations that the runtime can compute for this state."""

WAIST_MOTORS = ("waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint")
"""Joints from the root to the anchor: motors 12, 13 and 14."""
FIRST_WAIST_MOTOR = 12


@dataclass(frozen=True)
class StateMimicFiles:
    """What was written."""

    policy: Path
    deploy_yaml: Path
    motion: Path
    config: Path
    """Lines for the runtime's ``config.yaml``."""


def export_state_mimic(policy_path: Path, folder: Path, motion: str | None = None) -> StateMimicFiles:
    """Write a policy and one of its clips as ``State_Mimic`` reads them.

    Args:
        policy_path: Exported ``policy.onnx`` of a task without state estimation.
        folder: Policy folder of the runtime, created if need be; its name becomes that of the state.
        motion: Name of the clip; may be left out if the policy has one only.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If the runtime could not run the policy; the message says why, and what to train instead.
    """
    policy = load_policy(policy_path, needs_clips=False)
    spec, robot = policy.spec, robot_of(policy.spec)
    require_state_mimic(spec, robot)
    clip = _clip(policy, motion)
    files = StateMimicFiles(
        folder / "exported" / "policy.onnx",
        folder / "params" / "deploy.yaml",
        folder / "params" / f"{clip.name}.csv",
        folder / "config.yaml",
    )
    contents = {
        files.policy: observation_only(Path(policy_path).read_bytes()),
        files.deploy_yaml: to_deploy_yaml(spec, robot.joint_names).encode(),
        files.motion: motion_csv(clip, robot).encode(),
        files.config: _config(folder, files.motion, clip).encode(),
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return files


def require_state_mimic(spec: PolicySpec, robot: RobotModel) -> None:
    """Check that ``State_Mimic`` can run a policy.

    Raises:
        ValueError: If it cannot; all reasons are listed.
    """
    reasons = []
    terms = [UNITREE_TERM_NAMES.get(term.name, term.name) for term in spec.observations]
    if unknown := [name for name in terms if name not in REGISTERED_TERMS]:
        reasons.append(f"it computes no {', '.join(unknown)} (it has {', '.join(REGISTERED_TERMS)})")
    if spec.emitted_actions != "default_relative" or spec.action_kind != "default_relative":
        reasons.append("its actions are about the default pose, and this policy was trained with residual ones, which"
                       " need the reference of two frames in the graph")  # fmt: skip
    if spec.actuation != "implicit":
        reasons.append(f"the motors run their own PD law, and this policy was trained with '{spec.actuation}'")
    motors = robot.joint_names[FIRST_WAIST_MOTOR : FIRST_WAIST_MOTOR + len(WAIST_MOTORS)]
    if tuple(motors) != WAIST_MOTORS or spec.anchor_body_name != "torso_link":
        reasons.append(
            f"its anchor is the G1's torso_link, and this policy's is {spec.anchor_body_name} of {robot.name}"
        )
    if robot.body_names[0] not in spec.body_names:
        reasons.append(f"its motion file holds the root {robot.body_names[0]}, which this policy's clip does not")
    if reasons:
        raise ValueError(
            f"State_Mimic cannot run {spec.task}: {'; '.join(reasons)}. Train Tracking-Flat-G1-Wo-State-Estimation-v0."
        )


def observation_only(onnx_bytes: bytes) -> bytes:
    """The part of an exported graph that leads from ``obs`` to ``actions``, with its metadata."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load_model_from_string(onnx_bytes)
    part = Extractor(model).extract_model(["obs"], ["actions"])
    onnx.helper.set_model_props(part, {item.key: item.value for item in model.metadata_props})
    return part.SerializeToString()


def motion_csv(clip: MotionClip, robot: RobotModel) -> str:
    """Rows of a clip from its frame 1 on: root position, root quaternion (x, y, z, w), joints by motor.

    Args:
        clip: At the policy's rate, with the root among its bodies.
        robot: Its robot.
    """
    root = clip.body_indices(robot.body_names[:1])[0]
    joints = [clip.joint_names.index(name) for name in robot.joint_names]
    rows = np.concatenate((clip.body_pos_w[:, root], clip.body_quat_w[:, root], clip.joint_pos[:, joints]), axis=-1)
    text = io.StringIO()
    np.savetxt(text, rows[1:], fmt="%.9g", delimiter=",")
    return text.getvalue()


def _clip(policy, motion: str | None) -> MotionClip:
    names = [reference.name for reference in policy.spec.clips]
    if motion is None and len(names) > 1:
        raise ValueError(f"State_Mimic tracks one motion, and the policy has {len(names)}: choose one of {names}.")
    return references_of(policy, [] if motion is None else [motion])[0].clip


def _config(folder: Path, motion_file: Path, clip: MotionClip) -> str:
    """The state's entries in the runtime's ``config.yaml``; paths are relative to the robot's folder there."""
    place = f"config/policy/mimic/{folder.name}"
    state = f"Mimic_{folder.name.title().replace('-', '_')}"
    return (
        "# Merge into the FSM of deploy/robots/g1_29dof/config/config.yaml, with a free id and a transition to it.\n"
        f"# Copy this folder to {place}.\n"
        f"FSM:\n  _:\n    {state}:\n      id: 110\n      type: Mimic\n"
        f"  {state}:\n    transitions:\n      Passive: LT + B.on_pressed\n      Velocity: RB + X.on_pressed\n"
        f"    fps: {clip.fps:g}\n    motion_file: {place}/params/{motion_file.name}\n    policy_dir: {place}/\n"
    )
