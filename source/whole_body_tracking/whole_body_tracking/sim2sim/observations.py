"""Observation terms of a policy, computed from the robot's state and the reference."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.export.spec import ObservationTerm, PolicySpec
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.locomotion.modes import PHASE_SIZE
from whole_body_tracking.names import require_known


@dataclass(frozen=True)
class Situation:
    """Inputs of all observation terms at one instant. Joints are in the policy's order, quaternions (x, y, z, w)."""

    ref_joint_pos: np.ndarray
    """Reference at the frame that the next step should reach [rad], shape [num_joints]."""
    ref_joint_vel: np.ndarray
    """[rad/s], shape [num_joints]."""
    ref_anchor_pos_w: np.ndarray
    """[m], shape [3]."""
    ref_anchor_quat_w: np.ndarray
    """Shape [4]."""
    anchor_pos_w: np.ndarray
    """Anchor of the robot [m], shape [3]."""
    anchor_quat_w: np.ndarray
    """Shape [4]."""
    root_pos_w: np.ndarray
    """Root link [m], shape [3]; on a robot its height is estimated from the legs."""
    root_quat_w: np.ndarray
    """Shape [4]."""
    root_lin_vel_w: np.ndarray
    """[m/s], shape [3]."""
    root_ang_vel_w: np.ndarray
    """[rad/s], shape [3]."""
    joint_pos: np.ndarray
    """[rad], shape [num_joints]."""
    joint_vel: np.ndarray
    """[rad/s], shape [num_joints]."""
    default_joint_pos: np.ndarray
    """[rad], shape [num_joints]."""
    last_action: np.ndarray
    """Action that the policy's file emitted at the previous step; zeros at the first one, shape [num_joints]."""
    preview_joint_pos: np.ndarray
    """Reference at the frames of a preview [rad], shape [num_steps, num_joints]."""
    preview_anchor_pos_w: np.ndarray
    """[m], shape [num_steps, 3]."""
    preview_anchor_quat_w: np.ndarray
    """Shape [num_steps, 4]."""
    clip_id: np.ndarray
    """One-hot id of the tracked clip among those of the policy, shape [num_clips]."""
    velocity_command: np.ndarray = field(default_factory=lambda: np.zeros(3))
    """What a policy that walks by command is told: forward and lateral velocity [m/s], turning rate [rad/s]."""
    mode: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """One-hot mode among those of the policy, shape [num_modes]."""
    mode_phase: np.ndarray = field(default_factory=lambda: np.zeros(PHASE_SIZE))
    """Phase of the mode's clip, shape [8]."""


def command(now: Situation) -> np.ndarray:
    """Reference joint positions and velocities."""
    return np.concatenate((now.ref_joint_pos, now.ref_joint_vel))


def motion_anchor_pos_b(now: Situation) -> np.ndarray:
    """Reference anchor position in the robot's anchor frame [m]."""
    return _inverse(now.anchor_quat_w).apply(now.ref_anchor_pos_w - now.anchor_pos_w)


def motion_anchor_ori_b(now: Situation) -> np.ndarray:
    """Reference anchor orientation in the robot's anchor frame: two columns of its matrix, row by row."""
    return _columns_in_anchor(now, now.ref_anchor_quat_w)


def base_lin_vel(now: Situation) -> np.ndarray:
    """Velocity of the root link in its own frame [m/s]."""
    return _inverse(now.root_quat_w).apply(now.root_lin_vel_w)


def base_ang_vel(now: Situation) -> np.ndarray:
    """Angular velocity of the root link in its own frame [rad/s]."""
    return _inverse(now.root_quat_w).apply(now.root_ang_vel_w)


def joint_pos(now: Situation) -> np.ndarray:
    """Joint positions about the default pose [rad]."""
    return now.joint_pos - now.default_joint_pos


def joint_vel(now: Situation) -> np.ndarray:
    """Joint velocities [rad/s]."""
    return now.joint_vel


def actions(now: Situation) -> np.ndarray:
    """Last action."""
    return now.last_action


def gait_params(now: Situation) -> np.ndarray:
    """Zeros: a policy that follows a RefNN fills in the parameters of its reference."""
    return np.zeros(len(PARAMETERS))


def gait_phase(now: Situation) -> np.ndarray:
    """Zeros: a policy that follows a RefNN fills in the phase of its reference."""
    return np.zeros(2)


def preview_joint_pos(now: Situation) -> np.ndarray:
    """Future reference joint positions [rad], step by step."""
    return now.preview_joint_pos.ravel()


def preview_anchor_pos_b(now: Situation) -> np.ndarray:
    """Future reference anchor positions in the robot's anchor frame [m], step by step."""
    return _inverse(now.anchor_quat_w).apply(now.preview_anchor_pos_w - now.anchor_pos_w).ravel()


def preview_anchor_ori_b(now: Situation) -> np.ndarray:
    """Future reference anchor orientations in the robot's anchor frame: two columns of each rotation matrix."""
    return _columns_in_anchor(now, now.preview_anchor_quat_w)


def motion_identity(now: Situation) -> np.ndarray:
    """One-hot id of the tracked clip; a policy with an embedding turns it into a vector itself."""
    return now.clip_id


def prior_root_height(now: Situation) -> np.ndarray:
    """Height of the root link [m]; the parts of a motion prior's state are each stacked oldest first."""
    return now.root_pos_w[2:]


def prior_root_up(now: Situation) -> np.ndarray:
    """The world's up axis in the root link's frame."""
    return _inverse(now.root_quat_w).apply([0.0, 0.0, 1.0])


def prior_joint_pos(now: Situation) -> np.ndarray:
    """Joint positions [rad]."""
    return now.joint_pos


def projected_gravity(now: Situation) -> np.ndarray:
    """The direction of gravity in the root link's frame."""
    return _inverse(now.root_quat_w).apply([0.0, 0.0, -1.0])


def velocity_commands(now: Situation) -> np.ndarray:
    """Velocity command: forward and lateral velocity [m/s], turning rate [rad/s]."""
    return now.velocity_command


def mode(now: Situation) -> np.ndarray:
    """One-hot mode, in the order of the spec's modes."""
    return now.mode


def mode_phase(now: Situation) -> np.ndarray:
    """Phase of the clip that the mode performs; zeros in one without."""
    return now.mode_phase


TERMS: dict[str, Callable[[Situation], np.ndarray]] = {
    term.__name__: term
    for term in (
        command,
        motion_anchor_pos_b,
        motion_anchor_ori_b,
        base_lin_vel,
        base_ang_vel,
        joint_pos,
        joint_vel,
        actions,
        gait_params,
        gait_phase,
        preview_joint_pos,
        preview_anchor_pos_b,
        preview_anchor_ori_b,
        motion_identity,
        prior_root_height,
        prior_root_up,
        prior_joint_pos,
        projected_gravity,
        velocity_commands,
        mode,
        mode_phase,
    )
} | {"prior_root_lin_vel": base_lin_vel, "prior_root_ang_vel": base_ang_vel, "prior_joint_vel": joint_vel}
"""All observation terms that sim2sim knows, by their names in the task and in the exported file."""


class ObservationBuilder:
    """Builds the observation vector of one rollout: values are clipped, then scaled, then stacked oldest first."""

    def __init__(self, spec: PolicySpec, source: str = "policy"):
        """Check the layout.

        Args:
            spec: Of the policy.
            source: What messages call the policy.

        Raises:
            ValueError: If a term is unknown or has another number of values than the robot gives.
        """
        _require_known_terms(spec, source)
        self._terms = spec.observations
        self._histories: dict[str, deque[np.ndarray]] = {}

    def reset(self) -> None:
        """Clear the history; the next observation fills it."""
        self._histories.clear()

    def build(self, now: Situation) -> np.ndarray:
        """Observation vector at this instant, shape [num_observations]."""
        return np.concatenate([self._stacked(term, _one_step(term, now)) for term in self._terms]).astype(np.float32)

    def _stacked(self, term: ObservationTerm, values: np.ndarray) -> np.ndarray:
        if term.history_length == 1:
            return values
        history = self._histories.setdefault(term.name, deque([values] * term.history_length, term.history_length))
        history.append(values)
        return np.concatenate(history)


def _one_step(term: ObservationTerm, now: Situation) -> np.ndarray:
    values = TERMS[term.name](now)
    if term.clip is not None:
        values = values.clip(*term.clip)
    return values if term.scale is None else values * np.asarray(term.scale)


def _require_known_terms(spec: PolicySpec, source: str) -> None:
    joints, steps, clips = len(spec.joint_names), len(spec.preview_steps), len(spec.clips)
    width = {"command": 2 * joints, "motion_anchor_pos_b": 3, "motion_anchor_ori_b": 6, "base_lin_vel": 3}
    width |= {"base_ang_vel": 3, "joint_pos": joints, "joint_vel": joints, "actions": joints}
    width |= {"gait_params": len(PARAMETERS), "gait_phase": 2}
    width |= {"preview_joint_pos": joints * steps, "preview_anchor_pos_b": 3 * steps}
    width |= {"preview_anchor_ori_b": 6 * steps, "motion_identity": clips}
    width |= {"prior_root_height": 1, "prior_root_up": 3, "prior_root_lin_vel": 3, "prior_root_ang_vel": 3}
    width |= {"prior_joint_pos": joints, "prior_joint_vel": joints}
    width |= {"projected_gravity": 3, "velocity_commands": 3, "mode": len(spec.modes), "mode_phase": PHASE_SIZE}
    for place, term in enumerate(spec.observations, start=1):
        require_known(
            term.name,
            TERMS,
            f"observation term {place} of {source} (the policy observes {spec.describe_observations()}; play it in"
            " Isaac Lab, or add the term to sim2sim/observations.py)",
        )
        expected = width[term.name] * term.history_length
        if term.dim != expected:
            raise ValueError(
                f"{source}: observation term {place}, '{term.name}', has {term.dim} values, expected {expected} for"
                f" {joints} joints, {steps} preview steps, {clips} clips and a history of {term.history_length}."
                f" The policy observes {spec.describe_observations()}. Export it again from its task."
            )


def _columns_in_anchor(now: Situation, quat_xyzw: np.ndarray) -> np.ndarray:
    relative = _inverse(now.anchor_quat_w) * Rotation.from_quat(quat_xyzw)
    return relative.as_matrix()[..., :2].ravel()


def _inverse(quat_xyzw: np.ndarray) -> Rotation:
    return Rotation.from_quat(quat_xyzw).inv()
