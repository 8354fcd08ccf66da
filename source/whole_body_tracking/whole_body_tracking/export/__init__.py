"""Export of trained policies: ONNX and TorchScript files with a description of their inputs, and a loader."""

from .clip_reference import ClipReference, TrainedClip
from .env_spec import spec_from_env
from .loader import OnnxPolicy, load_policy
from .onnx_policy import export_onnx
from .parity import PARITY_TOLERANCE, check_parity
from .run_export import export_run
from .spec import ObservationTerm, PolicySpec

__all__ = [
    "PARITY_TOLERANCE",
    "ClipReference",
    "ObservationTerm",
    "OnnxPolicy",
    "PolicySpec",
    "TrainedClip",
    "check_parity",
    "export_onnx",
    "export_run",
    "load_policy",
    "spec_from_env",
]
