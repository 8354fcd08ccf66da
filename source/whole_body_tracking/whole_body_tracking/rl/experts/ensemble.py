"""The experts of a command line, checked against each other and against the task that they are to act in."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from isaaclab.utils.string import resolve_matching_names_values
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from ..checkpoint_fit import control_differences
from .choice import EXPERT_CHOICES, Assignment, assign_experts
from .observations import add_expert_observations, expert_task_cfg
from .switcher import ExpertTeacher
from .table import Expert, ExpertTable, read_experts

SHARED = (
    "task",
    "control_dt",
    "action_kind",
    "action_center",
    "action_clip",
    "joint_names",
    "action_scale",
    "default_joint_pos",
)
"""Fields of the exported spec in which experts may not differ; the observation terms are compared beside them."""


def add_expert_args(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """Add ``--experts`` and ``--expert_choice``."""
    group = parser.add_argument_group("experts")
    what = "Table of experts written by train_experts.py, or its folder."
    group.add_argument("--experts", default=None, required=required, metavar="PATH", help=what)
    group.add_argument(
        "--expert_choice",
        default="motion",
        choices=EXPERT_CHOICES,
        help="motion: each clip its own expert (default). nearest: that of the most similar motion.",
    )


@dataclass(frozen=True)
class Ensemble:
    """Experts, and which of them each clip of a task gets."""

    table: ExpertTable
    assignments: tuple[Assignment, ...]
    """One for each clip of the task's library."""

    @property
    def path(self) -> Path:
        """File of the table."""
        return self.table.path

    @property
    def checkpoints(self) -> list[str]:
        """Checkpoint of each expert."""
        return [str(expert.path) for expert in self.table.experts]

    @property
    def expert_of_clip(self) -> list[int]:
        """Index of the expert of each clip."""
        return [assignment.expert for assignment in self.assignments]

    def describe(self) -> str:
        """One line per clip: its expert, and the distance between the two motions."""
        motions = self.table.motions
        lines = [f"{a.clip}: expert of {motions[a.expert]} (distance {a.distance:.2f})" for a in self.assignments]
        return "\n".join(f"[INFO] {line}" for line in lines)

    def load(self, env: RslRlVecEnvWrapper) -> ExpertTeacher:
        """The switcher as a policy for an environment with the experts' observations."""
        obs, checkpoints = env.get_observations(), self.checkpoints
        return ExpertTeacher(obs, {}, "teacher", env.num_actions, checkpoints, self.expert_of_clip).to(env.device)


def prepare_experts(args: argparse.Namespace, env_cfg: TrackingEnvCfg) -> Ensemble:
    """Read and check the experts of a command line and add what they observe to the task.

    Args:
        args: With ``experts`` and ``expert_choice``, from :func:`add_expert_args`.
        env_cfg: The task; changed in place.

    Raises:
        FileNotFoundError: If the table, a checkpoint or its export is gone.
        ValueError: If the experts differ in task, observations, actions or rate, act otherwise than this task, or a
            clip has no expert.
    """
    table = read_experts(Path(args.experts))
    clips, speeds = load_task_clips(env_cfg), env_cfg.commands.motion.speeds
    assigned = assign_experts(table, clips, args.expert_choice, get_robot(env_cfg.robot_name))
    spec = shared_spec(table)
    _require_same_control(table, env_cfg, spec)
    add_expert_observations(env_cfg, expert_task_cfg(table, spec["task"]))
    return Ensemble(table, tuple(assignment for assignment in assigned for _ in speeds))


def shared_spec(table: ExpertTable) -> dict:
    """Specification that the exports of all experts share.

    Raises:
        FileNotFoundError: If a checkpoint or its export is gone.
        ValueError: If two experts differ; the message names in what.
    """
    first, *others = table.experts
    spec = _spec_of(first)
    for expert in others:
        other = _spec_of(expert)
        for field in (*SHARED, "observations"):
            if other[field] != spec[field]:
                raise ValueError(
                    f"{table.path}: the experts of '{first.motion}' and '{expert.motion}' differ in {field}:"
                    f" {_short(spec[field])} and {_short(other[field])}. Only experts trained alike can be one policy."
                )
    return spec


def _spec_of(expert: Expert) -> dict:
    described = expert.run_folder / "exported" / "policy.json"
    for file in (expert.path, described):
        if not file.is_file():
            raise FileNotFoundError(f"The expert of '{expert.motion}' is gone: {file} does not exist.")
    return {"action_center": "reference"} | json.loads(described.read_text())


def _require_same_control(table: ExpertTable, env_cfg: TrackingEnvCfg, spec: dict) -> None:
    differences = control_differences(env_cfg, spec)
    scale = env_cfg.actions.joint_pos.scale
    if isinstance(scale, dict):
        scale = resolve_matching_names_values(scale, spec["joint_names"])[2]
        if not torch.allclose(torch.tensor(scale), torch.tensor(spec["action_scale"])):
            differences.append("another action scale")
    if differences:
        hint = (
            " Take a residual task, or presets=residual_actions of the Multi task."
            if spec["action_kind"] == "residual"
            else ""
        )
        raise ValueError(
            f"The experts of {table.path} were trained on {spec['task']}, whose actions mean something else than this"
            f" task's: {'; '.join(differences)}.{hint}"
        )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
