"""A gait policy with its walk, and in plain MuJoCo in closed loop, while somebody says how to walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState

from .observations import ObservationBuilder, Situation
from .stable_pd import simulation_of

SHORT_NAMES = {"turn": "turn_rate"}
"""Other names of parameters on the command line."""

KEYS = {
    "speed": ("I", "K", 0.1),
    "turn_rate": ("J", "L", 0.1),
    "cadence": ("O", "U", 5.0),
}
"""Keys that raise and lower a parameter, and by how much; W, A, S, D, E and Q move a page's camera."""

AT_REST = ("speed", "lateral_speed", "turn_rate")
"""Parameters that are as near to 0 as they may be in the slowest walk."""


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


class WantedGait:
    """How an operator wants a policy to walk; every value stays within the range of its training."""

    def __init__(self, spec: PolicySpec, values: np.ndarray):
        """Start.

        Args:
            spec: Of the policy.
            values: Of its ``gait`` input, as :func:`gait_values` gives them; copied.
        """
        self.spec, self.values = spec, values.copy()

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.spec.gait_inputs.index(name)])

    def ask(self, name: str, value: float) -> None:
        """Want a value; beyond the range the nearest.

        Raises:
            ValueError: If the policy takes no such parameter.
        """
        require_known(name, self.spec.gait_inputs, "gait parameter that the policy takes")
        index = self.spec.gait_inputs.index(name)
        self.values[index] = min(self.spec.gait_high[index], max(self.spec.gait_low[index], value))

    def change(self, name: str, by: float) -> None:
        """Raise or lower a value within its range."""
        self.ask(name, self[name] + by)

    def slowest(self) -> np.ndarray:
        """The same walk as slow and straight as it may be: values of the ``gait`` input, shape [num_inputs]."""
        slow = WantedGait(self.spec, self.values)
        for name in AT_REST:
            if name in self.spec.gait_inputs:
                slow.ask(name, 0.0)
        return slow.values


class WalkFrame(NamedTuple):
    """One frame of a walk's reference; bodies and joints are in the order of the spec."""

    body_pos_w: np.ndarray
    """[m], shape [num_bodies, 3]."""
    body_quat_w: np.ndarray
    """(x, y, z, w), shape [num_bodies, 4]."""
    body_lin_vel_w: np.ndarray
    """[m/s], shape [num_bodies, 3]."""
    body_ang_vel_w: np.ndarray
    """[rad/s], shape [num_bodies, 3]."""
    joint_pos: np.ndarray
    """[rad], shape [num_joints]."""
    joint_vel: np.ndarray
    """[rad/s], shape [num_joints]."""


class WalkingPolicy:
    """A gait policy with the memory that it has to be given back: what it aims at, and what it did before.

    A walk begins with :meth:`start`. Then :meth:`act` answers states of the robot, and :meth:`advance` goes on to the
    next frame; without an action in between it goes on all the same, as a controller that comes too late needs.
    """

    def __init__(self, policy: OnnxPolicy):
        """Check the layout.

        Raises:
            ValueError: If the policy follows no RefNN, or an observation term or the size of its state is not known.
        """
        spec = policy.spec
        self._policy, self.spec = policy, spec
        self._builder = ObservationBuilder(spec)
        self._default, self._scale = np.array(spec.default_joint_pos), np.array(spec.action_scale)
        self.anchor = spec.body_names.index(spec.anchor_body_name)
        self._nothing = np.zeros(spec.num_observations)
        self._frame_size, self._num_params = 8 + len(spec.joint_names), len(PARAMETERS)
        expected = self._num_params + 1 + 3 * self._frame_size
        if spec.gait_state_size != expected:
            raise ValueError(
                f"The policy's `state` has {spec.gait_state_size} values, and {self._num_params} parameters, a heading"
                f" and three frames of {len(spec.joint_names)} joints are {expected}. Export it again with this"
                " version."
            )

    def start(self, gait: np.ndarray, lead: int = 0) -> WalkFrame:
        """Begin a walk at the left foot's touchdown, and aim at the frame after the one that it begins in.

        Args:
            gait: Values of the policy's ``gait`` input.
            lead: Frames to go on before it begins.

        Returns:
            The frame that it begins in.
        """
        self._aim_at(self._policy.run_gait(self._nothing, gait, np.zeros(self.spec.gait_state_size)))
        self._gait = gait
        for _ in range(lead):
            self.advance()
        begun = self.frame
        self.advance()
        self._builder.reset()
        self._action, self._about = np.zeros(len(self._default)), begun.joint_pos
        return begun

    @property
    def params(self) -> dict[str, float]:
        """All parameters of the walk, by name."""
        return dict(zip(PARAMETERS, map(float, self._outputs["next_state"][0]), strict=False))

    @property
    def phase(self) -> float:
        """Of the frame aimed at, in [0, 1); 0 at the left foot's touchdown."""
        return float(self._outputs["next_state"][0, self._num_params + 1 + self._frame_size])

    def act(self, state: RobotState, anchor_pos_w: np.ndarray, anchor_quat_w: np.ndarray, gait: np.ndarray):
        """Run the network.

        Args:
            state: The robot, in the reference's world.
            anchor_pos_w: Position of its anchor [m], shape [3].
            anchor_quat_w: Its orientation (x, y, z, w), shape [4].
            gait: Values of the policy's ``gait`` input, which the reference goes over to.

        Returns:
            The observation, shape [num_observations]; the action that the file emits and joint targets [rad], both of
            shape [num_joints].
        """
        observation = self._builder.build(self._situation(state, anchor_pos_w, anchor_quat_w))
        self._gait, self._about = gait, self.frame.joint_pos
        self._next = self._policy.run_gait(observation, gait, self._outputs["next_state"])
        self._action = self._next["actions"][0].astype(np.float64)
        return observation, self._action, self._default + self._scale * self._action

    def advance(self) -> None:
        """Aim at the next frame."""
        self._before = self.frame.joint_pos
        if self._next is None:
            self._next = self._policy.run_gait(self._nothing, self._gait, self._outputs["next_state"])
        self._aim_at(self._next)

    def _aim_at(self, outputs: dict[str, np.ndarray]) -> None:
        self._outputs, self._next = outputs, None
        self.frame = _frame(outputs)
        """The frame that the next action aims at."""

    def _situation(self, state: RobotState, anchor_pos_w: np.ndarray, anchor_quat_w: np.ndarray) -> Situation:
        spec, ref = self.spec, self.frame
        return Situation(
            ref_joint_pos=ref.joint_pos,
            ref_joint_vel=ref.joint_vel,
            ref_anchor_pos_w=ref.body_pos_w[self.anchor],
            ref_anchor_quat_w=ref.body_quat_w[self.anchor],
            anchor_pos_w=anchor_pos_w,
            anchor_quat_w=anchor_quat_w,
            root_pos_w=state.root_pos_w,
            root_quat_w=state.root_quat_w,
            root_lin_vel_w=state.root_lin_vel_w,
            root_ang_vel_w=state.root_ang_vel_w,
            joint_pos=state.joint_pos,
            joint_vel=state.joint_vel,
            default_joint_pos=self._default,
            last_action=self._last_action(),
            preview_joint_pos=np.zeros((0, len(spec.joint_names))),
            preview_anchor_pos_w=np.zeros((0, 3)),
            preview_anchor_quat_w=np.zeros((0, 4)),
            clip_id=np.zeros(0),
        )

    def _last_action(self) -> np.ndarray:
        """The last action as if it had been emitted one frame before the present one, which the file takes it for."""
        if not self._action.any():
            return self._action
        return self._action + (self._before - self._about) / self._scale


@dataclass(frozen=True)
class WalkStep:
    """What one control step did: the reference that it was to reach, and the robot."""

    ref: WalkFrame
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
        self._spec, self._walk = spec, WalkingPolicy(policy)
        self.simulation = simulation_of(robot, spec, policy.folder)
        self._body_ids = self.simulation.body_ids(spec.body_names)
        self._root = spec.body_names.index(robot.body_names[0])

    def start(self, gait: np.ndarray, noise: np.ndarray | None = None) -> None:
        """Begin a walk.

        Args:
            gait: Values of the policy's ``gait`` input.
            noise: Added to the joints of the first pose [rad], shape [num_joints].
        """
        begun, root = self._walk.start(gait), self._root
        joints = begun.joint_pos + (0.0 if noise is None else noise)
        limits = self._spec.soft_joint_pos_lower, self._spec.soft_joint_pos_upper
        pose = (values[root] for values in begun[:4])
        self.simulation.reset(RobotState(*pose, joints.clip(*limits), begun.joint_vel))

    def step(self, gait: np.ndarray) -> WalkStep:
        """Walk on for one control step."""
        ref = self._walk.frame
        pos, quat, *_ = self.simulation.bodies([self._body_ids[self._walk.anchor]])
        *_, targets = self._walk.act(self.simulation.state, pos[0], quat[0], gait)
        self._walk.advance()
        self.simulation.step(targets)
        return WalkStep(ref, self.simulation.bodies(self._body_ids), self.simulation.state, targets)


def _frame(outputs: dict[str, np.ndarray]) -> WalkFrame:
    quat = np.roll(outputs["body_quat_w"][0], -1, axis=-1)
    bodies = (outputs["body_pos_w"][0], quat, outputs["body_lin_vel_w"][0], outputs["body_ang_vel_w"][0])
    joints = (outputs["joint_pos"][0], outputs["joint_vel"][0])
    return WalkFrame(*(value.astype(np.float64) for value in (*bodies, *joints)))
