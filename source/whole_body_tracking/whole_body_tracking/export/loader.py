"""Loader of exported policies; it needs neither a simulator nor Isaac Lab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .spec import PolicySpec
from .spec_metadata import spec_from_metadata

if TYPE_CHECKING:
    from whole_body_tracking.motion import MotionClip


WITH_REFNN = (
    "is a policy of the gait task, whose reference comes from gait parameters instead of a clip. Play it with"
    " sim2sim.py --gait speed=0.6,turn=0.2, or with --gait of run_policy.py."
)
WITHOUT_REFNN = "tracks clips and takes no gait parameters: leave --gait out, or export a policy of Gait-Flat-G1-v0."


class OnnxPolicy:
    """An exported policy with its spec. Made by :func:`load_policy`."""

    def __init__(self, session, spec: PolicySpec, folder: Path):
        self.session = session
        self.spec = spec
        self.folder = folder
        """Folder of the file; a policy of several clips has them below it."""
        self.input_names = [value.name for value in session.get_inputs()]
        self.output_names = [value.name for value in session.get_outputs()]

    def run(self, obs: np.ndarray, time_step: int = 0) -> dict[str, np.ndarray]:
        """Run the policy; returns its outputs by name, each of shape [1, ...].

        Args:
            obs: Observations, shape [num_observations] or [1, num_observations].
            time_step: Frame of the clip that the observations refer to; keeps counting after the clip's end.
        """
        if self.spec.holds_refnn:
            raise ValueError("The policy follows a RefNN; run it with `run_gait(obs, gait, state)`.")
        inputs = {"obs": np.asarray(obs, dtype=np.float32).reshape(1, -1)}
        if self.spec.reference_in_graph:
            inputs["time_step"] = np.array([[time_step]], dtype=np.float32)
        return dict(zip(self.output_names, self.session.run(None, inputs), strict=True))

    def run_gait(self, obs: np.ndarray, gait: np.ndarray, state: np.ndarray) -> dict[str, np.ndarray]:
        """Run a policy that follows a RefNN; returns its outputs by name, each of shape [1, ...].

        Args:
            obs: Observations, shape [num_observations]; zeros only ask for the reference.
            gait: Wanted values of ``spec.gait_inputs``, shape [num_inputs].
            state: ``next_state`` of the call before, shape [state_size]; zeros begin a walk.
        """
        inputs = {"obs": obs, "gait": gait, "state": state}
        inputs = {name: np.asarray(value, dtype=np.float32).reshape(1, -1) for name, value in inputs.items()}
        return dict(zip(self.output_names, self.session.run(None, inputs), strict=True))

    def reference(self, time_step: int) -> dict[str, np.ndarray]:
        """Reference at a frame, by output name; quaternions are (w, x, y, z).

        Raises:
            ValueError: If the file contains no clip.
        """
        if not self.spec.reference_in_graph:
            raise ValueError("The policy was exported without a clip; take the reference from `clip(name)`.")
        outputs = self.run(np.zeros(self.spec.num_observations), time_step)
        return {name: value[0] for name, value in outputs.items() if name != "actions"}

    def clip(self, name: str) -> MotionClip:
        """Read a clip beside the file and compare its digest with the one in the spec.

        Raises:
            FileNotFoundError: If its file is gone.
            ValueError: If the policy has no such clip, or the file holds another one.
        """
        from .clips import read_clip

        return read_clip(self.folder, self.spec, name)


def load_policy(
    path: str | os.PathLike,
    expected: PolicySpec | None = None,
    needs_clips: bool = True,
    follows_gait: bool | None = False,
) -> OnnxPolicy:
    """Load an exported policy and check that its observations, joints and control rate are those expected.

    Args:
        path: ONNX file.
        expected: What the controller was made for; None accepts any policy of this project.
        needs_clips: Whether the clips of a policy that does not hold them have to be beside it.
        follows_gait: Whether it should be a policy that follows a RefNN; None takes either.

    Raises:
        FileNotFoundError: If the file does not exist, or one of its clips; the message names it.
        ValueError: If it is not a policy of this project, or its observations, joints or control rate differ from those
            expected; the message names the first observation term that differs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Policy {path} does not exist. Expected a file such as <run>/exported/policy.onnx.")
    session = _open(path)
    spec = spec_from_metadata(session.get_modelmeta().custom_metadata_map, path.name)
    width = session.get_inputs()[0].shape[-1]
    if width != spec.num_observations:
        raise ValueError(
            f"{path.name}: input `obs` has {width} values, but its terms are {spec.describe_observations()}."
        )
    if follows_gait is not None and spec.holds_refnn != follows_gait:
        raise ValueError(f"{path.name} {WITH_REFNN if spec.holds_refnn else WITHOUT_REFNN}")
    if spec.holds_refnn:
        _require_gait_inputs(session, spec, path.name)
    if expected is not None:
        spec.require_compatible(expected, path.name)
    if needs_clips:
        from .clips import require_clips

        require_clips(path.parent, spec)
    return OnnxPolicy(session, spec, path.parent)


def _require_gait_inputs(session, spec: PolicySpec, name: str) -> None:
    """Check that the file takes what its description says: a wrong width would be found while the robot walks."""
    found = {value.name: value.shape[-1] for value in session.get_inputs()}
    wanted = {"obs": spec.num_observations, "gait": len(spec.gait_inputs), "state": spec.gait_state_size}
    if found != wanted:
        raise ValueError(f"{name}: its inputs are {found}, expected {wanted} values. Export it again from its task.")
    lengths = {len(spec.gait_inputs), len(spec.gait_low), len(spec.gait_high)}
    if len(lengths) > 1:
        raise ValueError(
            f"{name}: gait_inputs, gait_low and gait_high differ in length. Export it again from its task."
        )


def _open(path: Path):
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (errors.InvalidProtobuf, errors.InvalidArgument, errors.InvalidGraph, errors.Fail) as error:
        raise ValueError(f"{path.name} is not a readable ONNX file: {error}") from error
