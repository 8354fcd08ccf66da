"""Rollouts of an exported policy from frame 0 to the end of its clip, recorded like those of an evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import BodyState

from .delay import DelayLine
from .observations import ObservationBuilder, Situation
from .reference import Reference
from .stable_pd import simulation_of, torque_at_end

OBSERVED_STATE = ("root_pos_w", "root_quat_w", "root_lin_vel_w", "root_ang_vel_w", "joint_pos", "joint_vel")
"""What observation terms read of the robot's state; of the root's position only the height."""
POSE_AXES = ("x", "y", "z", "roll", "pitch", "yaw")


def roll_out(
    policy: OnnxPolicy,
    robot: RobotModel,
    reference: Reference,
    num_rollouts: int,
    seed: int = 0,
    perturbed: bool = True,
    control_delay: float = 0.0,
    drift: float = 0.0,
) -> Recording:
    """Play rollouts and record them. A rollout continues after a failure, which is found in the recording afterwards.

    The clock is the task's: an episode starts in the state of frame 0; at step t the policy observes frame t + 1 and
    is scored against it after the physics.

    Args:
        policy: The exported policy.
        robot: Its robot.
        reference: What to track.
        num_rollouts: How many to play.
        seed: Of the small noise on the start states; rollout i starts the same way whatever their number.
        perturbed: Whether there is any noise.
        control_delay: How late targets reach the drives [control steps].
        drift: Speed at which the position that the policy observes leaves the true one, in a random horizontal
            direction for each rollout; the velocity that it observes is off by as much [m/s].

    Raises:
        ValueError: If the delay is negative, an observation term is unknown, or the root is not tracked.
    """
    _require_root(policy.spec, robot)
    simulation = simulation_of(robot, policy.spec, policy.folder)
    player = _Player(policy, reference, simulation, DelayLine(control_delay, simulation.substeps))
    rollouts = []
    for index in range(num_rollouts):
        rng = np.random.default_rng([seed, index]) if perturbed else None
        leaving = _horizontal(drift, np.random.default_rng([seed, index, 1]))
        rollouts.append(player.play(start_state(reference.clip, policy.spec, robot, rng), leaving))
    return _recording(rollouts, reference.clip, policy.spec)


def start_state(
    reference: MotionClip, spec: PolicySpec, robot: RobotModel, rng: np.random.Generator | None = None
) -> RobotState:
    """Start state of a rollout: frame 0 with the start noise of an evaluation, joints within their soft limits.

    Args:
        reference: Joints and tracked bodies in the order of the spec.
        spec: Of the policy.
        robot: Its robot.
        rng: Source of the noise, or None for none.
    """
    root = reference.body_indices(robot.body_names[:1])[0]
    pose, twist, joints = np.zeros(6), np.zeros(6), np.zeros(len(spec.joint_names))
    if rng is not None:
        pose, twist = _draw(rng, SMALL_PERTURBATION["pose_range"]), _draw(rng, SMALL_PERTURBATION["velocity_range"])
        joints = rng.uniform(*SMALL_PERTURBATION["joint_position_range"], size=len(joints))
    turn = Rotation.from_euler("xyz", pose[3:])
    return RobotState(
        root_pos_w=reference.body_pos_w[0, root] + pose[:3],
        root_quat_w=(turn * Rotation.from_quat(reference.body_quat_w[0, root])).as_quat(),
        root_lin_vel_w=reference.body_lin_vel_w[0, root] + twist[:3],
        root_ang_vel_w=reference.body_ang_vel_w[0, root] + twist[3:],
        joint_pos=(reference.joint_pos[0] + joints).clip(spec.soft_joint_pos_lower, spec.soft_joint_pos_upper),
        joint_vel=reference.joint_vel[0].astype(np.float64),
    )


class _Player:
    """Policy and simulation in closed loop over one reference."""

    def __init__(self, policy: OnnxPolicy, reference: Reference, simulation: Simulation, delay: DelayLine):
        spec, self.delay = policy.spec, delay
        self.policy, self.spec, self.reference, self.simulation = policy, spec, reference, simulation
        self.builder = ObservationBuilder(spec)
        self.default, self.scale = np.array(spec.default_joint_pos), np.array(spec.action_scale)
        self.center = residual_center(reference.clip, spec)
        self.body_ids = simulation.body_ids(spec.body_names)
        self.anchor_id = simulation.body_ids([spec.anchor_body_name])

    def play(self, start: RobotState, drift: np.ndarray) -> list[np.ndarray]:
        """Play one rollout; arrays of body poses and velocities, joint positions and velocities, targets, torques."""
        self.simulation.reset(start)
        self.delay.reset()
        self.builder.reset()
        action, steps = np.zeros(len(self.default)), []
        for frame in range(1, self.reference.clip.num_frames):
            pos, quat, *_ = self.simulation.bodies(self.anchor_id)
            state = self.simulation.state
            seen = replace(state, root_lin_vel_w=state.root_lin_vel_w + drift)
            anchor_pos = pos[0] + (frame - 1) * self.spec.control_dt * drift
            obs = self.builder.build(situation(self.spec, self.reference, frame, seen, anchor_pos, quat[0], action))
            action = self.policy.run(obs, frame)["actions"][0].astype(np.float64)
            targets = self._targets(action, frame)
            for acting, substeps in self.delay.send(targets):
                self.simulation.step(acting, substeps)
            state = self.simulation.state
            bodies = self.simulation.bodies(self.body_ids)
            torque = torque_at_end(self.simulation, self.spec, acting)
            steps.append((*bodies, state.joint_pos, state.joint_vel, targets, torque))
        return [np.stack(values) for values in zip(*steps, strict=True)]

    def _targets(self, action: np.ndarray, frame: int) -> np.ndarray:
        residual = self.spec.emitted_actions == "residual"
        return (self.center[frame] if residual else self.default) + self.scale * action


def situation(
    spec: PolicySpec,
    reference: Reference,
    frame: int,
    state: RobotState,
    anchor_pos_w: np.ndarray,
    anchor_quat_w: np.ndarray,
    last_action: np.ndarray,
) -> Situation:
    """Collect the inputs of the observation terms for one step.

    Args:
        spec: Of the policy.
        reference: What it tracks.
        frame: Frame that the next step should reach; past the clip's end its last pose is held, at rest.
        state: Where the robot is.
        anchor_pos_w: Position of the robot's anchor [m], shape [3].
        anchor_quat_w: Its orientation (x, y, z, w), shape [4].
        last_action: Action that the policy's file emitted at the previous step, shape [num_joints].
    """
    clip, anchor = reference.clip, reference.clip.body_indices([spec.anchor_body_name])[0]
    last = clip.num_frames - 1
    is_held, frame = frame > last, min(frame, last)
    ahead = np.minimum(frame + np.array(spec.preview_steps, dtype=int), last)
    return Situation(
        ref_joint_pos=clip.joint_pos[frame],
        ref_joint_vel=np.zeros_like(clip.joint_vel[frame]) if is_held else clip.joint_vel[frame],
        ref_anchor_pos_w=clip.body_pos_w[frame, anchor],
        ref_anchor_quat_w=clip.body_quat_w[frame, anchor],
        anchor_pos_w=anchor_pos_w,
        anchor_quat_w=anchor_quat_w,
        **{name: getattr(state, name) for name in OBSERVED_STATE},
        default_joint_pos=np.array(spec.default_joint_pos),
        last_action=last_action,
        preview_joint_pos=clip.joint_pos[ahead],
        preview_anchor_pos_w=clip.body_pos_w[ahead, anchor],
        preview_anchor_quat_w=clip.body_quat_w[ahead, anchor],
        clip_id=reference.clip_id,
    )


def _recording(rollouts: list[list[np.ndarray]], reference: MotionClip, spec: PolicySpec) -> Recording:
    pos, quat, lin_vel, ang_vel, joint_pos, joint_vel, targets, torque = (
        torch.from_numpy(np.stack(values, axis=1)).float() for values in zip(*rollouts, strict=True)
    )
    num_rollouts, num_steps = len(rollouts), reference.num_frames - 1

    def of_reference(name: str) -> torch.Tensor:
        values = torch.from_numpy(getattr(reference, name)[1:])
        return values[:, None].expand(num_steps, num_rollouts, *values.shape[1:])

    keys = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
    return Recording(
        ref=BodyState(*(of_reference(key) for key in keys)),
        robot=BodyState(pos, quat, lin_vel, ang_vel),
        ref_joint_pos=of_reference("joint_pos"),
        joint_pos=joint_pos,
        joint_vel=joint_vel,
        actions=_trained_actions(targets, torch.from_numpy(residual_center(reference, spec)[1:, None]), spec),
        clip_ids=torch.zeros(num_rollouts, dtype=torch.long),
        num_steps=torch.full((num_rollouts,), num_steps),
        body_names=list(spec.body_names),
        anchor_idx=spec.body_names.index(spec.anchor_body_name),
        step_dt=spec.control_dt,
        joint_torque=torque,
    )


def residual_center(reference: MotionClip, spec: PolicySpec) -> np.ndarray:
    """Joint targets [rad] of zero residual actions, shape [num_frames, num_joints]."""
    about_targets = spec.action_kind == "residual" and spec.action_center == "joint_target"
    return reference.channels["joint_target"] if about_targets else reference.joint_pos


def _trained_actions(targets: torch.Tensor, center: torch.Tensor, spec: PolicySpec) -> torch.Tensor:
    """Convert joint targets to actions of the kind that the network was trained with, as an evaluation records them."""
    origin = center if spec.action_kind == "residual" else torch.tensor(spec.default_joint_pos)
    return (targets - origin) / torch.tensor(spec.action_scale)


def _horizontal(speed: float, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(-np.pi, np.pi)
    return speed * np.array([np.cos(angle), np.sin(angle), 0.0])


def _draw(rng: np.random.Generator, ranges: dict[str, tuple[float, float]]) -> np.ndarray:
    return np.array([rng.uniform(*ranges.get(axis, (0.0, 0.0))) for axis in POSE_AXES])


def _require_root(spec: PolicySpec, robot: RobotModel) -> None:
    root = robot.body_names[0]
    if root not in spec.body_names:
        raise ValueError(
            f"The policy's file does not hold the motion of the root '{root}', where a rollout has to start. Its bodies"
            f" are {list(spec.body_names)}. Track '{root}' too, and export again."
        )
