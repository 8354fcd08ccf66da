"""Writer of the exported graph as TorchScript, for C++ controllers that link libtorch."""

from __future__ import annotations

import io
import warnings

import torch
from torch import nn

from .onnx_policy import example_inputs, ignore_shape_checks
from .spec import PolicySpec
from .spec_metadata import SPEC_KEY


def to_torchscript_bytes(graph: nn.Module, spec: PolicySpec) -> bytes:
    """Serialise a graph; inputs and outputs are those of the ONNX file, the spec is the extra file ``policy_spec``."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        ignore_shape_checks()
        traced = torch.jit.trace(graph, example_inputs(spec), check_trace=False)
        torch.jit.save(traced, buffer, _extra_files={SPEC_KEY: spec.to_json()})
    return buffer.getvalue()
