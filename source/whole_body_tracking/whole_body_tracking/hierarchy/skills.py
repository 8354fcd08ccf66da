"""Skills: frozen policies that walk, stand or perform a clip, for many robots at once.

A skill keeps for every robot what its policy needs: where the reference is, and what it did last. The clock is that of
the tasks: :meth:`Skill.act` sees the robot and the frame to reach, and the next call aims one frame further.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from whole_body_tracking.deploy.control.gait_tracker import IS_SLOW, SLOW_START
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.sim2sim.gait_walker import AT_REST, WantedGait, gait_values
from whole_body_tracking.sim2sim.reference import Reference, robot_of
from whole_body_tracking.sim2sim.rollout import residual_center

from .exported import ExportedPolicy
from .observing import Aim, Placement, Sight, observe
from .robot_batch import RobotBatch

WALK, STAND = "walk", "stand"
SETTLE = 0.5
"""How long a clip's first pose is held before the clip runs [s]."""
STEADY = 1.0
"""How long a robot stands before another skill may take over [s]: one that has just stopped still sways."""


class Skill(ABC):
    """One frozen policy with the memory of all robots."""

    def __init__(self, name: str, policy: ExportedPolicy, num_envs: int):
        spec = policy.spec
        self.name, self.policy, self.spec, self.num_envs = name, policy, spec, num_envs
        self._default, self._scale = torch.tensor(spec.default_joint_pos), torch.tensor(spec.action_scale)
        self._last_action = torch.zeros(num_envs, len(spec.joint_names))
        self._placement = Placement.none(num_envs)

    @property
    @abstractmethod
    def aim(self) -> Aim:
        """What the next step should reach."""

    @property
    @abstractmethod
    def can_end(self) -> Tensor:
        """Which robots could be handed to another skill now, shape [num_envs]."""

    @property
    @abstractmethod
    def progress(self) -> Tensor:
        """How much of it has been done, 0 to 1; of what goes on without an end 0, shape [num_envs]."""

    @abstractmethod
    def _begin(self, mask: Tensor) -> Aim:
        """Go back to the beginning, and return the frame in which it begins."""

    @abstractmethod
    def _run(self, sight: Sight, gait: Tensor) -> Tensor:
        """Run the policy and aim at the next frame; joint targets [rad]."""

    def start(self, mask: Tensor, robot: RobotBatch) -> None:
        """Begin where some robots stand and head.

        Args:
            mask: Which robots, shape [num_envs].
            robot: All of them.
        """
        begun = self._begin(mask)
        self._placement = Placement.between(robot, begun).where(mask, self._placement)
        self._last_action = torch.where(mask[:, None], 0.0, self._last_action)

    def act(self, robot: RobotBatch, gait: Tensor) -> Tensor:
        """Joint targets of the next control period [rad], shape [num_envs, num_joints].

        Args:
            robot: The robots now.
            gait: Values of a gait policy's ``gait`` input, shape [num_envs, num_inputs]; others do not look at it.
        """
        return self._run(Sight(robot, self._placement, self.aim, self._last_action, self._default), gait)


class WalkSkill(Skill):
    """Walks by gait parameters, and can be left at a touchdown of the left foot once it is slow."""

    def __init__(self, policy: ExportedPolicy, num_envs: int):
        """Find out how a walk begins."""
        super().__init__(WALK, policy, num_envs)
        spec = self.spec
        self.slowest = torch.from_numpy(WantedGait(spec, gait_values(spec, {})).slowest())
        self._anchor = spec.body_names.index(spec.anchor_body_name)
        nothing = torch.zeros(1, spec.num_observations)
        self._first_state, begun = self._reference(nothing, torch.zeros(1, spec.gait_state_size))
        self._begun = self._rows(begun)
        self._state, self._aim = (self._rows(value) for value in self._reference(nothing, self._first_state))
        self._first_state, self._first_aim = self._state.clone(), self._aim
        self._steps = torch.zeros(num_envs, dtype=torch.long)
        self._slow_steps = round(SLOW_START / spec.control_dt)
        self.slows_down = torch.zeros(num_envs, dtype=torch.bool)
        """Which robots are to come to where they can stop, shape [num_envs]; set by the switcher."""
        self._at_rest = [name for name in AT_REST if name in spec.gait_inputs]

    @property
    def aim(self) -> Aim:
        return self._aim

    @property
    def params(self) -> Tensor:
        """All parameters of the walks, in the order of ``PARAMETERS``, shape [num_envs, num_params]."""
        return self._state[:, : len(PARAMETERS)]

    @property
    def phase(self) -> Tensor:
        """Of the frame aimed at, in [0, 1); 0 at the left foot's touchdown, shape [num_envs]."""
        return self._state[:, len(PARAMETERS) + 1 + 8 + len(self.spec.joint_names)]

    @property
    def can_end(self) -> Tensor:
        names = list(PARAMETERS)
        is_slow = torch.ones(self.num_envs, dtype=torch.bool)
        for name in self._at_rest:
            lowest = self.slowest[self.spec.gait_inputs.index(name)]
            is_slow = is_slow & ((self.params[:, names.index(name)] - lowest).abs() < IS_SLOW)
        step = self.spec.control_dt * self.params[:, names.index("cadence")] / 120.0
        return self.slows_down & is_slow & (self.phase < step)

    @property
    def progress(self) -> Tensor:
        return torch.zeros(self.num_envs)

    def _begin(self, mask: Tensor) -> Aim:
        self._state = torch.where(mask[:, None], self._first_state, self._state)
        self._aim = self._first_aim.where(mask, self._aim)
        self._steps = torch.where(mask, 0, self._steps)
        return self._begun

    def _run(self, sight: Sight, gait: Tensor) -> Tensor:
        is_slow = self.slows_down | (self._steps < self._slow_steps)
        gait = torch.where(is_slow[:, None], self.slowest, gait)
        self._last_action, self._state, self._aim = self._call(observe(self.spec, sight), gait, self._state)
        self._steps = self._steps + 1
        return self._default + self._scale * self._last_action

    def _call(self, observations: Tensor, gait: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Aim]:
        actions, joint_pos, joint_vel, pos, quat, _, _, after = self.policy(observations, gait, state)
        xyzw = quat[:, self._anchor][:, [1, 2, 3, 0]]
        return actions, after, Aim(joint_pos, joint_vel, pos[:, self._anchor], xyzw)

    def _reference(self, nothing: Tensor, state: Tensor) -> tuple[Tensor, Aim]:
        _, after, aim = self._call(nothing, self.slowest[None], state)
        return after, aim

    def _rows(self, value):
        if isinstance(value, Aim):
            return Aim(*(self._rows(each) for each in value))
        return value.expand(self.num_envs, -1).clone()


class ClipSkill(Skill):
    """Performs a clip: holds its first pose, runs, and then holds the last pose. Or only holds the first one."""

    def __init__(self, name: str, policy: ExportedPolicy, reference: Reference, num_envs: int, stands: bool = False):
        """Take a clip of the policy.

        Args:
            name: What the skill is called.
            policy: Tracks the clip.
            reference: The clip.
            num_envs: Robots.
            stands: Whether only the first pose is held.
        """
        super().__init__(name, policy, num_envs)
        clip, spec = reference.clip, self.spec
        anchor = clip.body_indices([spec.anchor_body_name])[0]
        tables = (clip.joint_pos, clip.joint_vel, clip.body_pos_w[:, anchor], clip.body_quat_w[:, anchor])
        self.table: Aim = Aim(*(torch.from_numpy(values.copy()).float() for values in tables))
        self._center = torch.from_numpy(residual_center(clip, spec).copy()).float()
        self.clip, self._stands, self._last = clip, stands, clip.num_frames - 1
        root = clip.body_indices(robot_of(spec).body_names[:1])[0]
        self.first_root = tuple(
            torch.from_numpy(v[0, root].copy()).float() for v in (clip.body_pos_w, clip.body_quat_w)
        )
        """Position [m] and orientation (x, y, z, w) of the root in the first frame."""
        self._settle, self._steady = (round(seconds / spec.control_dt) for seconds in (SETTLE, STEADY))
        self._steps = torch.zeros(num_envs, dtype=torch.long)

    @property
    def seconds(self) -> float:
        """How long it takes [s]."""
        return SETTLE + self._last * self.spec.control_dt

    @property
    def time_step(self) -> Tensor:
        """Frame to aim at as the policy's file counts, shape [num_envs]: on and on after the clip's end."""
        if self._stands:
            return torch.ones_like(self._steps)
        return (self._steps - self._settle + 1).clamp(min=1)

    @property
    def frame(self) -> Tensor:
        """Frame to aim at, shape [num_envs]; it stays at the last one."""
        return self.time_step.clamp(max=self._last)

    @property
    def aim(self) -> Aim:
        frame = self.frame
        aim = Aim(*(table[frame] for table in self.table))
        return aim._replace(joint_vel=torch.where(self._is_over[:, None], 0.0, aim.joint_vel))

    @property
    def can_end(self) -> Tensor:
        return self._steps >= self._steady if self._stands else self._is_over

    @property
    def progress(self) -> Tensor:
        if self._stands:
            return torch.zeros(self.num_envs)
        return ((self._steps - self._settle) / self._last).clamp(0.0, 1.0)

    @property
    def _is_over(self) -> Tensor:
        return (self._steps - self._settle >= self._last) & (not self._stands)

    def _begin(self, mask: Tensor) -> Aim:
        self._steps = torch.where(mask, 0, self._steps)
        return Aim(*(table[torch.zeros_like(self._steps)] for table in self.table))

    def _run(self, sight: Sight, gait: Tensor) -> Tensor:
        frame, observations = self.frame, observe(self.spec, sight)
        inputs = (observations, self.time_step[:, None].float()) if self.spec.reference_in_graph else (observations,)
        self._last_action = self.policy(*inputs)[0]
        self._steps = self._steps + 1
        origin = self._center[frame] if self.spec.emitted_actions == "residual" else self._default
        return origin + self._scale * self._last_action
