"""Walks by command in plain MuJoCo: an exported policy that needs no reference, told where to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import torch

from whole_body_tracking.evaluation.walking.recording import WalkRecording
from whole_body_tracking.evaluation.walking.report import WalkResult, report_walks
from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.locomotion.command import CommandRanges, VelocityCommand, heading_of
from whole_body_tracking.locomotion.modes import phase_features, require_mode
from whole_body_tracking.locomotion.pose_set import load_pose_set
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import BodyState

from .delay import DelayLine
from .gait_walker import GaitWalker, gait_values
from .observations import ObservationBuilder, Situation
from .reference import robot_of
from .rollout import OBSERVED_STATE
from .stable_pd import simulation_of, torque_at_end

AXES = ("x", "y", "z", "roll", "pitch", "yaw")


@dataclass(frozen=True)
class Conditions:
    """How walks are made."""

    num_rollouts: int = 16
    seconds: float = 10.0
    """Length of a walk."""
    seed: int = 42
    """Of the noise on starts."""
    perturbed: bool = True
    """Whether there is any noise."""
    control_delay: float = 0.0
    """How late targets reach the drives [control steps]."""

    def __post_init__(self):
        if self.num_rollouts < 1:
            raise ValueError(f"--num_rollouts {self.num_rollouts} should be at least 1.")
        if not 0.0 < self.seconds <= 600.0:
            raise ValueError(f"--seconds {self.seconds:g} should be more than 0 and at most 600.")


def walk_by_command(
    policy_path: Path,
    command: VelocityCommand,
    conditions: Conditions,
    output_dir: Path | None = None,
    pose_clips: Sequence[str] = (),
    video: Path | None = None,
    motion_file: Path | None = None,
) -> WalkResult:
    """Walk, measure, and write ``report.json``, ``per_rollout.csv``, ``played.npz`` and ``played.html``.

    Args:
        policy_path: Exported ``policy.onnx`` of a task that walks by command.
        command: What the policy is told.
        conditions: How walks are made.
        output_dir: Folder to write to; None takes ``sim2sim/`` beside the policy.
        pose_clips: Clips to compare poses with; none takes those of the package.
        video: Where to write a video of the median walk; None writes none.
        motion_file: Clip of the command's mode, to measure how well it is performed.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If the policy does not walk by command, needs a reference, or was not trained for such a command, or
            the clip is not the mode's.
    """
    policy = load_policy(policy_path, needs_clips=False, follows_gait=None)
    require_walker(policy.spec, Path(policy_path).name)
    require_mode(command, [mode.name for mode in policy.spec.modes], Path(policy_path).name)
    command.require_within(walking_ranges(policy.spec))
    clips = {} if motion_file is None else {command.mode: clip_of_mode(motion_file, command, policy.spec)}
    robot = robot_of(policy.spec)
    poses = load_pose_set(pose_clips, robot)
    walker = (GaitByCommand if policy.spec.holds_refnn else Walker)(policy, robot, conditions.control_delay)
    num_steps = round(conditions.seconds / policy.spec.control_dt)
    walks = []
    for index in range(conditions.num_rollouts):
        rng = np.random.default_rng([conditions.seed, index]) if conditions.perturbed else None
        walker.start(rng)
        walks.append([walker.step(command) for _ in range(num_steps)])
    recording = _recording(walks, command, policy.spec, robot)
    recording.clips = clips
    details = {
        "task": policy.spec.task,
        "engine": f"plain MuJoCo {mujoco.__version__}",
        "checkpoint": policy.spec.checkpoint,
        "command": str(command),
        **vars(conditions),
    }
    folder = Path(output_dir) if output_dir else Path(policy_path).parent / "sim2sim"
    return report_walks(folder, recording, robot, poses, details, video or False)


def clip_of_mode(path: Path, command: VelocityCommand, spec: PolicySpec) -> MotionClip:
    """Read the clip that a mode performs.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the mode performs none, or the policy was not trained with this one.
    """
    performing = [mode.name for mode in spec.modes if mode.has_clip]
    if getattr(command, "mode", "") not in performing:
        raise ValueError(
            f"--motion_file is for a mode that performs a clip, and the command is '{command}'. The policy has"
            f" {', '.join(performing) or 'none'}."
        )
    clip = MotionClip.load(path)
    clip.require_fps(1.0 / spec.control_dt)
    if clip.digest not in [trained.sha256 for trained in spec.trained_on]:
        names = ", ".join(trained.name for trained in spec.trained_on) or "unknown ones"
        raise ValueError(f"{path} is not a clip that the policy was trained with: {names}.")
    return clip


def require_walker(spec: PolicySpec, source: str) -> None:
    """Check that a policy walks by command and needs no reference, or follows a RefNN with a speed and a turn rate.

    Raises:
        ValueError: If not; the message says what to do.
    """
    if spec.holds_refnn:
        require_known(("speed", "turn_rate"), spec.gait_inputs, f"gait parameter of {source} for --command")
        return
    if spec.velocity_ranges is None:
        raise ValueError(
            f"{source} is of {spec.task}, which follows no velocity command: leave --command out, or take a policy of"
            " Velocity-Flat-G1-v0."
        )
    if spec.clips:
        raise ValueError(
            f"{source} still observes the reference of {[clip.name for clip in spec.clips]}: it was exported before the"
            " last phase of its schedule. Train to the end, or play it in Isaac Lab."
        )
    ObservationBuilder(spec, source)


class Walker:
    """Policy and simulation in closed loop, one step at a time."""

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, control_delay: float = 0.0):
        """Build the simulation.

        Raises:
            ValueError: If the delay is negative.
        """
        self.policy, self.spec, self.robot = policy, policy.spec, robot
        self.simulation = simulation_of(robot, policy.spec, policy.folder)
        self._delay = DelayLine(control_delay, self.simulation.substeps)
        self._builder = ObservationBuilder(policy.spec)
        self._default, self._scale = np.array(policy.spec.default_joint_pos), np.array(policy.spec.action_scale)
        self._body_ids = self.simulation.body_ids(robot.body_names)
        self._action = np.zeros(len(self._default))
        self._modes = [mode.name for mode in policy.spec.modes]
        self._mode, self._frame = "", 0

    def start(self, rng: np.random.Generator | None = None) -> None:
        """Stand in the default pose, facing along x.

        Args:
            rng: Source of the noise of an evaluation's starts, or None for none.
        """
        twist, joints = np.zeros(6), np.zeros(len(self._default))
        if rng is not None:
            twist = np.array([rng.uniform(*SMALL_PERTURBATION["velocity_range"][axis]) for axis in AXES])
            joints = rng.uniform(*SMALL_PERTURBATION["joint_position_range"], size=len(joints))
        state = RobotState(
            root_pos_w=np.array([0.0, 0.0, self.robot.default_root_height]),
            root_quat_w=np.array([0.0, 0.0, 0.0, 1.0]),
            root_lin_vel_w=twist[:3],
            root_ang_vel_w=twist[3:],
            joint_pos=self._default + joints,
            joint_vel=np.zeros(len(joints)),
        )
        self.simulation.reset(state)
        self._delay.reset()
        self._builder.reset()
        self._action = np.zeros(len(joints))
        self._mode, self._frame = "", 0

    def step(self, command: VelocityCommand) -> tuple[np.ndarray, ...]:
        """Act once: arrays of body poses and velocities, joint positions and velocities, and torques.

        A mode that differs from the last step's begins: a clip with its first frame.
        """
        mode = getattr(command, "mode", "")
        self._mode, self._frame = mode, self._frame + 1 if mode == self._mode else 1
        state = self.simulation.state
        obs = self._builder.build(self._situation(state, command))
        self._action = self.policy.run(obs)["actions"][0].astype(np.float64)
        for acting, substeps in self._delay.send(self._default + self._scale * self._action):
            self.simulation.step(acting, substeps)
        state = self.simulation.state
        torque = torque_at_end(self.simulation, self.spec, acting)
        return (*self.simulation.bodies(self._body_ids), state.joint_pos, state.joint_vel, torque)

    def body_poses(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions [m], shape [num_bodies, 3], and orientations (x, y, z, w) of the robot's bodies."""
        pos, quat, *_ = self.simulation.bodies(self._body_ids)
        return pos, quat

    def _situation(self, state: RobotState, command: VelocityCommand) -> Situation:
        nothing, num_joints = np.zeros(0), len(self._default)
        told = command.observed(heading_of(state.root_quat_w), self.spec.velocity_ranges)
        return Situation(
            ref_joint_pos=np.zeros(num_joints),
            ref_joint_vel=np.zeros(num_joints),
            ref_anchor_pos_w=np.zeros(3),
            ref_anchor_quat_w=np.array([0.0, 0.0, 0.0, 1.0]),
            anchor_pos_w=state.root_pos_w,
            anchor_quat_w=state.root_quat_w,
            **{name: getattr(state, name) for name in OBSERVED_STATE},
            default_joint_pos=self._default,
            last_action=self._action,
            preview_joint_pos=nothing,
            preview_anchor_pos_w=nothing,
            preview_anchor_quat_w=nothing,
            clip_id=nothing,
            velocity_command=told,
            **self._mode_observations(),
        )

    def _mode_observations(self) -> dict[str, np.ndarray]:
        if not self._modes:
            return {}
        index = self._modes.index(self._mode)
        phase = phase_features(self._frame, self.spec.modes[index].num_frames)
        return {"mode": np.eye(len(self._modes))[index], "mode_phase": phase}


def walking_ranges(spec: PolicySpec) -> CommandRanges:
    """Commands that a policy was trained for; those of a gait policy by its speed, lateral speed and turn rate.

    A gait policy has learnt no heading; it turns at the rate of the heading's error, as the velocity task tells it.
    """
    if not spec.holds_refnn:
        return spec.velocity_ranges
    ranges = {name: pair for name, *pair in zip(spec.gait_inputs, spec.gait_low, spec.gait_high, strict=True)}
    lateral = tuple(ranges.get("lateral_speed", (0.0, 0.0)))
    return CommandRanges(tuple(ranges["speed"]), lateral, tuple(ranges["turn_rate"]), (-np.pi, np.pi), 1.0)


class GaitByCommand:
    """A gait policy that is told a velocity command: :class:`Walker` for a policy that follows a RefNN.

    Speed and lateral speed are the command's, the turn rate is that of the heading's error, and what else the policy
    takes is in the middle of its range. A walk begins in the reference's pose and motion instead of at rest.
    """

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, control_delay: float = 0.0):
        """Build the simulation.

        Raises:
            ValueError: If a delay is asked for.
        """
        if control_delay:
            raise ValueError(f"--control_delay {control_delay:g} is for policies without a RefNN: leave it out.")
        self.spec, self._ranges = policy.spec, walking_ranges(policy.spec)
        self._walker = GaitWalker(policy, robot)
        self._body_ids = self._walker.simulation.body_ids(robot.body_names)
        self._rng: np.random.Generator | None = None
        self._is_new = True

    def start(self, rng: np.random.Generator | None = None) -> None:
        """Begin a walk with the next step.

        Args:
            rng: Source of the noise of an evaluation's starts, or None for none.
        """
        self._rng, self._is_new = rng, True

    def step(self, command: VelocityCommand) -> tuple[np.ndarray, ...]:
        """Act once; see :meth:`Walker.step`."""
        if self._is_new:
            self._walker.start(self._gait(command, command.heading), self._noise())
            self._is_new = False
        heading = heading_of(self._walker.simulation.state.root_quat_w)
        targets, simulation = self._walker.step(self._gait(command, heading)).targets, self._walker.simulation
        state, torque = simulation.state, torque_at_end(simulation, self.spec, targets)
        return (*simulation.bodies(self._body_ids), state.joint_pos, state.joint_vel, torque)

    def _gait(self, command: VelocityCommand, heading: float) -> np.ndarray:
        forward, lateral, turn = command.observed(heading, self._ranges)
        wanted = {"speed": forward, "turn_rate": turn}
        if "lateral_speed" in self.spec.gait_inputs:
            wanted["lateral_speed"] = lateral
        return gait_values(self.spec, wanted)

    def _noise(self) -> np.ndarray | None:
        if self._rng is None:
            return None
        return self._rng.uniform(*SMALL_PERTURBATION["joint_position_range"], size=len(self.spec.joint_names))


def _recording(walks: list, command: VelocityCommand, spec: PolicySpec, robot: RobotModel) -> WalkRecording:
    modes = [mode for mode in spec.modes if mode.name == getattr(command, "mode", "")]
    columns: Callable = lambda walk: [np.stack(values) for values in zip(*walk, strict=True)]  # noqa: E731
    arrays = [np.stack(values, axis=1) for values in zip(*map(columns, walks), strict=True)]
    pos, quat, lin_vel, ang_vel, joint_pos, joint_vel, torque = (torch.from_numpy(array).float() for array in arrays)
    return WalkRecording(
        bodies=BodyState(pos, quat, lin_vel, ang_vel),
        joint_pos=joint_pos,
        joint_vel=joint_vel,
        joint_torque=torque,
        commands=[command] * len(walks),
        body_names=list(robot.body_names),
        joint_names=list(spec.joint_names),
        step_dt=spec.control_dt,
        modes=modes * len(walks),
    )
