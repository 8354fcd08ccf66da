"""Which skills there are: read and checked from files, before anything is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.sim2sim.gait_walker import gait_values
from whole_body_tracking.sim2sim.reference import Reference, references_of, robot_of

from .exported import ExportedPolicy, read_exported, require_same_robot
from .skills import STAND, WALK, ClipSkill, Skill, WalkSkill

STEERED = ("speed", "turn_rate")
"""What a selector says about a walk; the cadence follows from the speed, the rest is in the middle of its range."""


@dataclass(frozen=True)
class SkillSet:
    """A walk, and clips by name; standing is the first pose of the first clip. Made by :func:`read_skills`."""

    walk: ExportedPolicy
    clips: tuple[tuple[ExportedPolicy, Reference], ...]

    @property
    def names(self) -> list[str]:
        """Names of the skills, in order."""
        return [WALK, STAND, *(reference.clip.name for _, reference in self.clips)]

    def build(self, num_envs: int) -> list[Skill]:
        """Skills for so many robots, in the order of :attr:`names`."""
        policy, reference = self.clips[0]
        clips = [ClipSkill(reference.clip.name, policy, reference, num_envs) for policy, reference in self.clips]
        return [WalkSkill(self.walk, num_envs), ClipSkill(STAND, policy, reference, num_envs, stands=True), *clips]


def read_skills(gait_policy: Path, clip_policies: Sequence[Path]) -> SkillSet:
    """Read exported policies.

    Args:
        gait_policy: ``policy.onnx`` of the gait task.
        clip_policies: Those of tracking tasks; every clip of each becomes a skill of its name.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If one cannot be a skill, they are not of one robot, or two clips have the same name.
    """
    walk = read_exported(gait_policy, follows_gait=True)
    require_steered(walk.spec, str(gait_policy))
    trackers = [read_exported(path, follows_gait=False) for path in clip_policies]
    require_same_robot([walk, *trackers])
    robot_of(walk.spec)
    clips = tuple((policy, reference) for policy in trackers for reference in references_of(policy.onnx))
    names = [WALK, STAND, *(reference.clip.name for _, reference in clips)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Two skills are called {twice}: leave one of the policies out, or rename its clip.")
    if not clips:
        raise ValueError("There is no clip to perform: pass the policy.onnx of a tracking task with --clip_policies.")
    root = robot_of(walk.spec).body_names[0]
    for policy, reference in clips:
        if root not in reference.clip.body_names:
            raise ValueError(f"{policy.path} does not hold the motion of the root '{root}'. Track it and export again.")
    return SkillSet(walk, clips)


def require_steered(spec: PolicySpec, source: str) -> None:
    """Check that a gait policy takes what a selector says.

    Raises:
        ValueError: If it takes no speed or no turn rate.
    """
    missing = [name for name in STEERED if name not in spec.gait_inputs]
    if missing:
        raise ValueError(
            f"{source} takes {list(spec.gait_inputs)}, and a walk to goals needs {missing}, too. Train"
            " Gait-Flat-G1-v0 with env.commands.motion.steered=[speed,cadence,turn_rate]."
        )


class Steering:
    """Between a selector's numbers and a gait policy's input."""

    def __init__(self, spec: PolicySpec):
        """Read the ranges off the policy."""
        self._inputs = spec.gait_inputs
        index = [spec.gait_inputs.index(name) for name in STEERED]
        self.low = torch.tensor(spec.gait_low)[index]
        """Smallest speed [m/s] and turn rate [rad/s]."""
        self.high = torch.tensor(spec.gait_high)[index]
        self._middle = torch.from_numpy(gait_values(spec, {}))
        self._range = {name: pair for name, *pair in zip(spec.gait_inputs, spec.gait_low, spec.gait_high, strict=True)}
        self._params = [list(PARAMETERS).index(name) for name in STEERED]

    def scaled(self, values: Tensor) -> Tensor:
        """Speeds and turn rates, -1 to 1 over their ranges, shape [num_envs, 2]; values beyond count as the nearest."""
        return (2.0 * (values - self.low) / (self.high - self.low) - 1.0).clamp(-1.0, 1.0)

    def of_params(self, params: Tensor) -> Tensor:
        """The same of a walk's parameters in the order of ``PARAMETERS``, shape [num_envs, num_params]."""
        return self.scaled(params[:, self._params])

    def gait(self, scaled: Tensor) -> Tensor:
        """Values of the ``gait`` input, shape [num_envs, num_inputs].

        The cadence is at the same place in the lower three quarters of its range as the speed in its own, so that
        strides stay shorter than those that expert and planner have most trouble with.
        """
        scaled = scaled.clamp(-1.0, 1.0)
        values = self.low + 0.5 * (scaled + 1.0) * (self.high - self.low)
        columns = dict(zip(STEERED, values.unbind(-1), strict=True))
        if "cadence" in self._range:
            low, high = self._range["cadence"]
            columns["cadence"] = low + 0.75 * (high - low) * 0.5 * (scaled[:, 0] + 1.0)
        middle = dict(zip(self._inputs, self._middle, strict=True))
        return torch.stack([columns.get(name, middle[name].expand(len(scaled))) for name in self._inputs], dim=-1)
