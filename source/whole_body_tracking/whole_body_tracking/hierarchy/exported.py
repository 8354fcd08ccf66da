"""Exported policies as skills need them: the description from ``policy.onnx``, the graph from ``policy.pt``.

The ONNX file answers one robot at a time; TorchScript has the same graph and takes any number of rows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.export.spec_metadata import SPEC_KEY

from .observing import require_observable

SHARED = (
    "joint_names",
    "control_dt",
    "anchor_body_name",
    "joint_stiffness",
    "joint_damping",
    "joint_armature",
    "joint_effort_limit",
    "joint_velocity_limit",
)
"""What skills of one robot have in common."""


@dataclass(frozen=True)
class ExportedPolicy:
    """A policy in both formats."""

    path: Path
    onnx: OnnxPolicy
    graph: torch.jit.ScriptModule

    @property
    def spec(self) -> PolicySpec:
        return self.onnx.spec

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Outputs for inputs of any number of rows."""
        outputs = self.graph(*inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)


def read_exported(path: Path, follows_gait: bool) -> ExportedPolicy:
    """Read a policy and check that it can be a skill.

    Args:
        path: Its ``policy.onnx``; ``policy.pt`` lies beside it.
        follows_gait: Whether it should follow a RefNN, else clips.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If it is another kind of policy, or cannot be a skill.
    """
    path = Path(path)
    policy = load_policy(path, follows_gait=follows_gait)
    graph_path = path.with_suffix(".pt")
    if not graph_path.is_file():
        raise FileNotFoundError(f"{graph_path} does not exist: skills need it beside {path.name}. Export again.")
    extra = {SPEC_KEY: ""}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            graph = torch.jit.load(graph_path, map_location="cpu", _extra_files=extra)
    except RuntimeError as error:
        raise ValueError(f"{graph_path} is not a readable TorchScript file: {str(error).splitlines()[0]}") from error
    if PolicySpec.from_json(extra[SPEC_KEY]) != policy.spec:
        raise ValueError(f"{graph_path} and {path.name} are of different policies. Export again.")
    require_observable(policy.spec, str(path))
    policy.spec.require_actuation(("implicit",), "a skill")
    return ExportedPolicy(path, policy, graph.eval())


def require_same_robot(policies: list[ExportedPolicy]) -> None:
    """Check that skills drive the same joints with the same gains, at the same rate.

    Raises:
        ValueError: If not; the message names the first difference.
    """
    first, *others = policies
    for other in others:
        for name in SHARED:
            wanted, found = getattr(first.spec, name), getattr(other.spec, name)
            if found != wanted:
                raise ValueError(
                    f"{other.path}: `{name}` is {found}, and that of {first.path} is {wanted}. Skills need policies of"
                    " one robot with the same joint order, gains and control rate."
                )
