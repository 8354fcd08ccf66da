"""A gait policy and its robot in plain MuJoCo, in closed loop, while somebody says how to walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation

from .observations import ObservationBuilder, Situation

SHORT_NAMES = {"turn": "turn_rate"}
"""Other names of parameters on the command line."""


def parse_gait(text: str) -> dict[str, float]:
    """Read parameters such as ``speed=0.6,turn=0.2``.

    Raises:
        ValueError: If a part is not of the form name=number.
    """
    gait = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        name = SHORT_NAMES.get(name.strip(), name.strip())
        try:
            gait[name] = float(value)
        except ValueError:
            raise ValueError(f"--gait has '{part}', expected NAME=NUMBER such as speed=0.6,turn=0.2.") from None
    return gait


def gait_values(spec: PolicySpec, given: Mapping[str, float]) -> np.ndarray:
    """Values of a policy's ``gait`` input; those that are not given are in the middle, a turn is 0, shape [num_inputs].

    Raises:
        ValueError: If the policy takes no such parameter, or a value is out of its range.
    """
    require_known(list(given), spec.gait_inputs, "gait parameter that the policy takes")
    values = []
    for name, low, high in zip(spec.gait_inputs, spec.gait_low, spec.gait_high, strict=True):
        value = given.get(name, max(low, min(high, 0.0 if low < 0.0 < high else 0.5 * (low + high))))
        if not low - 1e-9 <= value <= high + 1e-9:  # NaN, too
            raise ValueError(f"{name} is {value:g}, and the policy was trained on {low:g} to {high:g}.")
        values.append(value)
    return np.array(values, dtype=np.float32)


@dataclass(frozen=True)
class WalkStep:
    """What one control step did: the reference that it was to reach, and the robot."""

    ref: tuple[np.ndarray, ...]
    """Position, orientation (x, y, z, w), linear and angular velocity of the bodies, and joint positions."""
    bodies: tuple[np.ndarray, ...]
    """Position, orientation, linear and angular velocity of the robot's bodies."""
    state: RobotState
    targets: np.ndarray
    """Joint targets [rad]."""


class GaitWalker:
    """Steps policy and simulation. A walk begins in the reference's pose, with the left foot's touchdown."""

    def __init__(self, policy: OnnxPolicy, robot: RobotModel):
        """Build the simulation.

        Raises:
            ValueError: If an observation term is unknown, or the control period is not a multiple of the physics step.
        """
        spec = policy.spec
        self._policy, self._spec = policy, spec
        self.simulation = Simulation(robot, spec)
        self._builder = ObservationBuilder(spec)
        self._default, self._scale = np.array(spec.default_joint_pos), np.array(spec.action_scale)
        self._body_ids = self.simulation.body_ids(spec.body_names)
        self._anchor = spec.body_names.index(spec.anchor_body_name)
        self._root = spec.body_names.index(robot.body_names[0])
        self._nothing = np.zeros(spec.num_observations)

    def start(self, gait: np.ndarray, noise: np.ndarray | None = None) -> None:
        """Begin a walk.

        Args:
            gait: Values of the policy's ``gait`` input.
            noise: Added to the joints of the first pose [rad], shape [num_joints].
        """
        begun = self._policy.run_gait(self._nothing, gait, np.zeros(self._spec.gait_state_size))
        pos, quat, lin_vel, ang_vel, joint_pos = _reference(begun)
        root = self._root
        joints = joint_pos + (0.0 if noise is None else noise)
        limits = self._spec.soft_joint_pos_lower, self._spec.soft_joint_pos_upper
        joint_vel = begun["joint_vel"][0].astype(np.float64)
        placed = RobotState(pos[root], quat[root], lin_vel[root], ang_vel[root], joints.clip(*limits), joint_vel)
        self.simulation.reset(placed)
        self._builder.reset()
        self._action = np.zeros(len(self._default))
        self._outputs = self._policy.run_gait(self._nothing, gait, begun["next_state"])

    def step(self, gait: np.ndarray) -> WalkStep:
        """Walk on for one control step."""
        outputs, now = self._outputs, self._situation(self._outputs)
        self._outputs = self._policy.run_gait(self._builder.build(now), gait, outputs["next_state"])
        self._action = self._outputs["actions"][0].astype(np.float64)
        targets = self._default + self._scale * self._action
        self.simulation.step(targets)
        return WalkStep(_reference(outputs), self.simulation.bodies(self._body_ids), self.simulation.state, targets)

    def _situation(self, outputs: dict[str, np.ndarray]) -> Situation:
        state, spec = self.simulation.state, self._spec
        pos, quat, *_ = self.simulation.bodies([self._body_ids[self._anchor]])
        ref_pos, ref_quat, *_ = _reference(outputs)
        return Situation(
            ref_joint_pos=outputs["joint_pos"][0],
            ref_joint_vel=outputs["joint_vel"][0],
            ref_anchor_pos_w=ref_pos[self._anchor],
            ref_anchor_quat_w=ref_quat[self._anchor],
            anchor_pos_w=pos[0],
            anchor_quat_w=quat[0],
            root_pos_w=state.root_pos_w,
            root_quat_w=state.root_quat_w,
            root_lin_vel_w=state.root_lin_vel_w,
            root_ang_vel_w=state.root_ang_vel_w,
            joint_pos=state.joint_pos,
            joint_vel=state.joint_vel,
            default_joint_pos=np.array(spec.default_joint_pos),
            last_action=self._action,
            preview_joint_pos=np.zeros((0, len(spec.joint_names))),
            preview_anchor_pos_w=np.zeros((0, 3)),
            preview_anchor_quat_w=np.zeros((0, 4)),
            clip_id=np.zeros(0),
        )


def _reference(outputs: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Position, orientation (x, y, z, w), velocities of the bodies, and joint positions."""
    quat = np.roll(outputs["body_quat_w"][0], -1, axis=-1)
    values = (outputs["body_pos_w"][0], quat, outputs["body_lin_vel_w"][0], outputs["body_ang_vel_w"][0])
    return tuple(value.astype(np.float64) for value in (*values, outputs["joint_pos"][0]))
