"""Writer of a policy as one ONNX file with weights, clip and metadata."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from whole_body_tracking.files import write_atomically

from .graph import build_graph, input_names, output_names
from .spec import PolicySpec
from .spec_metadata import spec_to_metadata

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

    from whole_body_tracking.motion import MotionLibrary

OPSET = 17

ONE_CLIP = "A policy with its clip inside: ROS 2's motion_tracking_controller runs it."
WITHOUT_CLIP = (
    "A policy without a clip inside: it has no time_step and gives no reference, so ROS 2's motion_tracking_controller"
    " cannot run it. Export it with one clip for that: play.py --export with --motion_file."
)
"""What a file says of itself in its ``doc_string``, which viewers of ONNX files show."""
WITH_REFNN = (
    "A policy with a RefNN inside: give it the wanted `gait` (its metadata name the values), and `state`, the"
    " `next_state` of the call before, zeros at first. docs/gait.md has the calls of a controller."
)


def export_onnx(actor: MLPModel, spec: PolicySpec, library: MotionLibrary | None, path: str | os.PathLike) -> Path:
    """Write a policy as a single ONNX file; it appears under its name only when complete.

    Inputs are ``obs`` [1, num_observations] and, if the spec says ``reference_in_graph``, ``time_step`` [1, 1]. Outputs
    are ``actions`` [1, num_joints] and then the reference: ``joint_pos``, ``joint_vel`` [1, num_joints],
    ``body_pos_w``, ``body_quat_w`` (w, x, y, z), ``body_lin_vel_w``, ``body_ang_vel_w`` [1, num_bodies, 3 or 4].
    A residual policy about its clip's joint targets has ``joint_target`` [1, num_joints] as a further output. All are
    float32.

    Args:
        actor: Policy of rsl_rl.
        spec: What the metadata will say.
        library: The clip; ignored if the spec says that the graph does not contain one.
        path: File to write.

    Raises:
        ValueError: If actor, spec and library do not fit together.
    """
    path = Path(path)
    write_atomically(path, to_onnx_bytes(build_graph(actor, spec, library), spec))
    return path


def example_inputs(spec: PolicySpec) -> tuple[torch.Tensor, ...]:
    """Zero inputs of an exported graph."""
    obs = torch.zeros(1, spec.num_observations)
    if spec.holds_refnn:
        return (obs, torch.zeros(1, len(spec.gait_inputs)), torch.zeros(1, spec.gait_state_size))
    return (obs, torch.zeros(1, 1)) if spec.reference_in_graph else (obs,)


def ignore_shape_checks() -> None:
    """Tracing a graph with kinematics inside warns that shapes are checked once: they are the same ever after."""
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning, module=".*kinematics")


def to_onnx_bytes(graph: nn.Module, spec: PolicySpec) -> bytes:
    """Serialise a graph with the spec's metadata, weights inside."""
    import onnx

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The tracing exporter is deprecated but takes 0.03 s where the other takes 1 to 3 s, at every save, and writes
        # the weights into the file.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        ignore_shape_checks()
        torch.onnx.export(
            graph,
            example_inputs(spec),
            buffer,
            input_names=input_names(spec),
            output_names=output_names(spec),
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    onnx.helper.set_model_props(model, spec_to_metadata(spec))
    model.doc_string = WITH_REFNN if spec.holds_refnn else ONE_CLIP if spec.reference_in_graph else WITHOUT_CLIP
    return model.SerializeToString()
