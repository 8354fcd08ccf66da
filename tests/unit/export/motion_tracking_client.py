"""A client that treats a policy's file as ROS 2's motion_tracking_controller does: its metadata keys and its clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KEYS = (
    "joint_names", "joint_stiffness", "joint_damping", "default_joint_pos", "action_scale", "command_names",
    "observation_names", "observation_history_lengths", "anchor_body_name", "body_names",
)  # fmt: skip
OUTPUTS = ("actions", "joint_pos", "joint_vel", "body_pos_w", "body_quat_w")


class MotionTrackingClient:
    """The policy with its motion inside, its own counter of time steps, and observations from the call before."""

    def __init__(self, path: Path):
        """Load a file.

        Raises:
            KeyError: If an input, an output or a key of the metadata is missing.
        """
        import onnxruntime

        self.session = onnxruntime.InferenceSession(str(path))
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.metadata = {key: metadata[key].split(",") for key in KEYS}
        have = [value.name for value in (*self.session.get_inputs(), *self.session.get_outputs())]
        if missing := [name for name in ("obs", "time_step", *OUTPUTS) if name not in have]:
            raise KeyError(f"The file has no {missing}.")
        self.num_observations = self.session.get_inputs()[0].shape[1]
        self.time_step = 0
        self.reference: dict[str, np.ndarray] = {}
        self.action = np.zeros(len(self.metadata["joint_names"]), dtype=np.float32)

    def reset(self, start_step: int = 0) -> None:
        """On activation: ask for the reference with observations of zeros."""
        self.time_step = start_step
        self._forward(np.zeros(self.num_observations))

    def update(self, readings: np.ndarray) -> np.ndarray:
        """One step: observe the reference of the call before, act; returns joint targets [rad].

        Args:
            readings: What stands between command and last action in the observation.
        """
        command = (self.reference["joint_pos"], self.reference["joint_vel"])
        self._forward(np.concatenate((*command, readings, self.action)))
        default, scale = (np.array(self.metadata[key], dtype=float) for key in ("default_joint_pos", "action_scale"))
        return default + scale * self.action

    def _forward(self, obs: np.ndarray) -> None:
        inputs = {"obs": obs.astype(np.float32)[None], "time_step": np.array([[self.time_step]], dtype=np.float32)}
        self.time_step += 1
        values = dict(zip(OUTPUTS, self.session.run(list(OUTPUTS), inputs), strict=True))
        self.reference = {name: value[0] for name, value in values.items()}
        self.action = self.reference.pop("actions")
